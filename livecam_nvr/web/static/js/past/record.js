// What is known of the visible time of each camera: footage, gaps, events, kept clips. Loaded when looked at.

import * as api from "./api.js";
import { now } from "../clock.js";

const SETTLE_MS = 120;
const MARGIN = 0.5; // so much of the view is loaded on each side
const MOST_S = 31 * 86_400 - 1;
const FRESH_S = 10;

/** Calls `onChange()` when something new is known, `onTrouble(words)` when it cannot be; "" when it can again. */
export class TimeRecord {
  #cameras = [];
  #known = new Map();
  #scale;
  #onChange;
  #onTrouble;
  #timer = 0;
  #stop = null;

  constructor(scale, onChange, onTrouble) {
    this.#scale = scale;
    this.#onChange = onChange;
    this.#onTrouble = onTrouble;
    setInterval(() => this.#grow(), FRESH_S * 1000);
  }

  set cameras(ids) {
    this.#cameras = ids;
    this.look();
  }

  /** The timeline of a camera, as far as it is known. */
  of(id) {
    return this.#known.get(id) ?? null;
  }

  /** The view has changed. */
  look() {
    const { begin, end } = this.#scale;
    const last = Math.min(end, now());
    const missing = this.#cameras.some((id) => {
      const known = this.#known.get(id);
      return !known || known.from > begin || known.asked < last - FRESH_S;
    });
    if (missing) this.#soon(SETTLE_MS);
  }

  /** Something was changed: asks again. */
  refresh() {
    this.#soon(0);
  }

  /** What a camera's record says of a moment: footage, a gap, or null if that is not known. */
  at(id, time) {
    const known = this.#known.get(id);
    if (!known || time < known.from || time > known.to) return null;
    return {
      gap: known.gaps.find((gap) => time >= gap.begin_utc_s && time < gap.end_utc_s) ?? null,
      footage: known.spans.some((span) => time >= span.begin_utc_s && time <= span.end_utc_s),
    };
  }

  #grow() {
    if (!document.hidden && this.#scale.end > now() - FRESH_S) this.#soon(0);
  }

  #soon(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(), pause);
  }

  async #load() {
    this.#stop?.abort();
    const stop = (this.#stop = new AbortController());
    const { begin, end, span } = this.#scale;
    const margin = Math.max(0, Math.min(span * MARGIN, (MOST_S - span) / 2));
    const [from, asked] = [Math.max(0, begin - margin), end + margin];
    if (from >= now() - 1) return;
    try {
      await Promise.all(
        this.#cameras.map(async (id) => {
          const found = await api.timeline(id, from, asked, stop.signal);
          this.#known.set(id, { ...found, from, asked: Math.min(asked, now()), to: found.end_utc_s });
          this.#onChange();
        }),
      );
      this.#onTrouble("");
    } catch (error) {
      if (error.name === "AbortError" || stop.signal.aborted) return;
      this.#onTrouble(error.message);
      this.#soon(5000);
    }
  }
}
