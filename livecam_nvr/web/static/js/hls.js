// Plays one camera from whole segments (HLS, RFC 8216), put together here: where no WebSocket gets through.

import { Age } from "./age.js";
import { camera } from "./api.js";
import { ask } from "./http.js";
import { MediaBuffer, plays } from "./media_buffer.js";
import { hasPictures, soundTracks } from "./mp4.js";

const POLL_MS = 250;
const SPARE_S = 0.35; // for the way here, on top of a segment's length
const LATE_S = 2;
const TOO_LATE_MS = 10_000;
const PATIENCE_MS = 15_000;

/**
 * One viewing. Events as those of MsePlayer, and `onEnd("late")` if its pictures stay older than what counts as live:
 * a segment is as long as the time between the camera's keyframes.
 */
export class HlsPlayer {
  name = "HLS";
  #video;
  #below;
  #events;
  #sound;
  #media;
  #age = new Age();
  #stop = new AbortController();
  #sounds = new Set();
  #init = ""; // the address of the one that is in use
  #number = -1; // of the newest segment
  #inTimeAt = performance.now();
  #newAt = performance.now();
  #timer = setInterval(() => this.#look(), POLL_MS);
  #ended = false;

  constructor(video, cameraId, events, { sound = false } = {}) {
    this.#video = video;
    this.#below = camera(cameraId, "hls/");
    this.#events = events;
    this.#sound = sound;
    video.muted = !sound;
    this.#media = new MediaBuffer(video, pace(1), {
      onShown: (timeS) => this.#shown(this.#age.of(timeS)),
      onEnd: (why) => this.#end(why),
    });
    this.#run();
  }

  /** Ends it; the last picture stays. */
  close() {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#stop.abort();
    this.#media.close();
  }

  figures() {
    const age = this.#age.of(this.#video.currentTime);
    const dropped = this.#video.getVideoPlaybackQuality?.().droppedVideoFrames ?? 0;
    return { way: this.name, latency_ms: age === null ? null : Math.round(age * 1000), dropped };
  }

  #end(why) {
    if (this.#ended) return;
    this.close();
    this.#events.onEnd(why);
  }

  #shown(age) {
    const now = performance.now();
    if (age === null || age <= LATE_S) this.#inTimeAt = now;
    this.#events.onShown(age);
    if (now - this.#inTimeAt > TOO_LATE_MS) this.#end("late");
  }

  async #run() {
    try {
      while (!this.#ended) {
        if (await this.#reload()) this.#newAt = performance.now();
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    } catch {
      // Whatever it was, it is tried anew.
    }
    this.#end("connection");
  }

  // An answer that does not come at all counts, too.
  #look() {
    if (performance.now() - this.#newAt > PATIENCE_MS) this.#end("connection");
  }

  // Whether there was something new.
  async #reload() {
    const response = await this.#ask("live.m3u8");
    this.#events.onWays({ webrtc: response.headers.get("X-Ways") === "webrtc" });
    const listed = parsed(await response.text());
    const fresh = listed.filter(({ number }) => number > this.#number);
    if (!fresh.length) return false;
    // Not from the past: the newest segment, and what follows on it.
    const wanted = this.#number < 0 || fresh.length > 3 ? fresh.slice(-1) : fresh;
    const heardS = performance.now() / 1000;
    const ageS = Number(response.headers.get("X-Newest-Age"));
    for (const segment of wanted) {
      if (segment.init !== this.#init) await this.#open(segment.init);
      const data = await (await this.#ask(segment.name)).arrayBuffer();
      if (this.#ended) return true;
      this.#number = segment.number;
      this.#media.pace = pace(segment.seconds);
      hasPictures(data, this.#sounds, !this.#sound);
      this.#media.push(data);
    }
    await this.#settled();
    if (this.#media.end >= 0) this.#age.note(this.#media.end, ageS, heardS);
    return true;
  }

  async #open(name) {
    const master = await (await this.#ask("index.m3u8")).text();
    const codecs = /CODECS="([^"]+)"/.exec(master)?.[1] ?? "";
    const mime = `video/mp4; codecs="${this.#sound ? codecs : codecs.split(",")[0]}"`;
    if (!plays(mime)) return this.#end(this.#sound ? "silent" : "unsupported");
    const init = await (await this.#ask(name)).arrayBuffer();
    if (this.#ended) return;
    this.#sounds = soundTracks(init, !this.#sound);
    this.#init = name;
    this.#age.forget();
    this.#media.open(mime, init);
  }

  // Until what was pushed can be seen.
  async #settled() {
    const end = this.#media.end;
    for (let round = 0; round < 20 && this.#media.end === end && !this.#ended; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #ask(name) {
    return ask(this.#below + name, { signal: this.#stop.signal, cache: "no-store" });
  }
}

// The next segment is there when it is whole: until then there has to be enough to play.
const pace = (seconds) => ({ behindS: seconds + SPARE_S, jumpS: seconds + 3 * SPARE_S, faster: 1.1 });

function parsed(text) {
  const segments = [];
  let init = "";
  let seconds = 1;
  for (const line of text.split("\n")) {
    if (line.startsWith("#EXT-X-MAP:")) init = /URI="([^"]+)"/.exec(line)?.[1] ?? "";
    else if (line.startsWith("#EXTINF:")) seconds = parseFloat(line.slice(8));
    else if (line && !line.startsWith("#")) segments.push({ name: line, number: parseInt(line, 10), init, seconds });
  }
  return segments;
}
