// What somebody may do, as a part of a form: the role, and which cameras.

import { t } from "../texts.js";
import { make } from "../dom.js";

export const ROLES = ["viewer", "watcher", "operator", "admin"];

let count = 0;

export class Rights {
  elements;
  #role = make("select");
  #all = make("input", { type: "checkbox" });
  #boxes;

  /** `cameras` are those that there are; `rights` those of somebody, `{role, cameras}`. */
  constructor(cameras, rights = { role: "viewer", cameras: null }) {
    const id = ++count;
    this.#role.id = `role-${id}`;
    this.#role.append(...ROLES.map((role) => make("option", { value: role }, t(`system.role.${role}`))));
    this.#role.value = rights.role;
    const what = make("p", { className: "soft", id: `role-what-${id}` });
    this.#role.setAttribute("aria-describedby", what.id);
    const explain = () => (what.textContent = t(`account.role_${this.#role.value}`));
    this.#role.addEventListener("change", explain);
    explain();
    const ids = [...new Set([...cameras.map((camera) => camera.id), ...(rights.cameras ?? [])])];
    this.#boxes = ids.map((value) => make("input", { type: "checkbox", value, checked: rights.cameras?.includes(value) ?? true }));
    this.#all.checked = rights.cameras === null;
    const list = make("div", { className: "ticks" });
    list.append(...this.#boxes.map((box) => tick(box, cameras.find((camera) => camera.id === box.value)?.name ?? box.value)));
    const show = () => (list.hidden = this.#all.checked);
    this.#all.addEventListener("change", show);
    show();
    const legend = make("legend", {}, t("system.cameras"));
    const group = make("fieldset", {}, legend, tick(this.#all, t("system.all_cameras")), list);
    this.elements = [make("label", { htmlFor: this.#role.id }, t("system.role")), this.#role, what, group];
  }

  get value() {
    const cameras = this.#all.checked ? null : this.#boxes.filter((box) => box.checked).map((box) => box.value);
    return { role: this.#role.value, cameras };
  }
}

export const tick = (box, words) => make("label", { className: "check" }, box, " ", words);

/** `All`, or the names of the cameras. */
export function camerasInWords(ids, cameras) {
  if (ids === null) return t("system.all");
  const names = ids.map((id) => cameras.find((camera) => camera.id === id)?.name ?? id);
  return names.join(", ") || t("system.none");
}
