// The choice of the page's language.

import { make } from "./dom.js";
import { LANGUAGES, choose, language, t } from "./texts.js";

/** A list of the languages, each named in its own words. */
export function languages() {
  const select = make("select", { className: "language", ariaLabel: t("common.language") });
  for (const [code, name] of Object.entries(LANGUAGES)) {
    const option = new Option(name, code, false, code === language);
    option.lang = code;
    select.append(option);
  }
  select.addEventListener("change", () => choose(select.value));
  return select;
}
