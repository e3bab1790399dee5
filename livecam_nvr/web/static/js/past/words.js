// Why there is no footage, in words.

import { language, t, told } from "../texts.js";

/** The service tells it in English and whole; elsewhere, its kind is translated, and the particulars are added. */
export function gapWords({ cause, text, words, by }) {
  const kind = cause === "switched_off" && by ? t("cause.switched_off_by", { by }) : told(`cause.${cause}`, text);
  if (language === "en") return text || kind;
  return words ? `${kind} (${words})` : kind;
}
