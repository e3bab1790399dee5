// The lists of exports and of kept clips.

import * as api from "./api.js";
import { ours } from "../address.js";
import { bytes, duration } from "../format.js";
import { may } from "../session.js";
import { t, told } from "../texts.js";
import * as times from "./times.js";

const SOON_MS = 700;
const LATER_MS = 15_000;
const BUSY = new Set(["queued", "running"]);

/** A list that is asked for again and again; `load()` answers rows, `none()` words for no row. */
class Listed {
  #element;
  #timer = 0;
  #shown = "";

  constructor(element) {
    this.#element = element;
  }

  async refresh() {
    clearTimeout(this.#timer);
    let soon = false;
    if (!document.hidden) {
      try {
        const found = await this.load();
        soon = this.busy(found);
        const shown = JSON.stringify(found);
        if (shown !== this.#shown) this.#show(found.map((one) => this.row(one)), this.none());
        this.#shown = shown;
      } catch (error) {
        this.#shown = "";
        this.#show([], error.message);
      }
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.refresh(), soon ? SOON_MS : LATER_MS);
  }

  #show(rows, none) {
    const at = [...this.#element.children].findIndex((row) => row.contains(document.activeElement));
    if (rows.length) this.#element.replaceChildren(...rows);
    else this.#element.replaceChildren(make("li", "fine", none));
    if (at >= 0) this.#element.children[at]?.querySelector("button, a")?.focus();
  }

  button(label, title, work) {
    const button = make("button", "", label);
    button.type = "button";
    button.dataset.least = "operator";
    button.ariaLabel = title;
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await work();
      } catch (error) {
        button.disabled = false;
        button.closest("li").append(make("span", "bad", error.message));
        return;
      }
      this.refresh();
    });
    return button;
  }
}

export class ExportList extends Listed {
  #nameOf;

  constructor(element, nameOf) {
    super(element);
    this.#nameOf = nameOf;
  }

  none() {
    return may("operator") ? t("past.export_how") : t("past.export_none");
  }

  load() {
    return api.exports();
  }

  busy(found) {
    return found.some(({ state }) => BUSY.has(state));
  }

  row(one) {
    const row = make("li");
    row.dataset.state = one.state;
    const cameras = one.cameras.map((id) => this.#nameOf(id)).join(" + ");
    const what = `${one.title || cameras}, ${times.dayAndTime(one.from_utc_s)}, ${duration(one.to_utc_s - one.from_utc_s)}`;
    row.append(make("span", "what", what));
    if (BUSY.has(one.state)) {
      const bar = document.createElement("progress");
      bar.value = one.progress;
      const state = told(`past.export_${one.state}`, one.words);
      bar.ariaLabel = `${what}: ${state}`;
      const stop = this.button(t("past.export_stop"), t("past.export_stop_label", { what }), () => api.removeExport(one.id));
      row.append(bar, make("span", "soft", state), stop);
    } else if (one.state === "done") {
      const link = make("a", "", t("past.export_download", { bytes: bytes(one.size) }));
      link.href = ours(one.url);
      link.download = one.name;
      row.append(link, this.#remover(one.id, what));
      if (one.gaps.length) row.append(make("span", "bad", t("past.export_gaps", { count: one.gaps.length })));
      for (const note of one.notes) row.append(make("span", "soft", note));
    } else {
      const why = [t(`past.export_${one.state}`), one.words].filter(Boolean).join(": ");
      row.append(make("span", "bad", why), this.#remover(one.id, what));
    }
    return row;
  }

  #remover(id, what) {
    return this.button(t("past.export_delete"), t("past.export_delete_label", { what }), () => api.removeExport(id));
  }
}

export class ClipList extends Listed {
  #nameOf;
  #onChoose;
  #onChange;

  /** `onChoose(clip)` when a person wants to see one, `onChange()` when one was let go. */
  constructor(element, nameOf, onChoose, onChange) {
    super(element);
    this.#nameOf = nameOf;
    this.#onChoose = onChoose;
    this.#onChange = onChange;
  }

  none() {
    return t("past.kept_none");
  }

  load() {
    return api.clips();
  }

  busy() {
    return false;
  }

  row(clip) {
    const row = make("li");
    const what = `${clip.title || this.#nameOf(clip.camera_id)}, ${times.dayAndTime(clip.begin_utc_s)}`;
    const show = make("button", "link", what);
    show.type = "button";
    show.title = t("past.kept_by", { by: clip.by });
    show.addEventListener("click", () => this.#onChoose(clip));
    const lasts = make("span", "soft", duration(clip.end_utc_s - clip.begin_utc_s));
    const release = this.button(t("past.let_go"), t("past.let_go_label", { what }), async () => {
      await api.release(clip.id);
      this.#onChange();
    });
    row.append(show, lasts, release);
    return row;
  }
}

function make(tag, name = "", text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.textContent = text;
  return element;
}
