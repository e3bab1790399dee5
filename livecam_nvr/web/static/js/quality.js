// One camera's resolution and frame rate: what can be chosen, what was chosen, and what became of it.

import { setQuality } from "./api.js";

const RATES = [1, 2, 5, 10, 12, 15, 20, 24, 25, 30, 50, 60];

export class Quality {
  #id;
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
    this.#height.addEventListener("change", () => this.#ask({ height: Number(this.#height.value) }));
    this.#fps.addEventListener("change", () => this.#ask({ fps: Number(this.#fps.value) }));
  }

  /** A new status of the camera came. */
  update(camera) {
    const quality = camera.quality;
    this.#element.hidden = !quality.changeable;
    if (!quality.changeable) return;
    const busy = this.#asking || quality.changing;
    this.#height.ariaLabel = `Resolution of ${camera.name}`;
    this.#fps.ariaLabel = `Frame rate of ${camera.name}`;
    offer(this.#height, quality.heights, (height) => `${height}p`);
    const rates = new Set([...RATES.filter((fps) => fps <= quality.most_fps), quality.fps]);
    offer(this.#fps, [...rates].sort((a, b) => a - b), (fps) => `${Number(fps.toFixed(2))} fps`);
    if (!this.#asking) {
      this.#height.value = quality.height;
      this.#fps.value = quality.fps;
    }
    this.#height.disabled = this.#fps.disabled = busy;
    this.#element.setAttribute("aria-busy", String(busy));
    // A camera may choose a size of its own; the figures above tell it, this says that it is not what was asked for.
    const other = camera.height && !busy && camera.height !== quality.height;
    this.#note.textContent =
      busy ? "Changing…" : this.#failed || (other ? `The camera sends ${camera.width}×${camera.height} instead.` : "");
    this.#note.classList.toggle("bad", !busy && Boolean(this.#failed));
  }

  async #ask(wanted) {
    this.#asking = true;
    this.#failed = "";
    this.#height.disabled = this.#fps.disabled = true;
    this.#note.textContent = "Changing…";
    this.#note.classList.remove("bad");
    try {
      const quality = await setQuality(this.#id, wanted);
      this.#height.value = quality.height;
      this.#fps.value = quality.fps;
      this.#note.textContent = "";
    } catch (error) {
      this.#failed = this.#note.textContent = error.message;
      this.#note.classList.add("bad");
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
