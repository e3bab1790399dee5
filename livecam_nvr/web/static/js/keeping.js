// One camera's *keep that* button, and what its recording depends on.

import { keepThat } from "./api.js";
import * as format from "./format.js";

const TOLD_MS = 15_000;
const MODES = { always: "always recorded", schedule: "by schedule", events: "on events" };
const IDLE = { schedule: "not now", no_event: "nothing happens now" };

export class Keeping {
  #id;
  #button;
  #mode;
  #told;
  #timer = 0;

  constructor(element, cameraId) {
    this.#id = cameraId;
    this.#button = element.querySelector(".keep");
    this.#mode = element.querySelector(".mode");
    this.#told = element.querySelector(".keep-told");
    this.#button.addEventListener("click", () => this.#keep());
  }

  /** A new status of the camera came. */
  update(camera) {
    const { mode, idle, keeping_until_utc_s: until } = camera.recording;
    this.#button.ariaLabel = `Keep that, ${camera.name}`;
    const words = [MODES[mode], mode in MODES && IDLE[idle], until && `being kept until ${format.time(until)}`];
    const text = words.filter(Boolean).join(" · ");
    if (this.#mode.textContent !== text) this.#mode.textContent = text;
  }

  async #keep() {
    if (this.#button.getAttribute("aria-busy") === "true") return;
    this.#button.setAttribute("aria-busy", "true");
    try {
      const { begin_utc_s: begin, end_utc_s: end } = await keepThat(this.#id);
      this.#tell(`Kept: ${format.time(begin)} – ${format.time(end)}`, false);
    } catch (error) {
      this.#tell(error.message, true);
    } finally {
      this.#button.removeAttribute("aria-busy");
    }
  }

  #tell(text, bad) {
    this.#told.textContent = text;
    this.#told.classList.toggle("bad", bad);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.#told.textContent = ""), TOLD_MS);
  }
}
