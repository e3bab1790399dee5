// Plays one camera with Media Source Extensions from fragments that come over a WebSocket.

import { socketUrl } from "./address.js";
import { camera } from "./api.js";
import { hasPictures, soundTracks } from "./mute.js";

// Further behind than `behindS`, it plays a little faster, further than `jumpS`, it jumps. Sound that runs dry is
// heard: it gets more in store.
const SILENT = { behindS: 0.08, jumpS: 0.5, faster: 1.1 };
const HEARD = { behindS: 0.4, jumpS: 1, faster: 1.05 };
const KEEP_S = 10;
const SILENT_MS = 2000; // pictures that waited so long for their sound go on without it
const MAX_WAITING = 600; // fragments; more than the buffer takes means that it takes none
const Source = window.ManagedMediaSource ?? window.MediaSource;

export const isPossible = () => Boolean(Source);

/**
 * One connection. Events: `onFrame()` for each picture shown, `onState(message)`, `onLate(seconds)`, and once
 * `onEnd(why)`: "unsupported", "decoder", "connection", or "silent" if it was to be heard and cannot. A new stream
 * of the camera goes on by itself.
 */
export class MsePlayer {
  #video;
  #events;
  #socket;
  #source = null;
  #buffer = null;
  #waiting = [];
  #expectInit = false;
  #mime = "";
  #sound;
  #sounds = new Set(); // the ids of the sound's tracks, which are left out where nobody listens
  #bufferedTo = -1;
  #grewAt = 0;
  #pictureAt = 0;
  #shown = -1;
  #timer;
  #ended = false;

  constructor(video, cameraId, events, sound = false) {
    this.#video = video;
    this.#events = events;
    this.#sound = sound;
    video.muted = !sound;
    video.onerror = () => this.#end("decoder");
    this.#socket = new WebSocket(socketUrl(camera(cameraId, "live.ws")));
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onmessage = (event) => this.#take(event.data);
    this.#socket.onclose = () => this.#end("connection");
    this.#timer = setInterval(() => this.#follow(), 100);
  }

  /** Ends it; the last picture stays. */
  close() {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#video.onerror = null;
    this.#socket.onclose = this.#socket.onmessage = null;
    this.#socket.close();
    this.#waiting = [];
    this.#video.pause();
  }

  #end(why) {
    if (this.#ended) return;
    this.close();
    this.#events.onEnd(why);
  }

  #take(data) {
    if (typeof data !== "string") {
      if (this.#expectInit) {
        this.#expectInit = false;
        this.#open(data);
      } else {
        const pictures = hasPictures(data, this.#sounds, !this.#sound);
        if (pictures) this.#pictureAt = performance.now();
        if ((pictures || this.#sound) && this.#waiting.push(data) > MAX_WAITING) this.#end("decoder");
      }
      this.#pump();
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "state") this.#events.onState(message);
    else if (message.type === "late") this.#events.onLate(message.seconds);
    else if (message.type === "init") {
      this.#mime = this.#sound ? message.mime : `video/mp4; codecs="${message.codec}"`;
      if (!Source.isTypeSupported(this.#mime)) return this.#end(this.#sound ? "silent" : "unsupported");
      this.#expectInit = true;
    }
  }

  // Each stream gets a MediaSource of its own: its times begin anew, and its codec may be another one.
  #open(init) {
    const source = new Source();
    this.#source = source;
    this.#buffer = null;
    this.#sounds = soundTracks(init, !this.#sound);
    this.#grewAt = performance.now();
    this.#waiting = [init];
    source.addEventListener("sourceopen", () => {
      if (this.#ended || this.#source !== source) return;
      try {
        this.#buffer = source.addSourceBuffer(this.#mime);
      } catch {
        return this.#end("unsupported");
      }
      source.duration = Infinity;
      this.#buffer.addEventListener("updateend", () => this.#pump());
      this.#pump();
    }, { once: true });
    const url = URL.createObjectURL(source);
    this.#video.disableRemotePlayback = true;
    this.#video.src = url;
    source.addEventListener("sourceopen", () => URL.revokeObjectURL(url), { once: true });
    this.#play();
  }

  #play() {
    this.#video.play().catch((error) => {
      // Else overtaken by a new source: tried again by #follow.
      if (error.name === "NotAllowedError" && !this.#video.muted) this.#end("silent");
    });
  }

  #pump() {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating || !this.#waiting.length || this.#source.readyState !== "open") return;
    try {
      buffer.appendBuffer(this.#waiting[0]);
      this.#waiting.shift();
    } catch (error) {
      if (error.name !== "QuotaExceededError" || !this.#trim(1)) this.#end("decoder");
    }
  }

  #trim(keep) {
    const ranges = this.#buffer.buffered;
    const until = this.#video.currentTime - keep;
    if (!ranges.length || ranges.start(0) >= until) return false;
    this.#buffer.remove(0, until);
    return true;
  }

  // Ten times a second: stay close to the newest frame, count what is shown, forget what is old.
  #follow() {
    const video = this.#video;
    const ranges = video.buffered;
    if (this.#sound && this.#stuck(ranges)) return this.#end("silent");
    if (this.#ended || !this.#buffer || !ranges.length) return;
    const { behindS, jumpS, faster } = this.#sound ? HEARD : SILENT;
    const end = ranges.end(ranges.length - 1);
    const behind = end - video.currentTime;
    if (behind > jumpS || behind < -jumpS) {
      // Not in front of what the newest run of frames holds: after a gap there is nothing to show before it.
      video.currentTime = Math.max(ranges.start(ranges.length - 1), end - behindS / 2);
    }
    video.playbackRate = behind > behindS ? faster : 1;
    if (video.paused) this.#play();
    const shown = video.getVideoPlaybackQuality?.().totalVideoFrames ?? video.currentTime;
    if (shown !== this.#shown) {
      this.#shown = shown;
      if (video.readyState >= 2) this.#events.onFrame();
    }
    if (!this.#buffer.updating && video.currentTime - ranges.start(0) > 2 * KEEP_S) this.#trim(KEEP_S);
  }

  // What is buffered ends where the sound or the pictures end: do pictures come that have to wait for sound?
  #stuck(ranges) {
    const now = performance.now();
    const end = ranges.length ? ranges.end(ranges.length - 1) : -1;
    if (end !== this.#bufferedTo) {
      this.#bufferedTo = end;
      this.#grewAt = now;
    }
    return this.#source !== null && now - this.#grewAt > SILENT_MS && now - this.#pictureAt < SILENT_MS / 2;
  }
}
