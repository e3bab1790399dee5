// One camera on the live page: its picture, and what can be seen and done about it.

import * as format from "../format.js";
import { number, t, told } from "../texts.js";
import { showAddresses } from "./addresses.js";
import { showFigures } from "./figures.js";
import { draw } from "./icons.js";
import { Picture } from "./picture.js";
import { Quality } from "./quality.js";
import { Recording } from "./recording.js";
import { Running } from "./running.js";
import { Sound } from "./sound.js";
import { hasWindows, takeSnapshot, toggleWindow } from "./tools.js";
import { Zoom } from "./zoom.js";

const GOODBYE_MS = 5000;
let made = 0;

export class Tile {
  element;
  picture;
  recording;
  sound;
  zoom;
  #camera;
  #parts = {};
  #quality;
  #running;
  #page;
  #told = "";

  /** `page` is what shows the tiles: `isAlone()`, `show(id)`, `showDetails(on)`, `fullScreen(tile)`. */
  constructor(camera, page) {
    this.#page = page;
    this.element = document.getElementById("tile").content.firstElementChild.cloneNode(true);
    this.element.dataset.camera = camera.id;
    draw(this.element);
    for (const name of ["title", "figures", "complaints", "panel", "screen", "zoomed", "pip", "details"]) {
      this.#parts[name] = this.element.querySelector(`.${name}`);
    }
    this.#parts.link = this.#parts.title.querySelector("a");
    this.#parts.addresses = this.element.querySelector(".addresses ul");
    this.#parts.panel.id = `panel-${(made += 1)}`;
    this.#parts.details.setAttribute("aria-controls", this.#parts.panel.id);
    this.picture = new Picture(this.element, camera, () => this.sound.failed());
    this.sound = new Sound(this.element.querySelector(".sound"), (on) => this.picture.listen(on));
    this.recording = new Recording(this.element);
    this.#running = new Running(this.element);
    this.#quality = new Quality(this.element.querySelector(".quality"), camera.id);
    const { screen, zoomed } = this.#parts;
    this.zoom = new Zoom(screen, screen.querySelector(".layers"), () => page.isAlone(), (scale) => this.#near(scale));
    zoomed.addEventListener("click", () => this.zoom.reset());
    for (const [name, work] of [["snapshot", "snapshot"], ["pip", "smallWindow"], ["full", "full"], ["details", "details"]]) {
      this.element.querySelector(`.${name}`).addEventListener("click", () => this[work]());
    }
    this.#parts.link.addEventListener("click", (event) => {
      event.preventDefault();
      page.show(page.isAlone() ? "" : this.#camera.id);
    });
    this.update(camera);
  }

  get camera() {
    return this.#camera;
  }

  /** A new status came. */
  update(camera) {
    this.#camera = camera;
    const { link, complaints, addresses } = this.#parts;
    link.textContent = camera.name;
    link.href = `#${encodeURIComponent(camera.id)}`;
    this.element.classList.remove("gone");
    this.picture.update(camera);
    this.recording.update(camera);
    this.sound.update(camera);
    this.#running.update(camera);
    this.#quality.update(camera);
    this.#showComplaints(complaints, camera.complaints);
    showAddresses(addresses, camera);
    this.showDetails(!this.#parts.panel.hidden);
    this.tick();
  }

  /** Called a few times a second. */
  tick() {
    this.picture.tick();
    this.#parts.pip.hidden = !hasWindows || this.picture.video.hidden;
    this.#parts.pip.setAttribute("aria-pressed", String(this.isInWindow));
  }

  /** Whether it is played in a small window of its own. */
  get isInWindow() {
    return document.pictureInPictureElement !== null && document.pictureInPictureElement === this.picture.video;
  }

  /** The camera is there no more: says so, and goes. */
  remove(then) {
    this.element.classList.add("gone");
    this.picture.remove();
    setTimeout(() => this.element.classList.contains("gone") && then(), GOODBYE_MS);
  }

  snapshot() {
    return takeSnapshot(this.#camera, this.picture);
  }

  smallWindow() {
    if (!this.#parts.pip.hidden) toggleWindow(this.picture);
  }

  full() {
    this.#page.fullScreen(this);
  }

  details() {
    this.#page.showDetails(this.#parts.panel.hidden);
  }

  /** Figures, and what is rarely needed. */
  showDetails(on) {
    const { panel, details, figures } = this.#parts;
    panel.hidden = !on;
    details.setAttribute("aria-expanded", String(on));
    if (on) showFigures(figures, this.#camera, this.picture.figures());
  }

  #near(scale) {
    const { zoomed } = this.#parts;
    zoomed.hidden = scale === 1;
    zoomed.textContent = `${number(scale, 1)}× ✕`;
    zoomed.title = zoomed.ariaLabel = t("live.zoom_reset", { scale: number(scale, 1) });
  }

  #showComplaints(list, complaints) {
    const wanted = JSON.stringify(complaints);
    if (wanted === this.#told) return;
    this.#told = wanted;
    list.hidden = !complaints.length;
    list.replaceChildren(
      ...complaints.map(({ kind, message, hint, since_utc_s: since }) => {
        const item = document.createElement("li");
        const what = document.createElement("strong");
        what.textContent = told(`complaint.${kind}`, message);
        item.append(what, hint ? ` ${told(`complaint.${kind}_hint`, hint)}` : "");
        if (since) item.title = t("live.since", { time: format.time(since) });
        return item;
      }),
    );
  }
}
