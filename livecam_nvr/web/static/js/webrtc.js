// Plays one camera over WebRTC, by WHEP (draft-ietf-wish-whep) at the service's own address.

import { Age } from "./age.js";
import { camera } from "./api.js";
import { ask } from "./http.js";

const CONNECT_MS = 6000; // without a picture until then, nothing gets through
const LOOK_MS = 50;
const STILL_MS = 1500; // no picture for so long, and for four pictures' time: something is in the way
const STALL_FRAMES = 4;
const RTP_TICKS = 90_000;

export const isPossible = () => "RTCPeerConnection" in window;

/**
 * One session. It begins unseen; events: `onReady()` when pictures come, which `show(video)` then shows; `onShown(ageS)`
 * for each picture shown, and once `onEnd(why)`: "refused" (this camera and this browser have no codec in common),
 * "silent" if it was to be heard and there is no sound, "connection".
 */
export class WebRtcPlayer {
  name = "WebRTC";
  #events;
  #sound;
  #peer = new RTCPeerConnection();
  #stream = new MediaStream();
  #receiver;
  #stop = new AbortController();
  #session = null;
  #video = null;
  #age = new Age();
  #rtp = null; // the newest painted picture's RTP time: ticks as they came, seconds without their overflow, and when
  #frames = 0;
  #dropped = 0;
  #frameAt = performance.now();
  #frameMs = 40;
  #startedAt = performance.now();
  #timer = 0;
  #looking = false;
  #ended = false;

  constructor(cameraId, events, { sound = false } = {}) {
    this.#events = events;
    this.#sound = sound;
    this.#peer.addEventListener("connectionstatechange", () => {
      if (["failed", "closed"].includes(this.#peer.connectionState)) this.#end("connection");
    });
    this.#begin(cameraId).catch((error) => this.#end(error.status === 400 ? "refused" : "connection"));
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Ends it; the last picture stays until the video gets something else. */
  close() {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#timer);
    this.#stop.abort();
    this.#peer.close();
    if (this.#session) fetch(this.#session, { method: "DELETE", keepalive: true }).catch(() => {});
  }

  show(video) {
    this.#video = video;
    this.#frames = 0;
    this.#frameAt = performance.now();
    video.onerror = null;
    video.muted = !this.#sound;
    video.playbackRate = 1;
    video.removeAttribute("src");
    video.srcObject = this.#stream;
    video.play().catch((error) => {
      if (error.name === "NotAllowedError" && !video.muted) this.#end("silent");
    });
    video.requestVideoFrameCallback?.((_, about) => this.#note(about));
  }

  figures() {
    const age = this.#ageNow();
    return { way: this.name, latency_ms: age === null ? null : Math.round(age * 1000), dropped: this.#dropped };
  }

  #end(why) {
    if (this.#ended) return;
    this.close();
    this.#events.onEnd(why);
  }

  async #begin(cameraId) {
    const peer = this.#peer;
    const kinds = this.#sound ? ["video", "audio"] : ["video"];
    for (const kind of kinds) {
      const { receiver } = peer.addTransceiver(kind, { direction: "recvonly" });
      receiver.jitterBufferTarget = 0; // live before smooth
      this.#stream.addTrack(receiver.track);
      if (kind === "video") this.#receiver = receiver;
    }
    const waiting = [];
    peer.addEventListener("icecandidate", ({ candidate }) => {
      if (!candidate?.candidate) return;
      waiting.push(candidate);
      if (this.#session) this.#trickle(waiting.splice(0));
    });
    const offer = await peer.createOffer();
    await peer.setLocalDescription(offer);
    const where = camera(cameraId, "whep");
    const headers = { "Content-Type": "application/sdp" };
    const response = await ask(where, { method: "POST", headers, body: offer.sdp, signal: this.#stop.signal });
    const session = new URL(response.headers.get("Location"), response.url).href;
    const sdp = await response.text();
    if (this.#ended) {
      fetch(session, { method: "DELETE", keepalive: true }).catch(() => {});
      return;
    }
    this.#session = session;
    if (this.#sound && !/^m=audio [1-9]/m.test(sdp)) return this.#end("silent");
    await peer.setRemoteDescription({ type: "answer", sdp });
    if (waiting.length) this.#trickle(waiting.splice(0));
  }

  // RFC 8840, section 9. It does without: then only the browser looks for the way.
  #trickle(candidates) {
    const { sdp } = this.#peer.localDescription;
    const line = (pattern) => pattern.exec(sdp)?.[0];
    const lines = [line(/^a=ice-ufrag:.*$/m), line(/^a=ice-pwd:.*$/m)];
    const media = sdp.match(/^m=.*$/gm);
    for (const [at, heading] of media.entries()) {
      const mine = candidates.filter((candidate) => candidate.sdpMLineIndex === at);
      if (mine.length) lines.push(heading, `a=mid:${mine[0].sdpMid}`, ...mine.map(({ candidate }) => `a=${candidate}`));
    }
    const headers = { "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*" };
    const body = `${lines.join("\r\n")}\r\n`;
    fetch(this.#session, { method: "PATCH", headers, body, signal: this.#stop.signal }).catch(() => {});
  }

  async #look() {
    if (this.#looking || this.#ended) return;
    this.#looking = true;
    try {
      await (this.#video ? this.#watch() : this.#await());
    } finally {
      this.#looking = false;
    }
  }

  async #await() {
    for (const report of (await this.#receiver?.getStats()) ?? []) {
      const [, { type, framesDecoded }] = report;
      if (type === "inbound-rtp" && framesDecoded && !this.#ended) return this.#events.onReady();
    }
    if (performance.now() - this.#startedAt > CONNECT_MS) this.#end("connection");
  }

  // Counted here and not where they are painted: that is not done where nobody sees it.
  #watch() {
    const now = performance.now();
    const { totalVideoFrames: frames, droppedVideoFrames: dropped } = this.#video.getVideoPlaybackQuality();
    const quiet = now - this.#frameAt;
    if (frames > this.#frames) {
      if (this.#frames) this.#frameMs += (quiet / (frames - this.#frames) - this.#frameMs) / 4;
      this.#frames = frames;
      this.#dropped = dropped;
      this.#frameAt = now;
      this.#events.onShown(this.#ageNow());
    } else if (quiet > Math.max(STILL_MS, STALL_FRAMES * this.#frameMs)) {
      this.#end("connection");
    }
  }

  // Of the picture painted last; where none is painted (in another tab), it is not known.
  #ageNow() {
    const known = this.#rtp && performance.now() - this.#rtp.at < STILL_MS;
    return known ? this.#age.of(this.#rtp.seconds) : null;
  }

  #note({ rtpTimestamp, receiveTime }) {
    if (this.#ended) return;
    this.#video.requestVideoFrameCallback((_, about) => this.#note(about));
    if (rtpTimestamp === undefined || receiveTime === undefined) return;
    // 32 bits that overflow (RFC 3550, 5.1).
    const step = this.#rtp ? ((rtpTimestamp - this.#rtp.ticks) | 0) / RTP_TICKS : 0;
    this.#rtp = { ticks: rtpTimestamp, seconds: (this.#rtp?.seconds ?? 0) + step, at: performance.now() };
    this.#age.note(this.#rtp.seconds, 0, receiveTime / 1000);
  }
}
