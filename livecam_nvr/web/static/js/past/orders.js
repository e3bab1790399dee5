// What can be done with the selected time: keep it, export it, download it.

import * as api from "./api.js";
import { t } from "../texts.js";

export class Orders {
  #form;
  #told;
  #selection;
  #cameras;
  #onKept;
  #onExport;

  /** `cameras()` are the ids of those that are shown. */
  constructor(form, selection, cameras, onKept, onExport) {
    this.#form = form;
    this.#told = form.querySelector(".told");
    this.#selection = selection;
    this.#cameras = cameras;
    this.#onKept = onKept;
    this.#onExport = onExport;
    const doing = { keep: () => this.#keep(), export: () => this.#export(), download: () => this.#download() };
    for (const [name, work] of Object.entries(doing)) {
      const button = form.querySelector(`[data-do="${name}"]`);
      button.addEventListener("click", () => this.#run(button, work));
    }
    form.querySelector('[data-do="clear"]').addEventListener("click", () => selection.clear());
  }

  /** Another time is selected: what was said of the last one does not hold any more. */
  forget() {
    this.#told.textContent = "";
  }

  async #run(button, work) {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    this.#told.classList.remove("bad");
    try {
      this.#told.textContent = await work();
    } catch (error) {
      this.#told.classList.add("bad");
      this.#told.textContent = error.message;
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  async #keep() {
    const { begin, end } = this.#selection.range;
    const title = this.#form.elements.title.value.trim();
    const done = await Promise.allSettled(this.#cameras().map((id) => api.keep(id, begin, end, title)));
    const failed = done.filter(({ status }) => status === "rejected");
    this.#onKept();
    if (failed.length) throw new Error(failed.map(({ reason }) => reason.message).join(" "));
    return t("past.kept_told");
  }

  async #export() {
    const { begin, end } = this.#selection.range;
    const { exact, title } = this.#form.elements;
    const ids = this.#cameras();
    // Two are put side by side; more get a file each.
    const each = ids.length <= 2 ? [ids] : ids.map((id) => [id]);
    for (const cameras of each) await api.startExport(cameras, begin, end, exact.checked, title.value.trim());
    this.#onExport();
    return t("past.export_told");
  }

  async #download() {
    const { begin, end } = this.#selection.range;
    for (const id of this.#cameras()) {
      const url = api.downloadUrl(id, begin, end);
      // A browser that saves a file shows no words if it is refused: the first byte tells.
      await (await api.ask(url, { headers: { Range: "bytes=0-0" } })).arrayBuffer();
      const link = document.createElement("a");
      link.href = url;
      link.download = "";
      link.click();
    }
    return t("past.download_told");
  }
}
