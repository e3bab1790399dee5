// Which footage of one camera there is around the moment that is played: found window by window.

import * as api from "./api.js";
import { now } from "../clock.js";
import { parse } from "./playlist.js";
import { gapWords } from "./words.js";

const WINDOW_S = 600;
const FAR_S = 30 * 86_400; // the service tells no more of the timeline at once
const AGAIN_MS = 2000; // footage that is being written is asked for again after so long
const SLACK_S = 0.05; // two files may lie so far from each other without a gap that anybody would see

export class Footage {
  #id;
  #from = 0;
  #to = 0;
  #growing = null;
  #askAt = 0;
  #quiet = false; // when it was asked last, nothing was being recorded
  #chunks = [];
  #gaps = [];

  constructor(id) {
    this.#id = id;
  }

  /** Forgets all, and begins at a moment. */
  begin(time) {
    this.#from = this.#to = time;
    this.#growing = null;
    this.#askAt = 0;
    this.#quiet = false;
    this.#chunks = [];
    this.#gaps = [];
  }

  /** Whether a moment lies in what is known, or where that goes on. */
  knows(time) {
    return time >= this.#from && time <= (this.#quiet ? Infinity : this.#to);
  }

  /** The media segments from a moment on, oldest first. */
  from(time) {
    return this.#chunks.filter((chunk) => chunk.end > time);
  }

  /** The media segment of a moment. */
  at(time) {
    return this.#chunks.find((chunk) => time >= chunk.begin - SLACK_S && time < chunk.end);
  }

  /** When footage goes on after a moment; null if that is not known (yet). */
  after(time) {
    return this.#chunks.find((chunk) => chunk.begin > time)?.begin ?? null;
  }

  /** Why there is none, in words. */
  why(time) {
    const found = this.#gaps.find((gap) => time >= gap.begin_utc_s && time < gap.end_utc_s);
    return found ? gapWords(found) : "";
  }

  /** Finds the next window, if what is known ends before `until`; whether there was something to do. */
  async extend(until, signal) {
    if (this.#to >= until || performance.now() < this.#askAt || this.#to >= now() - 1) return false;
    const begin = this.#growing ?? this.#to;
    const end = begin + WINDOW_S;
    const { spans, gaps } = await api.timeline(this.#id, begin, end, signal);
    signal.throwIfAborted();
    this.#gaps = this.#gaps.filter((gap) => gap.end_utc_s <= begin).concat(gaps);
    this.#hush(end, spans.at(-1), gaps.at(-1));
    if (!spans.some((span) => span.end_utc_s > begin + SLACK_S)) await this.#skip(begin, end, signal);
    else await this.#list(begin, end, signal);
    return true;
  }

  // A gap that lasts is an answer, too: whoever waited for its end would hold up the other cameras for nothing.
  #hush(end, span, gap) {
    this.#quiet = end >= now() - 1 && gap !== undefined && gap.end_utc_s > (span?.end_utc_s ?? -Infinity);
    if (this.#quiet) gap.end_utc_s = Infinity; // until it is asked again
  }

  async #skip(begin, end, signal) {
    const last = now() - 1;
    if (end >= last) {
      this.#to = Math.max(this.#to, last);
      this.#growing = begin;
      this.#askAt = performance.now() + AGAIN_MS;
      return;
    }
    const far = Math.min(last, end + FAR_S);
    const to = (await api.nextFile(this.#id, end, far, signal)) ?? far;
    const more = to > end + SLACK_S ? (await api.timeline(this.#id, end, to, signal)).gaps : [];
    signal.throwIfAborted();
    this.#gaps.push(...more);
    this.#growing = null;
    this.#to = to;
  }

  async #list(begin, end, signal) {
    const url = api.playlistUrl(this.#id, begin, end);
    let text;
    try {
      text = await (await api.ask(url, { signal })).text();
    } catch (error) {
      // The first pictures of a file are not complete yet, or it was deleted meanwhile.
      if (error.status !== 404) throw error;
      if (end < now() - WINDOW_S) this.#to = end;
      this.#askAt = performance.now() + AGAIN_MS;
      return;
    }
    const { chunks, over } = parse(text, url);
    const last = this.#chunks.at(-1)?.end ?? -Infinity;
    this.#chunks.push(...chunks.filter((chunk) => chunk.end > last + SLACK_S));
    const reached = this.#chunks.at(-1)?.end ?? begin;
    // A millisecond more than where the last one ends, so that the next window begins with the picture after it.
    this.#to = over ? Math.max(end, reached + 0.001) : Math.max(this.#to, reached);
    this.#growing = over ? null : begin;
    if (!over) this.#askAt = performance.now() + AGAIN_MS;
  }
}
