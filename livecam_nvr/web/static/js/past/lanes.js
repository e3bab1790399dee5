// All lanes below one axis, the cursor over them and the playhead.

import { Axis } from "./axis.js";
import { now } from "../clock.js";
import { pageColours } from "./drawing.js";
import { Lane } from "./lane.js";
import { t } from "../texts.js";
import * as times from "./times.js";

export class Lanes {
  #host;
  #rows = document.getElementById("rows");
  #cursor = document.getElementById("cursor");
  #playhead = document.getElementById("playhead");
  #spoken = document.getElementById("spoken");
  #axis;
  #scale;
  #record;
  #lanes = [];
  #colours = pageColours();
  #asked = false;
  #played = null;
  #painted = () => {};

  /** `onPainted()` is called after each drawing. */
  constructor(host, scale, record, onPainted) {
    this.#host = host;
    this.#scale = scale;
    this.#record = record;
    this.#painted = onPainted;
    this.#axis = new Axis(document.getElementById("axis"), scale);
    new ResizeObserver(() => this.fit()).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#colours = pageColours();
      this.draw();
    });
    setInterval(() => this.draw(), 1000);
  }

  get lanes() {
    return this.#lanes;
  }

  fit() {
    this.#scale.resize(this.#host.clientWidth);
  }

  update(cameras) {
    if (this.#lanes.map((lane) => lane.id).join() !== cameras.map((camera) => camera.id).join()) {
      this.#lanes = cameras.map((camera) => new Lane(camera, this.#scale));
      this.#rows.replaceChildren(...this.#lanes.map((lane) => lane.element));
      this.draw();
    }
    cameras.forEach((camera, at) => (this.#lanes[at].name = camera.name));
  }

  /** Soon, and once however often it is asked for. */
  draw() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      Object.assign(this.#host.dataset, { begin: this.#scale.begin.toFixed(3), end: this.#scale.end.toFixed(3) });
      this.#axis.draw(this.#colours);
      for (const lane of this.#lanes) lane.draw(this.#record.of(lane.id), this.#colours, now());
      this.#place(this.#playhead, this.#played);
      this.#painted();
    });
  }

  play(time) {
    this.#played = time;
    this.#place(this.#playhead, time);
  }

  #place(line, time) {
    const x = time === null ? -1 : this.#scale.x(time);
    line.hidden = x < 0 || x > this.#scale.width;
    if (!line.hidden) line.style.transform = `translateX(${x.toFixed(1)}px)`;
  }

  /** The lane at a height on the screen; the nearest one if it is beside all of them. */
  laneAt(clientY) {
    const far = (lane) => {
      const { top, bottom } = lane.element.getBoundingClientRect();
      return Math.max(top - clientY, clientY - bottom, 0);
    };
    return this.#lanes.reduce((best, lane) => (best && far(best) <= far(lane) ? best : lane), null);
  }

  /** Points at a moment of a lane; what is there, in words. */
  point(lane, time, aloud = false) {
    this.#place(this.#cursor, time);
    for (const one of this.#lanes) one.element.classList.toggle("pointed", one === lane);
    const found = lane.words(this.#record.of(lane.id), time);
    if (aloud) {
      const what = found.text || (found.kind === "footage" ? t("past.is_footage") : "");
      this.#spoken.textContent = [lane.name, times.dayAndTime(time), what].filter(Boolean).join(", ");
    }
    return found;
  }

  unpoint() {
    this.#cursor.hidden = true;
    for (const one of this.#lanes) one.element.classList.remove("pointed");
  }
}
