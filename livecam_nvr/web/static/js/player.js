// Keeps one camera playing, in the best way that works: WebRTC, else MSE over a WebSocket, else HLS, else MJPEG.
//
// It opens with MSE, whose first picture is there at once, and goes over to WebRTC when that has one, too.

import { ours, socketUrl } from "./address.js";
import { camera } from "./api.js";
import { Backoff } from "./backoff.js";
import { MsePlayer, isPossible } from "./mse.js";
import { isStillIn } from "./session.js";
import { t } from "./texts.js";

const GIVE_UP = 3; // failures in a row without one picture between them
const LIVE_S = 2; // what is older is not live
const REST_MS = 3000; // out of sight for so long
const STEADY_MS = 500; // of pictures, before a better way is tried
const PROVEN_MS = 30_000;
const RETRIES_MS = [5_000, 15_000, 60_000, 300_000];
const PROBE_MS = 60_000;
const ANSWER_MS = 5_000;

/**
 * `start()` and `stop()` as often as wanted. Events: `onFrame()`, `onState(message)`, `onLate(seconds)`,
 * `onWay(text)`, and `onSilent()` when it was to be heard and cannot. Out of sight it stays connected, but decodes
 * hardly anything.
 */
export class Player {
  #video;
  #canvas;
  #cameraId;
  #events;
  #backoff = new Backoff();
  #failures = {};
  #lost = isPossible() ? {} : { mse: "missing", hls: "missing" }; // ways that are given up, and why
  #way = ""; // the one whose pictures are seen
  #running = null;
  #better = null; // WebRTC, until it has a picture
  #webrtc = false;
  #webrtcFrom = 0;
  #webrtcFailed = 0;
  #webrtcSince = 0;
  #shownSince = 0;
  #timer = 0;
  #probe = 0;
  #wanted = false;
  #sound = false;
  #resting = false;
  #sight = null;
  #sightTimer = 0;

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
    this.#watchSight();
    this.#probe = setInterval(() => this.#tryBetter(), PROBE_MS);
    this.#open();
  }

  stop() {
    this.#wanted = false;
    this.#resting = false;
    this.#sight?.disconnect();
    clearTimeout(this.#sightTimer);
    clearInterval(this.#probe);
    this.#close();
  }

  /** Plays this camera's stream from now on; whether that is another one than before. */
  watch(cameraId) {
    if (cameraId === this.#cameraId) return false;
    this.#cameraId = cameraId;
    this.#forgive();
    if (this.#wanted) this.#open();
    return true;
  }

  /** With or without sound from now on. To be called where the user asks for it: else browsers refuse. */
  listen(on) {
    if (on === this.#sound) return;
    this.#sound = on;
    this.#webrtcFrom = 0;
    this.#video.muted = !on;
    if (this.#wanted && this.#way !== "mjpeg") this.#open();
  }

  /** `{way, latency_ms, dropped}` of what is seen; what is not known is null or missing. */
  figures() {
    return this.#running?.figures?.() ?? {};
  }

  #forgive() {
    this.#failures = {};
    this.#lost = isPossible() ? {} : { mse: "missing", hls: "missing" };
    this.#webrtcFrom = this.#webrtcFailed = 0;
  }

  #close() {
    clearTimeout(this.#timer);
    this.#better?.close();
    this.#running?.close();
    this.#better = this.#running = null;
    this.#shownSince = 0;
  }

  async #open() {
    this.#close();
    const way = ["mse", "hls"].find((name) => !this.#lost[name]) ?? "mjpeg";
    if (way === "mse") {
      this.#cover();
      const how = { sound: this.#sound, resting: this.#resting };
      this.#running = new MsePlayer(this.#video, this.#cameraId, this.#eventsOf(way), how);
      return;
    }
    if (this.#resting) return; // these cost too much for nobody
    // Loaded only where it is needed; what was asked for meanwhile counts.
    const place = (this.#running = { close() {} });
    const { HlsPlayer, MjpegPlayer } = await import(`./${way}.js`).catch(() => ({}));
    if (this.#running !== place) return;
    this.#running = null;
    if (!HlsPlayer && !MjpegPlayer) return this.#ended(way, "connection");
    if (way === "hls") this.#cover();
    this.#running = HlsPlayer
      ? new HlsPlayer(this.#video, this.#cameraId, this.#eventsOf(way), { sound: this.#sound })
      : new MjpegPlayer(this.#canvas, this.#cameraId, this.#eventsOf(way));
  }

  #eventsOf(way) {
    return {
      onState: this.#events.onState,
      onLate: this.#events.onLate,
      onShown: (ageS) => this.#shown(way, ageS),
      onWays: ({ webrtc }) => {
        if (webrtc && !this.#webrtc) this.#webrtcFrom = Math.min(this.#webrtcFrom, performance.now());
        this.#webrtc = webrtc;
      },
      onEnd: (why) => this.#ended(way, why),
    };
  }

  #shown(way, ageS) {
    this.#backoff.reset();
    this.#failures[way] = 0;
    this.#uncover(way);
    if (ageS !== null && ageS > LIVE_S) this.#events.onLate(ageS);
    else this.#events.onFrame();
    const now = performance.now();
    if (way === "webrtc") {
      if (now - this.#webrtcSince > PROVEN_MS) this.#webrtcFailed = 0;
      return;
    }
    this.#shownSince ||= now;
    if (now - this.#shownSince > STEADY_MS) this.#improve(now);
  }

  // The picture that was seen last stays until the next one has come: a video that changes its source shows nothing.
  #cover() {
    this.#video.hidden = false; // below the canvas, if that shows something; else it might not play at all
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (!this.#canvas.hidden || !width || this.#video.readyState < 2) return;
    Object.assign(this.#canvas, { width, height });
    this.#canvas.getContext("2d").drawImage(this.#video, 0, 0);
    this.#canvas.hidden = false;
  }

  #uncover(way) {
    const plain = way === "mjpeg";
    if (this.#canvas.hidden === plain) this.#canvas.hidden = !plain;
    if (this.#video.hidden !== plain) this.#video.hidden = plain;
    if (way === this.#way) return;
    this.#way = way;
    const why = way === "hls" || plain ? (this.#lost.mse ?? this.#lost.hls) : "";
    this.#events.onWay(why ? `${this.#running.name} · ${t(`live.way_${why}`)}` : this.#running.name);
  }

  async #improve(now) {
    if (!this.#webrtc || this.#better || this.#resting || now < this.#webrtcFrom) return;
    const place = (this.#better = { close() {} });
    const { WebRtcPlayer, isPossible: has } = await import("./webrtc.js").catch(() => ({}));
    if (this.#better !== place) return;
    this.#better = null;
    if (!has?.()) {
      this.#webrtcFrom = Infinity;
      return;
    }
    const events = this.#eventsOf("webrtc");
    events.onReady = () => this.#takeOver();
    this.#better = new WebRtcPlayer(this.#cameraId, events, { sound: this.#sound });
  }

  #takeOver() {
    const better = this.#better;
    this.#better = null;
    this.#cover();
    this.#close();
    this.#running = better;
    this.#webrtcSince = performance.now();
    better.show(this.#video);
  }

  async #ended(way, why) {
    if (way === "webrtc") return this.#webrtcEnded(why);
    this.#running = null;
    this.#shownSince = 0;
    if (why === "silent") {
      this.#events.onSilent();
      if (!this.#running && this.#wanted) this.#open();
      return;
    }
    // A service that is away is no fault of the way, nor is a camera that is.
    const counts = why !== "connection" || (await Promise.all([isStillIn(), this.#isThere()])).every(Boolean);
    if (!this.#wanted || this.#running) return;
    const final = why === "unsupported" || why === "late";
    this.#failures[way] = (this.#failures[way] ?? 0) + 1;
    if (counts && way !== "mjpeg" && (final || this.#failures[way] >= GIVE_UP)) {
      this.#lost[way] = why;
      if (way === "mse" && why !== "connection") this.#lost.hls = why; // the same codec, the same decoder
      this.#backoff.reset();
    } else if (!counts) {
      this.#failures[way] = 0;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), this.#backoff.next());
  }

  async #isThere() {
    try {
      const options = { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) };
      return (await fetch(ours(camera(this.#cameraId, "quality")), options)).status !== 404;
    } catch {
      return false;
    }
  }

  #webrtcEnded(why) {
    const now = performance.now();
    const pause = RETRIES_MS[Math.min(this.#webrtcFailed, RETRIES_MS.length - 1)];
    this.#webrtcFailed += 1;
    // Another camera, another stream or another wish is needed before it can be otherwise.
    this.#webrtcFrom = why === "connection" ? now + pause : Infinity;
    const seen = this.#running?.name === "WebRTC";
    this.#better = null;
    if (seen && this.#wanted) this.#open();
  }

  // After a while in a lesser way: whether a WebSocket gets through by now. Nothing is to be seen of that.
  #tryBetter() {
    if (this.#lost.mse !== "connection" || this.#resting || this.#way === "webrtc") return;
    const socket = new WebSocket(socketUrl(camera(this.#cameraId, "live.ws")));
    socket.onmessage = () => {
      socket.close();
      if (!this.#wanted || this.#lost.mse !== "connection") return;
      this.#forgive();
      if (this.#way !== "webrtc") this.#open();
    };
  }

  // What is not to be seen has `hidden`, itself or around it, even if it is kept ready to be painted.
  #watchSight() {
    this.#sight ??= new MutationObserver(() => this.#look());
    const how = { attributes: true, attributeFilter: ["hidden"] };
    for (let around = this.#video.parentElement; around; around = around.parentElement) this.#sight.observe(around, how);
    this.#look();
  }

  #look() {
    clearTimeout(this.#sightTimer);
    if (!this.#isHidden) this.#rest(false);
    else this.#sightTimer = setTimeout(() => this.#rest(this.#isHidden), REST_MS);
  }

  get #isHidden() {
    const inWindow = document.pictureInPictureElement === this.#video;
    return this.#video.parentElement?.closest("[hidden]") && !inWindow && !this.#sound;
  }

  #rest(hidden) {
    const on = Boolean(hidden);
    if (on === this.#resting || !this.#wanted) return;
    this.#resting = on;
    this.#better?.close();
    this.#better = null;
    this.#shownSince = 0;
    if (this.#running?.rest) this.#running.rest(on);
    else if (on || !this.#running) this.#open();
  }
}
