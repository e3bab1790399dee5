// Plays one camera or several in step: one leads, the others go along; where no one has footage it jumps ahead.

import { now } from "../clock.js";
import { Seat } from "./seat.js";

const PATIENCE_MS = 6000; // a camera that loads for longer does not hold up the others
const QUIET_MS = 400; // what loads more quickly is not spoken of
const NEXT_LOOK_MS = 40;

/** Calls `onMove(time)` whenever it moved, `onPlay(playing)` when it starts or stops. */
export class Player {
  rate = 1;
  playing = false;
  time = null;
  #host;
  #base;
  #seats = [];
  #leader = null;
  #loadingSince = null;
  #sound = false;
  #onMove;
  #onPlay;

  /** `base` is a moment before all that there is. */
  constructor(host, base, onMove, onPlay) {
    this.#host = host;
    this.#base = base;
    this.#onMove = onMove;
    this.#onPlay = onPlay;
    setInterval(() => this.#step(), NEXT_LOOK_MS);
  }

  /** These cameras are shown. */
  show(cameras) {
    const wanted = cameras.map((camera) => camera.id);
    if (this.#seats.map((seat) => seat.id).join() === wanted.join()) return;
    for (const seat of this.#seats) seat.close();
    this.#leader = null;
    this.#seats = cameras.map((camera) => new Seat(camera, this.#base));
    this.#host.append(...this.#seats.map((seat) => seat.element));
    this.#host.classList.toggle("alone", this.#seats.length === 1);
    this.listen(this.#sound);
    if (this.time !== null) this.seek(this.time);
  }

  /** Goes to a moment; plays if it played. */
  seek(time) {
    this.time = Math.max(this.#base, Math.min(time, now()));
    this.#loadingSince = performance.now();
    this.#leader = null;
    for (const seat of this.#seats) seat.seek(this.time);
    this.#onMove(this.time);
  }

  play() {
    if (this.time === null || this.playing) return;
    this.playing = true;
    this.#onPlay(true);
  }

  pause() {
    if (!this.playing) return;
    if (this.#leader && !this.#leader.video.seeking) this.time = this.#leader.time;
    this.playing = false;
    for (const seat of this.#seats) seat.settle(this.time);
    this.#onPlay(false);
  }

  /** One frame on, or with -1 back. */
  step(frames) {
    if (this.time === null) return;
    this.pause();
    const seat = this.#leader ?? this.#seats.find((one) => one.look(this.time).kind === "ready");
    this.seek(seat ? seat.frameTime + seat.frame * frames : this.time + frames / 25);
  }

  /** Whether sound is to be heard: that of the first camera. */
  listen(on) {
    this.#sound = on;
    this.#seats.forEach((seat, at) => (seat.video.muted = !on || at > 0));
  }

  #step() {
    if (this.time === null || !this.#seats.length) return;
    if (this.playing && this.#leader && !this.#leader.video.seeking) this.time = Math.max(this.time, this.#leader.reached);
    const found = this.#seats.map((seat) => seat.look(this.time));
    const loading = found.some(({ kind }, at) => kind === "loading" && !this.#seats[at].troubled);
    if (!loading) this.#loadingSince = null;
    else this.#loadingSince ??= performance.now();
    const waited = loading ? performance.now() - this.#loadingSince : 0;
    const ready = this.#seats.filter((_, at) => found[at].kind === "ready");
    this.#leader = ready.includes(this.#leader) ? this.#leader : (ready[0] ?? null);
    const goes = this.playing && this.#leader && (!loading || waited > PATIENCE_MS);
    for (const [at, seat] of this.#seats.entries()) {
      seat.follow(this.time, this.rate);
      if (!goes || !ready.includes(seat)) seat.hold(ready.includes(seat) ? this.time : undefined);
      else if (seat === this.#leader) this.#lead(seat);
      else seat.accompany(this.time, this.rate);
      seat.tell(found[at], this.time, waited < QUIET_MS);
    }
    if (this.playing && !this.#leader && !loading) this.#jump(found);
    this.#onMove(this.time);
  }

  #lead(seat) {
    // After a jump, or if another one led before, it first has to be where time is.
    if (Math.abs(seat.time - this.time) > 0.5) seat.hold(this.time);
    else seat.lead(this.rate);
  }

  #jump(found) {
    const next = found.map(({ next }) => next ?? Infinity).reduce((a, b) => Math.min(a, b), Infinity);
    if (next < Infinity) this.seek(next + 0.01);
  }
}
