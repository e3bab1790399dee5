// One camera's resolution and frame rate: what can be chosen, what was chosen, and what became of it.

import { setQuality } from "../api.js";
import { t } from "../texts.js";
import { toast } from "./toast.js";

const RATES = [1, 2, 5, 10, 12, 15, 20, 24, 25, 30, 50, 60];
const rate = (fps) => `${Number(fps.toFixed(2))} fps`;

export class Quality {
  #id;
  #name = "";
  #now;
  #element;
  #height;
  #fps;
  #note;
  #asking = false;
  #failed = "";

  constructor(element, cameraId) {
    this.#id = cameraId;
    this.#element = element;
    this.#height = element.querySelector(".height");
    this.#fps = element.querySelector(".fps");
    this.#note = element.querySelector(".note");
    this.#height.addEventListener("change", () => this.#choose({ height: Number(this.#height.value) }));
    this.#fps.addEventListener("change", () => this.#choose({ fps: Number(this.#fps.value) }));
  }

  /** A new status of the camera came. */
  update(camera) {
    const quality = (this.#now = camera.quality);
    this.#name = camera.name;
    this.#element.hidden = !quality.changeable || camera.enabled === false;
    if (!quality.changeable) return;
    const busy = this.#asking || quality.changing;
    this.#height.ariaLabel = t("live.resolution_of", { name: camera.name });
    this.#fps.ariaLabel = t("live.fps_of", { name: camera.name });
    offer(this.#height, quality.heights, (height) => `${height}p`);
    const rates = new Set([...RATES.filter((fps) => fps <= quality.most_fps), quality.fps]);
    offer(this.#fps, [...rates].sort((a, b) => a - b), rate);
    if (!this.#asking) {
      this.#height.value = quality.height;
      this.#fps.value = quality.fps;
    }
    this.#height.disabled = this.#fps.disabled = busy;
    this.#element.setAttribute("aria-busy", String(busy));
    // A camera may choose a size of its own; the figures above tell it, this says that it is not what was asked for.
    const other = camera.height && !busy && camera.height !== quality.height;
    const size = `${camera.width}×${camera.height}`;
    this.#note.textContent = busy ? t("live.changing") : this.#failed || (other ? t("live.other_size", { size }) : "");
    this.#note.classList.toggle("bad", !busy && Boolean(this.#failed));
  }

  async #choose(wanted) {
    const { height, fps } = this.#now;
    const now = await this.#ask(wanted);
    if (!now) return;
    const quality = `${now.height}p, ${rate(now.fps)}`;
    toast(t("live.quality_now", { name: this.#name, quality }), { undo: () => this.#ask({ height, fps }) });
  }

  // What runs then; null if it failed.
  async #ask(wanted) {
    this.#asking = true;
    this.#failed = "";
    this.#height.disabled = this.#fps.disabled = true;
    this.#note.textContent = t("live.changing");
    this.#note.classList.remove("bad");
    try {
      const quality = await setQuality(this.#id, wanted);
      this.#height.value = quality.height;
      this.#fps.value = quality.fps;
      this.#note.textContent = "";
      return quality;
    } catch (error) {
      this.#failed = this.#note.textContent = error.message;
      this.#note.classList.add("bad");
      return null;
    } finally {
      this.#asking = false;
      this.#height.disabled = this.#fps.disabled = false; // the next status may say that one is still under way
    }
  }
}

// Rebuilt only if it differs: a list that is open would close.
function offer(select, values, name) {
  const wanted = values.join();
  if (select.dataset.values === wanted) return;
  select.dataset.values = wanted;
  select.replaceChildren(...values.map((value) => new Option(name(value), value)));
}
