// Which cameras are shown: all, or one; by buttons, keys and the address's #fragment.

import { make } from "./dom.js";
import { t } from "./texts.js";

const ALL = "";
const BUTTONS = 6; // more cameras than that are a list

export class Views {
  #nav;
  #onChange;
  #cameras = [];

  /** With `keys`, digits choose; a page that has more keys than these sees to them itself. */
  constructor(nav, onChange, { keys = true } = {}) {
    this.#nav = nav;
    this.#onChange = onChange;
    addEventListener("hashchange", () => this.#apply());
    if (keys) addEventListener("keydown", (event) => this.#key(event));
  }

  /** The one camera that is shown alone, or "" for all. */
  get current() {
    const hash = location.hash.slice(1);
    return this.ids.find((id) => encodeURIComponent(id) === hash || id === hash) ?? ALL;
  }

  /** The cameras there are. */
  get ids() {
    return this.#cameras.map(({ id }) => id);
  }

  update(cameras) {
    const known = cameras.map(({ id, name }) => ({ id, name }));
    if (JSON.stringify(known) === JSON.stringify(this.#cameras)) return;
    this.#cameras = known;
    this.#nav.hidden = known.length < 2;
    const all = t(known.length === 2 ? "common.dual" : "common.all");
    const choices = [{ id: ALL, name: all }, ...known];
    if (known.length <= BUTTONS) this.#nav.replaceChildren(...choices.map(({ id, name }, key) => this.#button(id, name, key)));
    else this.#nav.replaceChildren(this.#button(ALL, all, 0), this.#list(known));
    this.#apply();
  }

  /** Shows this camera alone, or all for "". */
  show(id) {
    if (id !== this.current) history.replaceState(null, "", id ? `#${encodeURIComponent(id)}` : location.pathname + location.search);
    this.#apply();
  }

  /** The camera of a digit; 0 is all. */
  showNumber(number) {
    if (number === 0) this.show(ALL);
    else if (number <= this.#cameras.length) this.show(this.ids[number - 1]);
  }

  /** The next camera (1) or the one before (-1); from all, the first or the last. */
  move(by) {
    const { ids } = this;
    if (ids.length < 2) return;
    const at = ids.indexOf(this.current);
    this.show(at < 0 ? ids.at(by > 0 ? 0 : -1) : ids[(at + by + ids.length) % ids.length]);
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !/^[0-9]$/.test(event.key)) return;
    if (event.target.closest?.("select, input")) return; // there, a digit looks for a choice
    this.showNumber(Number(event.key));
  }

  #button(id, name, key) {
    const button = make("button", { type: "button" }, name);
    button.dataset.view = id;
    if (key < 10) {
      button.title = t("common.with_key", { name, key });
      button.setAttribute("aria-keyshortcuts", String(key));
    }
    button.addEventListener("click", () => this.show(id));
    return button;
  }

  #list(cameras) {
    const select = make("select", { ariaLabel: t("live.one_camera") });
    const none = new Option(t("live.one_camera_choose"), ALL);
    select.append(none, ...cameras.map(({ id, name }) => new Option(name, id)));
    select.addEventListener("change", () => this.show(select.value));
    return select;
  }

  #apply() {
    const { current } = this;
    for (const choice of this.#nav.children) {
      if (choice.tagName === "SELECT") choice.value = current;
      else choice.setAttribute("aria-pressed", String(choice.dataset.view === current));
    }
    this.#onChange(current);
  }
}
