// One camera in the player: its picture, and in words why there is none.

import { Feeder } from "./feeder.js";
import { t } from "../texts.js";
import { time as inWords } from "./times.js";

const SEEK_S = 0.3; // further off than this, it jumps; less is made up for by a slightly different speed
const CLOSE_S = 0.02; // less than a frame: nobody sees it
const STILL_S = 0.02;
const LAST_S = 0.25;
const USUAL_FRAME_S = 1 / 25;
const FASTEST = 16; // browsers refuse more

export class Seat {
  element;
  id;
  video;
  #feeder;
  #veil;
  #headline;
  #reason;
  #frames = [];
  #shownAt = null;
  #watching = false;

  constructor(camera, base) {
    this.id = camera.id;
    this.element = document.getElementById("seat").content.firstElementChild.cloneNode(true);
    this.element.dataset.camera = camera.id;
    this.video = this.element.querySelector("video");
    this.video.ariaLabel = t("past.picture_of", { name: camera.name });
    this.element.querySelector("figcaption").textContent = camera.name;
    this.#veil = this.element.querySelector(".veil");
    [this.#headline, this.#reason] = this.#veil.children;
    this.#feeder = new Feeder(this.video, camera.id, base);
    this.#watch();
  }

  seek(time) {
    this.#feeder.seek(time);
    this.#shownAt = null;
    if (this.#feeder.look(time).kind === "ready") this.video.currentTime = time - this.#feeder.base;
  }

  follow(time, rate) {
    this.#feeder.follow(time, rate);
  }

  /** What there is to show at a moment; see Feeder. While it jumps there, it loads. */
  look(time) {
    const found = this.#feeder.look(time);
    if (found.kind === "ready" && this.video.seeking) return { kind: "loading" };
    return found;
  }

  /** The moment that is shown. */
  get time() {
    return this.#feeder.base + this.video.currentTime;
  }

  /** The moment that playing has reached: a video that waits for data shows its last frame for good. */
  get reached() {
    const { time } = this;
    if (this.video.readyState > HTMLMediaElement.HAVE_CURRENT_DATA) return time;
    const until = this.#feeder.until(time);
    // The faster it plays, the further before the end the browser stops: what it needs at once is so much more.
    const near = Math.max(LAST_S, 2 * this.frame) * Math.max(1, this.video.playbackRate / 4);
    return until !== null && until - time < near ? until : time;
  }

  /** The middle of the time of the frame that is shown: its very begin would be decided by rounding. */
  get frameTime() {
    // Until the browser tells which one it is, that is where the last step went.
    const into = this.#shownAt === null ? -1 : this.video.currentTime - this.#shownAt;
    return into < 0 || into > this.frame ? this.time : this.time - into + this.frame / 2;
  }

  /** How long a frame lasts, as far as frames were shown, seconds. */
  get frame() {
    return Math.min(...this.#frames, this.#frames.length ? 1 : USUAL_FRAME_S);
  }

  lead(rate) {
    const allowed = Math.min(FASTEST, rate);
    if (this.video.playbackRate !== allowed) this.video.playbackRate = allowed;
    if (this.video.paused) this.video.play().catch(() => {}); // overtaken by a pause: the next round sees to it
  }

  /** Plays along with whoever leads, who is at `time`. */
  accompany(time, rate) {
    const off = time - this.time;
    if (Math.abs(off) > SEEK_S * Math.max(1, rate)) this.video.currentTime = time - this.#feeder.base;
    const faster = Math.abs(off) < CLOSE_S ? 0 : Math.max(-0.15, Math.min(0.15, off / rate));
    this.lead(rate * (1 + faster));
  }

  /** Stops at a moment: what a video shows when it is only paused may be the frame before or after. */
  settle(time) {
    this.video.pause();
    if (this.#feeder.look(time).kind !== "ready") return;
    this.#shownAt = null;
    this.video.currentTime = time - this.#feeder.base;
  }

  hold(time) {
    if (!this.video.paused) this.video.pause();
    if (time !== undefined && !this.video.seeking && Math.abs(time - this.time) > STILL_S) {
      this.video.currentTime = time - this.#feeder.base;
    }
  }

  /** Says what is to be seen. */
  tell(found, time, patient) {
    const bare = found.kind === "ready" || found.kind === "newest" || (found.kind === "loading" && patient);
    this.#veil.hidden = bare;
    this.element.classList.toggle("empty", found.kind === "gap");
    if (bare) return;
    const trouble = this.#feeder.trouble;
    this.#headline.textContent =
      found.kind === "loading" ? (trouble ? t("past.nothing_to_show") : t("past.loading")) : t("past.nothing_at", { time: inWords(time) });
    this.#reason.textContent = found.kind === "loading" ? trouble : found.why;
  }

  get troubled() {
    return Boolean(this.#feeder.trouble);
  }

  close() {
    this.#feeder.close();
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
    this.#watching = false;
    this.element.remove();
  }

  #watch() {
    if (!this.video.requestVideoFrameCallback) return;
    this.#watching = true;
    let before = null;
    const shown = (_, frame) => {
      if (!this.#watching) return;
      const since = before === null ? 0 : frame.mediaTime - before;
      // Some frames are never shown: the shortest time between two is how long one lasts.
      if (since > 0.004 && since < 1 && this.video.playbackRate < 2) {
        this.#frames.push(since);
        if (this.#frames.length > 12) this.#frames.shift();
      }
      before = this.#shownAt = frame.mediaTime;
      if (this.video.videoWidth) {
        this.video.parentElement.style.aspectRatio = `${this.video.videoWidth} / ${this.video.videoHeight}`;
      }
      this.video.requestVideoFrameCallback(shown);
    };
    this.video.requestVideoFrameCallback(shown);
  }
}
