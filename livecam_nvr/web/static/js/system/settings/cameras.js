// The cameras in the settings: each is a form; they can be added, copied, moved and removed.

import { t } from "../../texts.js";
import { make } from "../../dom.js";
import { named } from "../words.js";
import { fields } from "./form.js";
import { kinds } from "./schema.js";

const FIRST = ["name", "id", "enabled", "url", "path", "device", "camera", "size", "fps", "sound", "record", "record_mode"];
const KINDS = { rtsp: "rtsp://", file: "" };

export class Cameras {
  #settings;
  #place;
  #kinds;
  #open;
  #fills = [];

  /** `settings.opened` are the ids of the cameras whose forms are open. */
  constructor(settings, place) {
    this.#settings = settings;
    this.#open = settings.opened;
    this.#place = place;
    this.#kinds = kinds(settings.root);
    this.show();
  }

  get #list() {
    return this.#settings.draft.get(["cameras"]) ?? [];
  }

  /** Opens the camera with this number, for a mistake in it. */
  open(number) {
    const form = this.#place.querySelectorAll("details.camera")[number];
    if (!form) return;
    form.open = true;
    this.#fills[number](); // the event comes later
  }

  show(focus = -1) {
    this.#fills = [];
    const forms = this.#list.map((camera, at) => this.#form(camera, at));
    this.#place.replaceChildren(...forms, this.#adding());
    if (focus >= 0) this.#place.querySelectorAll("details.camera > summary")[focus]?.focus();
  }

  #form(camera, at) {
    const schema = this.#kinds[camera.kind];
    const title = make("strong", {}, camera.name || camera.id || t("settings.camera_new"));
    const about = make("span", { className: "soft" }, [kindInWords(camera.kind), camera.id].filter(Boolean).join(" · "));
    const form = make("details", { className: "camera card" }, make("summary", {}, title, about));
    form.open = this.#open.has(camera.id);
    form.addEventListener("toggle", () => (form.open ? this.#open.add(camera.id) : this.#open.delete(camera.id)));
    // Dozens of cameras have thousands of fields: they are made when they are looked at.
    const fill = () => {
      if (!form.open || form.childElementCount > 1) return;
      const inner = make("div", { className: "settings-fields" });
      if (schema) inner.append(...fields(this.#settings, ["cameras", at], schema, { first: FIRST, skip: ["kind"] }));
      form.append(make("p", { className: "soft" }, schema?.description ?? ""), inner, this.#tools(at));
      inner.addEventListener("input", () => (title.textContent = this.#list[at]?.name || this.#list[at]?.id || t("settings.camera_new")));
    };
    form.addEventListener("toggle", fill);
    this.#fills[at] = fill;
    fill();
    return form;
  }

  #tools(at) {
    const cameras = this.#list;
    const name = cameras[at].name || cameras[at].id;
    const button = (key, work, kind = "") => {
      const made = make("button", { type: "button", className: kind }, t(key));
      made.ariaLabel = `${t(key)}: ${name}`;
      made.addEventListener("click", work);
      return made;
    };
    const up = button("settings.up", () => this.#move(at, at - 1));
    const down = button("settings.down", () => this.#move(at, at + 1));
    up.disabled = at === 0;
    down.disabled = at === cameras.length - 1;
    const remove = button("system.remove", () => this.#put(cameras.filter((_, number) => number !== at), Math.max(0, at - 1)), "danger");
    remove.disabled = cameras.length === 1;
    return make("div", { className: "camera-tools" }, up, down, button("settings.copy", () => this.#copy(at)), remove);
  }

  #put(cameras, focus) {
    this.#settings.draft.set(["cameras"], cameras);
    this.#settings.moved();
    this.show(focus);
  }

  #move(from, to) {
    const cameras = [...this.#list];
    cameras.splice(to, 0, ...cameras.splice(from, 1));
    this.#put(cameras, to);
  }

  #copy(at) {
    const copy = structuredClone(this.#list[at]);
    copy.id = this.#freeId();
    if (copy.name) copy.name = t("settings.copy_of", { name: copy.name });
    // A secret belongs to the camera that it was given for.
    for (const [key, value] of Object.entries(copy)) if (value?.secret) delete copy[key];
    this.#open.add(copy.id);
    this.#put(this.#list.toSpliced(at + 1, 0, copy), at + 1);
  }

  #adding() {
    const kind = make("select", { id: "camera-kind" });
    kind.append(...Object.keys(this.#kinds).map((one) => make("option", { value: one }, kindInWords(one))));
    if ("rtsp" in this.#kinds) kind.value = "rtsp";
    const add = make("button", { type: "button", className: "main" }, t("settings.camera_add"));
    add.addEventListener("click", () => {
      const camera = { id: this.#freeId(), kind: kind.value };
      for (const key of this.#kinds[kind.value].required ?? []) camera[key] ??= KINDS[kind.value] ?? "";
      this.#open.add(camera.id);
      this.#put([...this.#list, camera], this.#list.length);
    });
    return make("div", { className: "adding" }, make("label", { htmlFor: kind.id }, t("settings.camera_kind"), " ", kind), add);
  }

  #freeId() {
    const taken = new Set(this.#list.map((camera) => camera.id));
    let count = this.#list.length;
    while (taken.has(`cam${count}`)) count += 1;
    return `cam${count}`;
  }
}

const kindInWords = (kind) => named(`setting.kind.${kind}`, kind);
