// Keeps one camera playing: reconnects, and changes to plain JPEG pictures by itself where nothing else works.

import { Backoff } from "./backoff.js";
import { MjpegPlayer } from "./mjpeg.js";
import { MsePlayer, isPossible } from "./mse.js";
import { isStillIn } from "./session.js";

const GIVE_UP = 3; // failures in a row without one picture between them

const REASONS = {
  missing: "no Media Source Extensions here",
  unsupported: "codec not supported here",
  decoder: "the decoder failed",
  connection: "no WebSocket gets through",
};

/**
 * `start()` and `stop()` as often as wanted. Events: `onFrame()`, `onState()`, `onLate()`, `onWay(text)`, and
 * `onSilent()` when it was to be heard and cannot.
 */
export class Player {
  #video;
  #canvas;
  #cameraId;
  #events;
  #backoff = new Backoff();
  #failures = { decoder: 0, connection: 0 };
  #plain = isPossible() ? null : "missing";
  #running = null;
  #timer = 0;
  #wanted = false;
  #sound = false;

  constructor(video, canvas, cameraId, events) {
    this.#video = video;
    this.#canvas = canvas;
    this.#cameraId = cameraId;
    this.#events = events;
  }

  start() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#backoff.reset();
    this.#open();
  }

  stop() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#running?.close();
    this.#running = null;
  }

  /** Plays this camera's stream from now on; whether that is another one than before. */
  watch(cameraId) {
    if (cameraId === this.#cameraId) return false;
    this.#cameraId = cameraId;
    this.#failures = { decoder: 0, connection: 0 };
    if (this.#wanted) {
      this.stop();
      this.start();
    }
    return true;
  }

  /** With or without sound from now on. To be called where the user asks for it: else browsers refuse. */
  listen(on) {
    if (on === this.#sound) return;
    this.#sound = on;
    this.#video.muted = !on;
    if (this.#wanted && !this.#plain) {
      this.stop();
      this.start();
    }
  }

  #open() {
    const events = {
      ...this.#events,
      onFrame: () => {
        this.#backoff.reset();
        this.#failures = { decoder: 0, connection: 0 };
        this.#show();
        this.#events.onFrame();
      },
      onEnd: (why) => this.#ended(why),
    };
    this.#running = this.#plain
      ? new MjpegPlayer(this.#canvas, this.#cameraId, events)
      : new MsePlayer(this.#video, this.#cameraId, events, this.#sound);
  }

  // The picture that was seen last stays until the other way has one.
  #show() {
    if (this.#canvas.hidden !== Boolean(this.#plain)) return;
    this.#canvas.hidden = !this.#plain;
    this.#video.hidden = Boolean(this.#plain);
    this.#events.onWay(this.#plain ? `MJPEG · ${REASONS[this.#plain]}` : "");
  }

  async #ended(why) {
    this.#running = null;
    if (why === "silent") {
      this.#events.onSilent();
      if (!this.#running && this.#wanted) this.#open();
      return;
    }
    // A service that is away is no fault of the way.
    const counts = why !== "connection" || (await isStillIn());
    if (!this.#wanted || this.#running) return;
    if (!this.#plain && counts && (why === "unsupported" || ++this.#failures[why] >= GIVE_UP)) {
      this.#plain = why;
      this.#backoff.reset();
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), this.#backoff.next());
  }
}
