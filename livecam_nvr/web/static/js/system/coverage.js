// What was recorded of each camera in the last 24 hours: a line of the day, a figure, and why the rest was not.

import { number, t, told } from "../texts.js";
import { ours } from "../address.js";
import { make } from "../dom.js";
import { duration } from "../format.js";
import * as api from "./api.js";

const EVERY_MS = 60_000;
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1440;
const MOST_CAUSES = 3;

export class Coverage {
  #place;
  #rows = new Map();
  #timer = 0;
  #closed = false;

  constructor(place) {
    this.#place = place;
  }

  /** The cameras that there are now. */
  update(cameras) {
    const before = [...this.#rows.keys()].join();
    for (const camera of cameras) {
      const row = this.#rows.get(camera.id) ?? new Row(camera.id);
      this.#rows.delete(camera.id); // so that they are in the order of the cameras
      this.#rows.set(camera.id, row);
      row.name(camera);
    }
    for (const id of this.#rows.keys()) if (!cameras.some((camera) => camera.id === id)) this.#rows.delete(id);
    if (before === [...this.#rows.keys()].join() && this.#timer) return;
    const rows = [...this.#rows.values()].map((row) => row.element);
    this.#place.replaceChildren(...(rows.length ? rows : [make("p", { className: "soft" }, t("system.no_camera"))]));
    this.#ask();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #ask() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), EVERY_MS);
    if (document.hidden) return;
    // One after the other: each is a question to the index.
    for (const [id, row] of this.#rows) {
      if (this.#closed) return;
      try {
        row.show(await api.coverage(id));
      } catch (error) {
        row.fail(error.message);
      }
    }
  }
}

class Row {
  element = make("div", { className: "coverage" });
  #name = make("a");
  #state = make("span", { className: "state" });
  #share = make("strong");
  #line = document.createElementNS(SVG, "svg");
  #causes = make("p", { className: "soft" });

  constructor(id) {
    this.#name.href = ours("past");
    this.#line.setAttribute("viewBox", `0 0 ${WIDTH} 10`);
    this.#line.setAttribute("preserveAspectRatio", "none");
    this.#line.setAttribute("aria-hidden", "true");
    this.element.dataset.camera = id;
    this.element.append(make("div", { className: "head-line" }, this.#name, this.#state, this.#share), this.#line, this.#causes);
  }

  name({ name, state }) {
    this.#name.textContent = name;
    this.#state.textContent = t(`state.${state}`);
    this.#state.dataset.state = state;
  }

  show({ begin_utc_s: begin, duration_s: length, recorded_s: recorded, share_of_wanted: share, gaps }) {
    const percent = share * 100;
    const wanted = recorded > 0 || gaps.some((gap) => !gap.meant);
    // What is not all is never rounded up to all.
    const shown = percent > 99.9 && percent < 100 ? 99.9 : percent;
    this.#share.textContent = wanted ? t("system.covered", { percent: number(shown, shown < 100 ? 1 : 0) }) : "–";
    this.#share.title = t("system.covered_of", { recorded: duration(recorded) });
    this.#share.className = share < 0.99 ? "bad" : "";
    const pieces = [rect(0, WIDTH, "footage")];
    for (const gap of gaps) {
      const left = ((gap.begin_utc_s - begin) / length) * WIDTH;
      const wide = Math.max(gap.meant ? 0 : 2, (gap.duration_s / length) * WIDTH);
      pieces.push(rect(left, wide, gap.meant ? "meant" : "missed"));
    }
    this.#line.replaceChildren(...pieces);
    this.#causes.textContent = causes(gaps);
  }

  fail(words) {
    this.#share.textContent = "–";
    this.#causes.textContent = words;
  }
}

function rect(x, width, kind) {
  const piece = document.createElementNS(SVG, "rect");
  for (const [key, value] of Object.entries({ x, width, y: 0, height: 10, class: kind })) piece.setAttribute(key, value);
  return piece;
}

// `the camera was away 4 min · recording was switched off 2 h`
function causes(gaps) {
  const sums = new Map();
  for (const { cause, duration_s: length, text } of gaps) {
    const known = sums.get(cause) ?? { length: 0, text };
    sums.set(cause, { length: known.length + length, text: known.text });
  }
  const worst = [...sums].sort(([, a], [, b]) => b.length - a.length).slice(0, MOST_CAUSES);
  return worst.map(([cause, { length, text }]) => `${told(`cause.${cause}`, text)}: ${duration(length)}`).join(" · ");
}
