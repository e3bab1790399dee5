// Plays fragmented MP4 that is pushed into it, close to its newest frame (Media Source Extensions).

const KEEP_S = 10;
const MAX_WAITING = 600; // fragments; more than the buffer takes means that it takes none
const FOLLOW_MS = 100;
const Source = window.ManagedMediaSource ?? window.MediaSource;

export const isPossible = () => Boolean(Source);

export const plays = (mime) => Source.isTypeSupported(mime);

/**
 * Events: `onShown(streamTimeS)` for each new picture, `onEnd(why)` once: "unsupported", "decoder", or "silent" if the
 * browser does not let it be heard. `pace` says how close it keeps: further behind than `behindS`, it plays a
 * little `faster`, further than `jumpS`, it jumps.
 */
export class MediaBuffer {
  pace;
  #video;
  #events;
  #source = null;
  #buffer = null;
  #waiting = [];
  #then = null; // what is to be done when all that waits is in
  #still = false;
  #shown = -1;
  #timer;
  #ended = false;

  constructor(video, pace, events) {
    this.#video = video;
    this.pace = pace;
    this.#events = events;
    video.onerror = () => this.#end("decoder");
    this.#timer = setInterval(() => this.#follow(), FOLLOW_MS);
  }

  /** Ends it; the last picture stays. */
  close() {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#video.onerror = null;
    this.#waiting = [];
    this.#video.pause();
  }

  /** Each stream gets a MediaSource of its own: its times begin anew, and its codec may be another one. */
  open(mime, init) {
    const source = new Source();
    this.#source = source;
    this.#buffer = null;
    this.#then = null;
    this.#waiting = [init];
    source.addEventListener("sourceopen", () => {
      if (this.#ended || this.#source !== source) return;
      try {
        this.#buffer = source.addSourceBuffer(mime);
      } catch {
        return this.#end("unsupported");
      }
      source.duration = Infinity;
      this.#buffer.addEventListener("updateend", () => this.#pump());
      this.#pump();
    }, { once: true });
    const url = URL.createObjectURL(source);
    this.#video.disableRemotePlayback = true;
    this.#video.srcObject = null;
    this.#video.src = url;
    source.addEventListener("sourceopen", () => URL.revokeObjectURL(url), { once: true });
    if (this.#still) this.#video.pause(); // else it would begin by itself
    else this.#play();
  }

  push(data) {
    if (this.#waiting.push(data) > MAX_WAITING) return this.#end("decoder");
    this.#pump();
  }

  /** Nothing moves: the picture of stream time `timeS`, which was pushed already, is shown and stays. */
  hold(timeS = null) {
    this.#still = true;
    this.#video.pause();
    if (timeS === null) return;
    this.#then = () => {
      this.#video.addEventListener("seeked", () => this.#still && this.#events.onShown(timeS), { once: true });
      this.#video.currentTime = timeS + 0.001;
    };
    this.#pump();
  }

  /** Goes on, at the newest frame as soon as all is in that was pushed. */
  release() {
    this.#still = false;
    this.#then = () => {
      this.#leap();
      this.#play();
    };
    this.#pump();
  }

  /** Where what is buffered ends, in the stream's time; -1 if nothing is. */
  get end() {
    const ranges = this.#video.buffered;
    return this.#buffer && ranges.length ? ranges.end(ranges.length - 1) : -1;
  }

  get timeS() {
    return this.#video.currentTime;
  }

  #end(why) {
    if (this.#ended) return;
    this.close();
    this.#events.onEnd(why);
  }

  #play() {
    this.#video.play().catch((error) => {
      // Else overtaken by a new source: tried again by #follow.
      if (error.name === "NotAllowedError" && !this.#video.muted) this.#end("silent");
    });
  }

  #pump() {
    const buffer = this.#buffer;
    if (this.#ended || !buffer || buffer.updating || this.#source.readyState !== "open") return;
    if (!this.#waiting.length) {
      const then = this.#then;
      this.#then = null;
      then?.();
      return;
    }
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

  // Not in front of what the newest run of frames holds: after a gap there is nothing to show before it.
  #leap() {
    const ranges = this.#video.buffered;
    if (!ranges.length) return;
    const last = ranges.length - 1;
    this.#video.currentTime = Math.max(ranges.start(last), ranges.end(last) - this.pace.behindS / 2);
  }

  // Ten times a second: stay close to the newest frame, count what is shown, forget what is old.
  #follow() {
    const video = this.#video;
    const end = this.end;
    if (end < 0) return;
    if (!this.#buffer.updating && video.currentTime - video.buffered.start(0) > 2 * KEEP_S) this.#trim(KEEP_S);
    if (this.#still) return;
    const { behindS, jumpS, faster } = this.pace;
    const behind = end - video.currentTime;
    if (behind > jumpS || behind < -jumpS) this.#leap();
    video.playbackRate = behind > behindS ? faster : 1;
    if (video.paused) this.#play();
    const shown = video.getVideoPlaybackQuality?.().totalVideoFrames ?? video.currentTime;
    if (shown !== this.#shown && video.readyState >= 2) {
      this.#shown = shown;
      this.#events.onShown(video.currentTime);
    }
  }
}
