// The live page's keys, and the list of them.

import { make } from "../dom.js";
import { t } from "../texts.js";

const KEPT = "livecam-nvr.keys";

/**
 * `shown` are groups of `{keys, shown, text, run(event)}`, `silent` more of them that the list leaves out. `run` is called
 * for one of `keys`; what it returns false for was none of its business, and the browser does what it always does.
 */
export class Keys {
  #byKey = new Map();
  #groups;
  #dialog = null;
  #on = remembered();

  constructor({ shown, silent }) {
    this.#groups = shown;
    for (const { keys, run } of [...shown.flat(), ...silent]) for (const key of keys) this.#byKey.set(key, run);
    addEventListener("keydown", (event) => this.#press(event));
  }

  /** Shows what keys there are. */
  help() {
    this.#dialog ??= this.#make();
    if (this.#dialog.open) this.#dialog.close();
    else this.#dialog.showModal();
  }

  #press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    // There, keys are for what is chosen or typed. A dialog that has just closed may still have the focus.
    const busy = event.target.closest?.("select, input, textarea, dialog[open]");
    if (busy && !busy.closest("dialog:not([open])")) return;
    // Whoever speaks to their computer, or hits keys by accident, can turn letters and digits off (WCAG 2.2, 2.1.4).
    if (!this.#on && event.key.length === 1 && event.key !== "?") return;
    const run = this.#byKey.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (run && run(event) !== false) event.preventDefault();
  }

  #make() {
    const rows = ({ shown, keys, text }) =>
      make("div", {}, make("dt", {}, ...[shown ?? keys].flat().map((key) => make("kbd", {}, key))), make("dd", {}, t(text)));
    const box = make("input", { type: "checkbox", checked: this.#on });
    box.addEventListener("change", () => this.#turn(box.checked));
    const close = make("button", { type: "button" }, t("common.close"));
    const dialog = make(
      "dialog",
      { className: "help" },
      make("h2", { id: "help-title" }, t("live.keys")),
      ...this.#groups.map((group) => make("dl", {}, ...group.map(rows))),
      make("label", {}, box, t("live.keys_on")),
      make("div", { className: "ends" }, close),
    );
    dialog.setAttribute("aria-labelledby", "help-title");
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("keydown", (event) => event.key === "?" && dialog.close());
    document.body.append(dialog);
    return dialog;
  }

  #turn(on) {
    this.#on = on;
    try {
      localStorage.setItem(KEPT, on ? "on" : "off");
    } catch {
      // It holds for this page then.
    }
  }
}

function remembered() {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true;
  }
}
