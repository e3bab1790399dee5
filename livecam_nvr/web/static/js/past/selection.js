// The selected time: its marks on the lanes, its two handles and its fields.

import { duration } from "../format.js";
import * as times from "./times.js";

const LEAST_S = 1;
const EDGES = ["begin", "end"];

/** `range` is `{begin, end}` or null; `onChange()` is called when it changes. */
export class Selection {
  range = null;
  #scale;
  #onChange;
  #overlay;
  #form;
  #marked;
  #handles = {};
  #held = null;

  constructor(overlay, form, scale, onChange) {
    this.#scale = scale;
    this.#onChange = onChange;
    this.#overlay = overlay;
    this.#form = form;
    this.#marked = overlay.querySelector(".selected");
    for (const edge of EDGES) {
      const handle = (this.#handles[edge] = overlay.querySelector(`[data-edge="${edge}"]`));
      handle.addEventListener("pointerdown", (event) => {
        handle.setPointerCapture(event.pointerId);
        this.#held = edge;
      });
      handle.addEventListener("pointermove", (event) => {
        if (this.#held === edge) this.move(edge, scale.time(event.clientX - overlay.getBoundingClientRect().left));
      });
      for (const over of ["pointerup", "pointercancel"]) handle.addEventListener(over, () => (this.#held = null));
      handle.addEventListener("keydown", (event) => this.#key(event, edge));
      form.elements[edge].addEventListener("change", () => {
        const time = times.fromField(form.elements[edge].value);
        if (!Number.isNaN(time)) this.move(edge, time);
      });
    }
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  set(begin, end) {
    this.range = { begin, end: Math.max(end, begin + LEAST_S) };
    this.#show();
  }

  clear() {
    this.range = null;
    this.#show();
  }

  /** Sets one end; the other gives way if it has to. */
  move(edge, time) {
    const { begin, end } = this.range ?? { begin: time, end: time };
    if (edge === "begin") this.set(time, Math.max(end, time + LEAST_S));
    else this.set(Math.min(begin, time - LEAST_S), time);
  }

  /** The view has changed. */
  place() {
    const { range } = this;
    const [from, to] = range ? [this.#scale.x(range.begin), this.#scale.x(range.end)] : [0, 0];
    this.#marked.hidden = !range;
    this.#marked.style.left = `${Math.max(0, from)}px`;
    this.#marked.style.width = `${Math.max(0, Math.min(this.#scale.width, to) - Math.max(0, from))}px`;
    for (const [edge, x] of [["begin", from], ["end", to]]) {
      const handle = this.#handles[edge];
      handle.hidden = !range || x < 0 || x > this.#scale.width;
      handle.style.transform = `translateX(${x}px)`;
    }
  }

  #key(event, edge) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || !this.range) return;
    event.preventDefault();
    event.stopPropagation();
    this.move(edge, this.range[edge] + by * (event.shiftKey ? 10 : 1) * Math.max(1, Math.round(this.#scale.grain * 4)));
  }

  #show() {
    const { range } = this;
    this.#form.hidden = !range;
    if (range) {
      for (const edge of EDGES) {
        this.#form.elements[edge].value = times.toField(range[edge]);
        const handle = this.#handles[edge];
        handle.setAttribute("aria-valuetext", times.dayAndTime(range[edge]));
        handle.setAttribute("aria-valuenow", String(Math.round(range[edge])));
      }
      this.#form.querySelector(".length").textContent = duration(range.end - range.begin);
    }
    this.place();
    this.#onChange();
  }
}
