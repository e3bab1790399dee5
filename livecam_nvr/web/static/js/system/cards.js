// What the cards of the state are made of.

import { t } from "../texts.js";
import { make } from "../dom.js";

export function card(title, content, kind = "") {
  const heading = make("h2", {}, t(title));
  return make("section", { className: `card ${kind}` }, heading, content);
}

/** A line of a list of facts. */
export const pair = (what, value) => [make("dt", {}, what), make("dd", {}, value)];
