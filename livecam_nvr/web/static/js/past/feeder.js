// Feeds one video element with footage by Media Source Extensions; its media time is the time since `base`.

import { ask } from "./api.js";
import { now } from "../clock.js";
import { Footage } from "./footage.js";
import { t } from "../texts.js";

const AHEAD_S = 14;
const MOST_AHEAD_S = 120;
const BEHIND_S = 30;
const IDLE_MS = 150;
const TROUBLE_MS = 2000;
const EDGE_S = 0.15; // a buffer ends a little before what it holds is over
const NEWEST_S = 60;
const ENDLESS_S = 1e9;
const Source = window.ManagedMediaSource ?? window.MediaSource;

/** `look(time)` tells what there is; `trouble` why nothing comes, in words. */
export class Feeder {
  trouble = "";
  base;
  #video;
  #footage;
  #time = 0;
  #rate = 1;
  #buffer = null;
  #init = "";
  #inits = new Map();
  #tried = new Set();
  #coming = "";
  #begun = false;
  #stop = new AbortController();
  #turn = Promise.resolve();
  #wake = () => {};

  constructor(video, cameraId, base) {
    this.#video = video;
    this.base = base;
    this.#footage = new Footage(cameraId);
  }

  /** From now on, footage around this moment is wanted. */
  seek(time) {
    this.#time = time;
    this.#tried.clear();
    this.trouble = "";
    if (this.#footage.knows(time) && this.#begun) return this.#wake();
    this.#begun = true;
    this.#stop.abort();
    const stop = (this.#stop = new AbortController());
    this.#footage.begin(time);
    this.#turn = this.#turn.then(() => this.#run(stop.signal));
  }

  /** What is being played, and how fast. */
  follow(time, rate) {
    this.#time = time;
    this.#rate = rate;
  }

  /** Ends it. */
  close() {
    this.#stop.abort();
    this.#wake();
  }

  /** `ready`, `loading`, `newest` at the end of what was recorded so far, or `gap` with `next`, when footage goes on
   * (null: not known), and `why`. */
  look(time) {
    if (this.#bufferedAt(time)) return { kind: "ready" };
    const chunk = this.#footage.at(time + EDGE_S);
    if (chunk && (chunk.url === this.#coming || !this.#tried.has(chunk.url))) return { kind: "loading" };
    if (this.trouble) return { kind: "loading" };
    if (!this.#footage.knows(time + EDGE_S) && !chunk) return { kind: this.#atEnd(time) ? "newest" : "loading" };
    return { kind: "gap", next: this.#footage.after(time + EDGE_S), why: this.#footage.why(time + EDGE_S) };
  }

  /** Until when what is buffered around a moment goes; null if nothing is. */
  until(time) {
    const at = time - this.base;
    const { buffered } = this.#video;
    for (let n = 0; n < buffered.length; n += 1) {
      if (at >= buffered.start(n) - 0.1 && at <= buffered.end(n)) return buffered.end(n) + this.base;
    }
    return null;
  }

  #atEnd(time) {
    return this.#footage.knows(time - 0.5) && now() - time < NEWEST_S;
  }

  #bufferedAt(time) {
    const at = time - this.base;
    const { buffered } = this.#video;
    for (let n = 0; n < buffered.length; n += 1) {
      if (at >= buffered.start(n) - 0.1 && at < buffered.end(n) - 0.04) return true;
    }
    return false;
  }

  async #run(signal) {
    if (signal.aborted) return;
    try {
      await this.#clear();
    } catch {
      this.#buffer = null; // the element failed: it gets a new source
    }
    while (!signal.aborted) {
      let busy = false;
      let pause = IDLE_MS;
      try {
        busy = await this.#step(signal);
        this.trouble = "";
      } catch (error) {
        if (signal.aborted) return;
        this.trouble = error.message;
        pause = TROUBLE_MS;
      }
      if (!busy) await new Promise((done) => {
        this.#wake = done;
        setTimeout(done, pause);
        signal.addEventListener("abort", done, { once: true });
      });
    }
  }

  async #step(signal) {
    const ahead = Math.min(MOST_AHEAD_S, AHEAD_S * Math.max(1, this.#rate));
    // In a gap, it looks on until it finds where footage goes on.
    const until = this.#footage.from(this.#time + EDGE_S).length ? this.#time + ahead : Infinity;
    if (await this.#footage.extend(until, signal)) return true;
    const next = this.#footage
      .from(this.#time)
      .find((chunk) => !this.#tried.has(chunk.url) && !this.#bufferedAt((chunk.begin + chunk.end) / 2));
    // Beyond a gap, what follows is fetched too: it is where the player jumps to.
    if (!next || (next.begin > this.#time + ahead && this.#footage.at(this.#time))) return this.#forget(BEHIND_S);
    await this.#append(next, signal);
    return true;
  }

  async #append(chunk, signal) {
    this.#tried.add(chunk.url);
    this.#coming = chunk.url;
    try {
      if (chunk.init !== this.#init || !this.#buffer) await this.#begin(chunk, signal);
      const data = await (await ask(chunk.url, { signal })).arrayBuffer();
      signal.throwIfAborted();
      await this.#put(data);
    } catch (error) {
      // A gap where it has gone meanwhile; whatever else it was may pass.
      if (error.status !== 404) this.#tried.delete(chunk.url);
      throw error;
    } finally {
      this.#coming = "";
    }
  }

  async #begin(chunk, signal) {
    if (!this.#inits.has(chunk.init)) {
      const response = await ask(chunk.init, { signal });
      const mime = response.headers.get("Content-Type");
      this.#inits.set(chunk.init, { mime, data: await response.arrayBuffer() });
    }
    signal.throwIfAborted();
    const { mime, data } = this.#inits.get(chunk.init);
    if (!Source?.isTypeSupported(mime)) {
      throw new Error(t("past.cannot_play", { type: mime }));
    }
    if (!this.#buffer || this.#video.error) await this.#open(mime);
    else this.#buffer.changeType(mime);
    this.#buffer.timestampOffset = chunk.pieceBegin - this.base;
    await this.#put(data);
    this.#init = chunk.init;
  }

  async #open(mime) {
    const source = new Source();
    const opened = new Promise((done) => source.addEventListener("sourceopen", done, { once: true }));
    this.#video.disableRemotePlayback = true;
    this.#video.src = URL.createObjectURL(source);
    await opened;
    URL.revokeObjectURL(this.#video.src);
    source.duration = ENDLESS_S;
    this.#buffer = source.addSourceBuffer(mime);
  }

  async #put(data) {
    for (let room = BEHIND_S; ; room /= 2) {
      try {
        await this.#done(() => this.#buffer.appendBuffer(data));
        return;
      } catch (error) {
        if (error.name !== "QuotaExceededError" || room < 1 || !(await this.#forget(room))) throw error;
      }
    }
  }

  /** Lets go what lies further behind; whether there was something. */
  async #forget(behind) {
    const { buffered } = this.#video;
    const until = this.#time - this.base - behind;
    if (!this.#buffer || !buffered.length || buffered.start(0) > until - behind / 2) return false;
    await this.#done(() => this.#buffer.remove(0, until));
    return true;
  }

  async #clear() {
    this.#init = "";
    if (this.#inits.size > 50) this.#inits.clear();
    if (this.#video.error) this.#buffer = null;
    if (!this.#buffer) return;
    this.#buffer.abort();
    await this.#done(() => this.#buffer.remove(0, Infinity));
  }

  #done(change) {
    const buffer = this.#buffer;
    return new Promise((done, failed) => {
      const ended = (event) => {
        buffer.removeEventListener("updateend", ended);
        buffer.removeEventListener("error", ended);
        if (event.type === "error") failed(new Error(t("past.cannot_decode")));
        else done();
      };
      buffer.addEventListener("updateend", ended);
      buffer.addEventListener("error", ended);
      try {
        change();
      } catch (error) {
        failed(error);
        ended({ type: "" });
      }
    });
  }
}
