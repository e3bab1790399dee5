// The settings: forms made from the config's own schema; checked, shown as a change, and put in force by the service.

import { t, told } from "../../texts.js";
import { make } from "../../dom.js";
import * as api from "../api.js";
import { confirmThat } from "../dialog.js";
import { named } from "../words.js";
import { Cameras } from "./cameras.js";
import { Draft } from "./draft.js";
import { fields, helpText, idOf } from "./form.js";
import { effectInWords, review } from "./review.js";
import { kindOf, plain, titleOf } from "./schema.js";

const CHECK_AFTER_MS = 500;
const ORDER = ["cameras", "recording", "mqtt", "listen", "tls", "encoding", "media_server", "node"];
const OTHER = "other";

export class Settings {
  #place;
  #sections = make("nav", { className: "sections" });
  #form = make("div", { className: "settings" });
  #said = make("div", { className: "settings-said", role: "status" });
  #bar = make("div", { className: "save-bar", hidden: true });
  #count = make("p", { role: "status" });
  #settings = null;
  #revision = null;
  #section = "cameras";
  #cameras = null;
  #opened = new Set();
  #mistakes = [];
  #timer = 0;
  #turn = 0;
  #leaving = false;

  constructor(place) {
    this.#place = place;
    this.#sections.ariaLabel = t("settings.sections");
    const drop = make("button", { type: "button" }, t("settings.discard"));
    const save = make("button", { type: "button", className: "main" }, t("settings.save"));
    drop.addEventListener("click", () => this.#load(t("settings.discarded")));
    save.addEventListener("click", () => this.#save(save));
    this.#bar.append(this.#count, drop, save);
    place.append(make("h2", {}, t("system.settings")), make("p", { className: "soft" }, t("settings.what")), this.#said, this.#sections, this.#form, this.#bar);
    this.#load();
  }

  hasChanges() {
    return !this.#leaving && Boolean(this.#settings?.draft.changed);
  }

  /** Whether somebody really wants to leave what they have not saved. */
  async mayLeave() {
    this.#leaving = await confirmThat({ title: t("settings.leave"), words: t("settings.leave_what"), action: t("settings.leave_do") });
    return this.#leaving;
  }

  close() {
    clearTimeout(this.#timer);
    this.#turn += 1;
  }

  async #load(words = "") {
    clearTimeout(this.#timer);
    this.#turn += 1;
    try {
      const found = await api.settings();
      this.#revision = found.revision;
      const draft = new Draft(found.values, found.defaults);
      this.#settings = { draft, root: found.schema, opened: this.#opened, moved: () => this.#mark([]) };
      draft.onChange(() => this.#changed());
      this.#mistakes = [];
      this.#showSections();
      this.#show();
      this.#showBar();
      this.#tell(words);
      if (found.pending?.length && !words) {
        const cameras = draft.get(["cameras"]);
        this.#tell(t("settings.pending"), "", [make("ul", {}, ...found.pending.map((effect) => make("li", {}, effectInWords(effect, cameras))))]);
      }
    } catch (error) {
      this.#tell(error.message, "bad");
    }
  }

  #tell(words, kind = "", more = []) {
    this.#said.className = `settings-said ${kind}`;
    this.#said.replaceChildren(...(words ? [make("p", {}, words)] : []), ...more);
  }

  // Sections have a form each; what is in none has one together.
  #names() {
    const { root } = this.#settings;
    const isSection = (key) => key === "cameras" || kindOf(key, plain(root.properties[key], root), root) === "section";
    const keys = Object.keys(root.properties);
    const known = keys.filter(isSection).sort((a, b) => (ORDER.indexOf(a) + 1 || 99) - (ORDER.indexOf(b) + 1 || 99));
    return { sections: known, others: keys.filter((key) => !isSection(key)) };
  }

  #showSections() {
    const { sections, others } = this.#names();
    const names = others.length ? [...sections, OTHER] : sections;
    this.#sections.replaceChildren(
      ...names.map((name) => {
        const button = make("button", { type: "button" }, named(`settings.section.${name}`, titleOf(name)));
        button.dataset.section = name;
        button.addEventListener("click", () => {
          this.#section = name;
          this.#show();
        });
        return button;
      }),
    );
  }

  #show() {
    const { sections, others } = this.#names();
    if (!sections.includes(this.#section) && this.#section !== OTHER) this.#section = sections[0];
    for (const button of this.#sections.children) button.ariaCurrent = button.dataset.section === this.#section ? "true" : null;
    this.#form.replaceChildren();
    this.#cameras = null;
    const { root } = this.#settings;
    if (this.#section === "cameras") {
      this.#cameras = new Cameras(this.#settings, this.#form);
    } else if (this.#section === OTHER) {
      const schema = { properties: Object.fromEntries(others.map((key) => [key, root.properties[key]])), required: root.required };
      this.#form.append(make("div", { className: "card settings-fields" }, ...fields(this.#settings, [], schema)));
    } else {
      const schema = plain(root.properties[this.#section], root);
      const inner = make("div", { className: "settings-fields" }, ...fields(this.#settings, [this.#section], schema));
      this.#form.append(make("div", { className: "card" }, ...(schema.description ? [helpText(told(`setting.help.${this.#section}`, schema.description))] : []), inner));
    }
    this.#mark(this.#mistakes);
  }

  #changed() {
    this.#showBar();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#check().catch(() => {}), CHECK_AFTER_MS);
  }

  #showBar() {
    const { draft } = this.#settings;
    this.#bar.hidden = !draft.changed;
    const bad = this.#mistakes.length;
    this.#count.textContent = bad ? t("settings.mistakes", { count: bad }) : t("settings.changes", { count: draft.changes });
    this.#count.className = bad ? "bad" : "";
  }

  // What the service thinks of it; null if somebody has typed on meanwhile.
  async #check() {
    const mine = ++this.#turn;
    const found = await api.checkSettings({ revision: this.#revision, values: this.#settings.draft.values });
    if (mine !== this.#turn) return null;
    this.#mark(found.mistakes);
    this.#showBar();
    return found;
  }

  #mark(mistakes) {
    this.#mistakes = mistakes;
    for (const place of this.#form.querySelectorAll(".mistake")) place.textContent = "";
    for (const input of this.#form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
    const elsewhere = [];
    const wrong = new Set();
    for (const { key, problem, hint } of mistakes) {
      const path = key.replace(/\[(\d+)\]/g, ".$1").split(".").filter(Boolean);
      wrong.add(sectionOf(path, this.#names()));
      if (path[0] === "cameras" && path.length > 1) this.#cameras?.open(Number(path[1]));
      const words = [problem, hint].filter(Boolean).join("; ");
      const place = nearest(path);
      if (place) {
        place.mistake.textContent = words;
        place.input?.setAttribute("aria-invalid", "true");
        for (let holder = place.mistake.closest("details"); holder; holder = holder.parentElement.closest("details")) holder.open = true;
      } else if (sectionOf(path, this.#names()) === this.#section || !path.length) {
        elsewhere.push(make("p", { className: "bad" }, key ? `${key}: ${words}` : words));
      }
    }
    for (const button of this.#sections.children) button.classList.toggle("wrong", wrong.has(button.dataset.section));
    if (elsewhere.length || this.#said.classList.contains("elsewhere")) this.#tell("", "elsewhere", elsewhere);
  }

  async #save(button) {
    clearTimeout(this.#timer);
    button.ariaBusy = "true";
    try {
      const found = await this.#check();
      if (!found) return;
      if (found.mistakes.length) {
        this.#toMistake();
        return;
      }
      const cameras = this.#settings.draft.get(["cameras"]) ?? [];
      const wanted = { revision: this.#revision, values: this.#settings.draft.values };
      const done = await review(found, cameras, () => api.applySettings(wanted));
      if (!done) return;
      const later = done.effects.filter((effect) => effect.how === "needs_restart");
      await this.#load(t(later.length ? "settings.applied_later" : "settings.applied"));
      if (done.effects.length) this.#said.append(make("ul", {}, ...done.effects.map((effect) => make("li", {}, effectInWords(effect, cameras)))));
      this.#place.scrollIntoView({ block: "start" });
    } catch (error) {
      this.#tell(error.message, "bad");
    } finally {
      button.ariaBusy = "false";
    }
  }

  #toMistake() {
    if (!this.#form.querySelector("[aria-invalid]")) {
      const path = this.#mistakes[0].key.replace(/\[(\d+)\]/g, ".$1").split(".");
      this.#section = sectionOf(path, this.#names());
      this.#show();
    }
    this.#form.querySelector("[aria-invalid]")?.focus();
  }
}

const sectionOf = ([first], { sections }) => (sections.includes(first) ? first : OTHER);

// The field that a mistake is about, or what it is in.
function nearest(path) {
  for (let length = path.length; length > 1; length -= 1) {
    const id = idOf(path.slice(0, length));
    const mistake = document.getElementById(`${id}-mistake`);
    if (mistake) return { mistake, input: document.getElementById(id) };
  }
  const id = idOf(path.slice(0, 1));
  const mistake = document.getElementById(`${id}-mistake`);
  return mistake && { mistake, input: document.getElementById(id) };
}
