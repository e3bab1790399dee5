// Plays one camera as JPEG pictures over plain HTTP: where Media Source Extensions or WebSockets do not work.

import { camera } from "./api.js";
import { ask } from "./http.js";

const MAX_STREAMS = 4; // browsers open only six connections to one host, and the switch needs one too
const PICTURE_MS = 1000;
const DEAD_MS = 15_000; // a camera may be away for longer: then this asks anew, which costs nothing
let streams = 0;

/** One connection. Events: `onShown(null)` for each picture, `onWays({webrtc})`, and once `onEnd("connection")`. */
export class MjpegPlayer {
  name = "MJPEG";
  #canvas;
  #id;
  #events;
  #stop = new AbortController();
  #dead = 0;

  constructor(canvas, cameraId, events) {
    this.#canvas = canvas;
    this.#id = cameraId;
    this.#events = events;
    this.#run();
  }

  /** Ends it; the last picture stays. */
  close() {
    clearTimeout(this.#dead);
    this.#stop.abort();
  }

  figures() {
    return { way: this.name };
  }

  async #run() {
    this.#heard();
    const streaming = streams < MAX_STREAMS;
    if (streaming) streams += 1;
    try {
      await (streaming ? this.#stream() : this.#single());
    } catch {
      // Whatever it was, the pictures ended.
    } finally {
      if (streaming) streams -= 1;
    }
    this.#end();
  }

  #end() {
    if (this.#stop.signal.aborted) return;
    this.close();
    this.#events.onEnd("connection");
  }

  #heard() {
    clearTimeout(this.#dead);
    this.#dead = setTimeout(() => this.#end(), DEAD_MS);
  }

  // multipart/x-mixed-replace, each part with its Content-Length. An <img> would not tell when a picture comes.
  async #stream() {
    const response = await ask(camera(this.#id, "stream.mjpeg"), { signal: this.#stop.signal, cache: "no-store" });
    this.#events.onWays({ webrtc: response.headers.get("X-Ways") === "webrtc" });
    const reader = response.body.getReader();
    const decoder = new TextDecoder("latin1");
    let held = new Uint8Array(0);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const joined = new Uint8Array(held.length + value.length);
      joined.set(held);
      joined.set(value, held.length);
      held = joined;
      let newest = null;
      for (;;) {
        const head = decoder.decode(held.subarray(0, 512));
        const found = /content-length: *(\d+)\r\n(?:.+\r\n)*\r\n/i.exec(head);
        if (!found) break;
        const begin = found.index + found[0].length;
        const end = begin + Number(found[1]);
        if (held.length < end) break;
        newest = held.slice(begin, end);
        held = held.subarray(end);
      }
      if (newest) await this.#show(new Blob([newest], { type: "image/jpeg" }));
    }
  }

  async #single() {
    while (!this.#stop.signal.aborted) {
      const response = await ask(camera(this.#id, "snapshot.jpg?height=480"), { signal: this.#stop.signal });
      await this.#show(await response.blob());
      await new Promise((resolve) => setTimeout(resolve, PICTURE_MS));
    }
  }

  async #show(blob) {
    const picture = await createImageBitmap(blob);
    if (this.#stop.signal.aborted) return picture.close();
    if (this.#canvas.width !== picture.width || this.#canvas.height !== picture.height) {
      this.#canvas.width = picture.width;
      this.#canvas.height = picture.height;
    }
    this.#heard();
    this.#canvas.getContext("2d").drawImage(picture, 0, 0);
    picture.close();
    this.#events.onShown(null);
  }
}
