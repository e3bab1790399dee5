// Where a camera's stream is shown. When it changes to another one (smaller, larger), the old picture stays, and moves,
// until the new one has come.

import { Player } from "../player.js";

/**
 * `start()` and `stop()` as often as wanted. Events as those of the player; `onFrame` and `onState` also say, as their
 * last argument, of which stream.
 */
export class Stage {
  #place;
  #events;
  #now;
  #next = null;
  #playing = false;
  #heard = false;

  /** `place` holds the first video and its canvas. */
  constructor(place, streamId, events) {
    this.#place = place;
    this.#events = events;
    this.#now = this.#layer(streamId, place.querySelector("video"), place.querySelector("canvas"));
  }

  /** What is to be seen: the video, or the canvas where there are only single pictures. */
  get picture() {
    return this.#now.canvas.hidden ? this.#now.video : this.#now.canvas;
  }

  get video() {
    return this.#now.video;
  }

  /** The stream that is to be seen. */
  get streamId() {
    return this.#now.id;
  }

  /** What the player knows of its way; empty if it tells nothing. */
  figures() {
    return this.#now.player.figures?.() ?? {};
  }

  start() {
    this.#playing = true;
    this.#now.player.start();
  }

  stop() {
    this.#playing = false;
    this.#drop();
    this.#now.player.stop();
  }

  /** Shows this stream from now on, or as soon as it comes; whether that is another one than before. */
  watch(streamId) {
    if (streamId === (this.#next ?? this.#now).id) return false;
    this.#drop();
    if (streamId === this.#now.id) return true;
    if (!this.#playing || this.#heard || document.pictureInPictureElement === this.#now.video) {
      this.#now.id = streamId;
      this.#now.player.watch(streamId);
      return true;
    }
    const { video, canvas } = this.#now;
    const fresh = [video.cloneNode(), canvas.cloneNode()];
    fresh[0].removeAttribute("src");
    fresh[0].muted = true;
    fresh[0].hidden = false;
    fresh[1].hidden = true;
    this.#place.prepend(...fresh);
    this.#next = this.#layer(streamId, ...fresh);
    this.#next.player.start();
    return true;
  }

  /** With or without sound. To be called where the user asks for it: else browsers refuse. */
  listen(on) {
    this.#heard = on;
    if (this.#next) {
      const { id } = this.#next;
      this.#drop();
      this.#now.id = id;
      this.#now.player.watch(id);
    }
    this.#now.player.listen(on);
  }

  #layer(id, video, canvas) {
    const layer = { id, video, canvas, player: null };
    const ifShown = (work) => (...all) => layer === this.#now && work(...all);
    layer.player = new Player(video, canvas, id, {
      onFrame: () => {
        if (layer === this.#next) this.#change();
        if (layer === this.#now) this.#events.onFrame(layer.id);
      },
      onState: (message) => this.#events.onState(message, layer.id),
      onLate: ifShown((seconds) => this.#events.onLate(seconds)),
      onWay: (...all) => {
        layer.way = all;
        if (layer === this.#now) this.#events.onWay(...all);
      },
      onSilent: ifShown(() => this.#events.onSilent()),
    });
    return layer;
  }

  #change() {
    const old = this.#now;
    this.#now = this.#next;
    this.#next = null;
    this.#end(old);
    if (this.#now.way) this.#events.onWay(...this.#now.way);
  }

  #drop() {
    if (this.#next) this.#end(this.#next);
    this.#next = null;
  }

  #end({ player, video, canvas }) {
    player.stop();
    video.remove();
    canvas.remove();
    video.removeAttribute("src");
    video.load(); // else its decoder stays until it is collected
  }
}
