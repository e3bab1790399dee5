// What is under the pointer: the time, what there is in words, and the picture of that moment.

import * as api from "./api.js";
import * as times from "./times.js";

const HEIGHT = 135;
const PAUSE_MS = 60; // while the pointer moves, no more often than this
const KEPT = 60;

export class Preview {
  #element;
  #host;
  #image;
  #when;
  #what;
  #wanted = "";
  #stop = null;
  #timer = 0;
  #askedAt = 0;
  #pictures = new Map();

  constructor(element, host) {
    this.#element = element;
    this.#host = host;
    this.#image = element.querySelector("img");
    [this.#when, this.#what] = element.querySelectorAll("p");
  }

  /** `at` is the moment whose picture is wanted, or null where there is none. */
  show(x, top, lane, time, found, at) {
    this.#when.textContent = `${lane.name} · ${times.dayAndTime(time)}`;
    this.#what.textContent = found.text;
    this.#what.dataset.kind = found.kind;
    this.#element.hidden = false;
    if (at === null) this.#nothing();
    else this.#picture(lane.id, at);
    this.#place(x, top);
  }

  hide() {
    this.#element.hidden = true;
    this.#nothing();
  }

  #place(x, top) {
    const wide = this.#element.offsetWidth;
    const left = Math.max(0, Math.min(this.#host.clientWidth - wide, x - wide / 2));
    this.#element.style.left = `${left}px`;
    this.#element.style.bottom = `${this.#host.clientHeight - top + 8}px`;
  }

  #nothing() {
    this.#wanted = "";
    this.#image.hidden = true;
    clearTimeout(this.#timer);
    this.#stop?.abort();
  }

  #picture(id, at) {
    const wanted = `${id} ${at}`;
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#stop?.abort();
    clearTimeout(this.#timer);
    if (this.#pictures.has(wanted)) return this.#set(this.#pictures.get(wanted));
    const pause = Math.max(0, PAUSE_MS - (performance.now() - this.#askedAt));
    this.#timer = setTimeout(() => this.#ask(id, at, wanted), pause);
  }

  async #ask(id, at, wanted) {
    this.#askedAt = performance.now();
    this.#stop = new AbortController();
    try {
      const url = URL.createObjectURL(await api.thumbnail(id, at, HEIGHT * 2, this.#stop.signal));
      this.#pictures.set(wanted, url);
      if (this.#pictures.size > KEPT) this.#drop();
      if (this.#wanted === wanted) this.#set(url);
    } catch (error) {
      if (error.name !== "AbortError" && this.#wanted === wanted) {
        this.#image.hidden = true;
        this.#what.textContent ||= error.message;
      }
    }
  }

  #drop() {
    const [oldest, url] = this.#pictures.entries().next().value;
    this.#pictures.delete(oldest);
    URL.revokeObjectURL(url);
  }

  #set(url) {
    this.#image.src = url;
    this.#image.hidden = false;
  }
}
