// Password fields: the button that shows what was typed, and what a new password has to be.

import { make } from "./dom.js";
import { t } from "./texts.js";

const LEAST = 10;

/** Gives each `.secret` within `root` its button. */
export function revealable(root) {
  for (const place of root.querySelectorAll(".secret")) {
    const input = place.querySelector("input");
    const button = make("button", { type: "button" });
    const what = input.labels[0]?.textContent.trim() ?? "";
    const show = (shown) => {
      input.type = shown ? "text" : "password";
      button.textContent = shown ? t("account.hide") : t("account.show");
      button.ariaLabel = shown ? t("account.hide_label", { what }) : t("account.show_label", { what });
    };
    button.addEventListener("click", () => show(input.type === "password"));
    // What is sent is hidden again: browsers offer to keep passwords, and keep texts for other forms.
    input.form.addEventListener("submit", () => show(false), { capture: true });
    show(false);
    place.append(button);
  }
}

/** What a new password has to be, and whether it is. */
const rules = (password, again, name) => [
  ["long", [...password].length >= LEAST],
  ["name", password !== "" && password.toLowerCase() !== name.trim().toLowerCase()],
  ["same", password !== "" && password === again],
];

/** Keeps a list of the rules true while somebody types; `fields` are `{name, fresh, again}`, inputs. */
export function showRules(list, { name, fresh, again }) {
  const show = () => {
    list.replaceChildren(
      ...rules(fresh.value, again.value, name.value).map(([rule, met]) => {
        const answer = make("span", { className: "unseen" }, met ? t("account.rule_met") : t("account.rule_unmet"));
        return make("li", { className: met ? "met" : "" }, t(`account.rule_${rule}`, { count: LEAST }), answer);
      }),
    );
  };
  for (const input of [name, fresh, again]) input.addEventListener("input", show);
  show();
}

/** Throws an Error in words, with the `field` that it is about, if a rule is not met. */
export function refuseBad({ name, fresh, again }) {
  const broken = rules(fresh.value, again.value, name.value).find(([, met]) => !met);
  if (!broken) return;
  const [rule] = broken;
  const error = new Error(t(`account.refuse_${rule}`, { count: LEAST }));
  error.field = rule === "same" ? again : fresh;
  throw error;
}
