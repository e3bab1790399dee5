// Plays one camera with Media Source Extensions from fragments that come over a WebSocket.

import { socketUrl } from "./address.js";
import { Age } from "./age.js";
import { camera } from "./api.js";
import { MediaBuffer, plays } from "./media_buffer.js";
import { hasPictures, keyframeAt, soundTracks, ticksPerSecond } from "./mp4.js";

export { isPossible } from "./media_buffer.js";

// Sound that runs dry is heard: it gets more in store.
const SILENT = { behindS: 0.08, jumpS: 0.5, faster: 1.1 };
const HEARD = { behindS: 0.4, jumpS: 1, faster: 1.05 };
const SILENT_MS = 2000; // pictures that waited so long for their sound go on without it
const DEAD_MS = 12_000; // the service says something every 4 s
const LOOK_MS = 500;
const MAX_HELD = 75; // fragments; more than that would take too long to decode when they are wanted at once

/**
 * One connection. Events: `onShown(ageS)` for each picture shown (null: its age is not known), `onState(message)`,
 * `onLate(seconds)`, `onWays({webrtc})`, and once `onEnd(why)`: "unsupported", "decoder", "connection", or "silent"
 * if it was to be heard and cannot. A new stream of the camera goes on by itself.
 */
export class MsePlayer {
  name = "MSE";
  #video;
  #events;
  #socket;
  #media;
  #age = new Age();
  #expectInit = false;
  #mime = "";
  #sound;
  #sounds = new Set(); // the ids of the sound's tracks, which are left out where nobody listens
  #ticks = 0;
  #bufferedTo = -1;
  #grewAt = 0;
  #pictureAt = 0;
  #heardAt = performance.now();
  #resting = false;
  #held = null; // while resting: what has come since the keyframe that is shown
  #timer;
  #ended = false;

  constructor(video, cameraId, events, { sound = false, resting = false } = {}) {
    this.#video = video;
    this.#events = events;
    this.#sound = sound;
    this.#resting = resting;
    video.muted = !sound;
    this.#media = new MediaBuffer(video, sound ? HEARD : SILENT, {
      onShown: (timeS) => events.onShown(this.#age.of(timeS)),
      onEnd: (why) => this.#end(why),
    });
    if (resting) this.#media.hold();
    this.#socket = new WebSocket(socketUrl(camera(cameraId, "live.ws")));
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onmessage = (event) => this.#take(event.data);
    this.#socket.onclose = () => this.#end("connection");
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Ends it; the last picture stays. */
  close() {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#socket.onclose = this.#socket.onmessage = null;
    this.#socket.close();
    this.#media.close();
  }

  /**
   * Whether it is not to be seen now: then it stays connected, but decodes keyframes only. When it is to be seen again,
   * all that came since the last one is there already.
   */
  rest(on) {
    if (on === this.#resting) return;
    this.#resting = on;
    const held = this.#held;
    this.#held = null;
    if (on) return this.#media.hold();
    if (held?.length) this.#media.push(joined(held));
    this.#media.release();
  }

  figures() {
    const age = this.#age.of(this.#video.currentTime);
    const dropped = this.#video.getVideoPlaybackQuality?.().droppedVideoFrames ?? 0;
    return { way: this.name, latency_ms: age === null || this.#resting ? null : Math.round(age * 1000), dropped };
  }

  #end(why) {
    if (this.#ended) return;
    this.close();
    this.#events.onEnd(why);
  }

  #take(data) {
    this.#heardAt = performance.now();
    if (typeof data === "string") this.#hear(JSON.parse(data));
    else if (this.#expectInit) this.#open(data);
    else this.#push(data);
  }

  #hear(message) {
    if (message.type === "state") this.#events.onState(message);
    else if (message.type === "late") this.#events.onLate(message.seconds);
    else if (message.type === "ways") this.#events.onWays(message);
    else if (message.type === "clock") this.#age.note(message.time_s, message.age_s);
    else if (message.type === "init") {
      this.#mime = this.#sound ? message.mime : `video/mp4; codecs="${message.codec}"`;
      if (!plays(this.#mime)) return this.#end(this.#sound ? "silent" : "unsupported");
      this.#expectInit = true;
      this.#age.forget();
      this.#age.note(message.time_s, message.age_s);
    }
  }

  #open(init) {
    this.#expectInit = false;
    this.#ticks = ticksPerSecond(init);
    this.#sounds = soundTracks(init, !this.#sound);
    this.#grewAt = performance.now();
    this.#held = null;
    this.#media.open(this.#mime, init);
  }

  #push(data) {
    const pictures = hasPictures(data, this.#sounds, !this.#sound);
    if (pictures) this.#pictureAt = performance.now();
    else if (!this.#sound) return;
    if (!this.#resting) return this.#media.push(data);
    const keyframe = keyframeAt(data, this.#sounds);
    if (keyframe !== null && this.#ticks) {
      this.#held = [];
      this.#media.push(data);
      this.#media.hold(keyframe / this.#ticks);
    } else if (this.#held && this.#held.push(data) > MAX_HELD) {
      this.rest(false);
    }
  }

  #look() {
    const now = performance.now();
    if (now - this.#heardAt > DEAD_MS) this.#end("connection");
    else if (this.#sound && this.#stuck(now)) this.#end("silent");
  }

  // What is buffered ends where the sound or the pictures end: do pictures come that have to wait for sound?
  #stuck(now) {
    const { end } = this.#media;
    if (end !== this.#bufferedTo) {
      this.#bufferedTo = end;
      this.#grewAt = now;
    }
    return this.#mime !== "" && now - this.#grewAt > SILENT_MS && now - this.#pictureAt < SILENT_MS / 2;
  }
}

function joined(pieces) {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(new Uint8Array(piece), at);
    at += piece.byteLength;
  }
  return whole.buffer;
}
