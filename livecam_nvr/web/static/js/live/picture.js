// One camera's picture with the truth about it: live, or how late, and why.

import { now as serviceNow } from "../clock.js";
import * as format from "../format.js";
import { t } from "../texts.js";
import { Stage } from "./stage.js";

const STALE_MS = 2000; // without a new frame for so long, a picture is not live
const OPENING_MS = 4000;
const STATES = { DELAY: "live.late", ERROR: "live.failed", OFFLINE: "live.offline" };
const SMALLER_MS = 60_000; // a smaller stream that does not play is tried again after so long

/** In `element`: .screen with .layers and .veil, .title, .state, .way, and .clock if it is to be told. */
export class Picture {
  #id;
  #element;
  #parts = {};
  #stage;
  #camera;
  #small = false;
  #heard = false;
  #smallerFrom = 0;
  #state = "OFFLINE";
  #fault = null;
  #gone = false;
  #lostService = false;
  #startedAt = performance.now();
  #frameAt = null;
  #frameUtcS = null;
  #lateUntil = 0;
  #lateBy = 0;
  #playing = false;

  /** `onSilent()` is called when it was to be heard and cannot. */
  constructor(element, camera, onSilent = () => {}) {
    this.#id = camera.id;
    this.#element = element;
    for (const name of ["screen", "layers", "veil", "title", "state", "way", "clock"]) {
      this.#parts[name] = element.querySelector(`.${name}`);
    }
    this.#stage = new Stage(this.#parts.layers, camera.id, {
      onFrame: () => this.#shown(),
      onState: (message, streamId) => {
        if (streamId === this.#id) {
          this.#state = message.state;
          this.#fault = message.fault;
          this.tick();
        } else if (message.state === "OFFLINE") {
          this.#leaveSmaller();
        }
      },
      onLate: (seconds) => {
        this.#lateBy = seconds;
        this.#lateUntil = performance.now() + STALE_MS;
      },
      onSilent,
      onWay: (text) => {
        this.#parts.way.textContent = text;
        this.#parts.way.hidden = !text;
        // A way that had to be taken because others do not work comes with its reason.
        this.#parts.way.classList.toggle("usual", !text.includes("·"));
      },
    });
    this.update(camera);
  }

  /** What it shows, for copies and for a window of its own. */
  get shown() {
    return this.#stage.picture;
  }

  /** The video, which is hidden where there are only single pictures. */
  get video() {
    return this.#stage.video;
  }

  /** Whether all of the camera's own size is shown. */
  get whole() {
    return this.#stage.streamId === this.#id;
  }

  /** When the picture that is shown was shown first, by the service's clock, in seconds; null if there is none. */
  get shownUtcS() {
    return this.#frameUtcS;
  }

  /** What the player knows of its way. */
  figures() {
    return this.#stage.figures();
  }

  /** Plays only while it is wanted. */
  play(wanted) {
    if (wanted === this.#playing) return;
    this.#playing = wanted;
    if (wanted) {
      this.#startedAt = performance.now();
      this.#stage.start();
    } else {
      this.#stage.stop();
    }
    this.tick();
  }

  /** Whether it is shown so small that the camera's smaller stream is enough, where it has one. */
  fit(small) {
    this.#small = small;
    this.#choose();
  }

  /** With or without sound; to be called where somebody asks for it. */
  listen(on) {
    this.#heard = on;
    this.#stage.listen(on);
    this.#choose();
  }

  /** A new status came. */
  update(camera) {
    this.#camera = camera;
    this.#state = camera.state;
    this.#fault = camera.fault;
    this.#lostService = false;
    this.#gone = false;
    const label = t("live.picture_of", { name: camera.name });
    for (const picture of this.#parts.layers.children) picture.ariaLabel = label;
    this.#choose();
    this.tick();
  }

  /** The service does not answer. */
  lost() {
    this.#lostService = true;
    this.tick();
  }

  /** The camera is there no more. */
  remove() {
    this.#gone = true;
    this.play(false);
    this.tick();
  }

  /** Says what the picture is worth now; called a few times a second. */
  tick() {
    const now = performance.now();
    const since = this.#frameAt === null ? null : (now - this.#frameAt) / 1000;
    const fresh = this.#playing && since !== null && since * 1000 < STALE_MS && now > this.#lateUntil;
    // A picture is live because it moves here and now; what the service thinks can only make it less.
    const away = this.#gone || (this.#lostService && !fresh);
    const state = away ? "OFFLINE" : this.#state === "LIVE" && !fresh ? "DELAY" : this.#state;
    const shownYet = this.#frameAt !== null && this.#frameAt > this.#startedAt;
    const idle = !this.whole && now - Math.max(this.#startedAt, this.#frameAt ?? 0) > OPENING_MS;
    if (idle && this.#playing && this.#state === "LIVE") this.#leaveSmaller();
    const opening = state === "DELAY" && !shownYet && now - this.#startedAt < OPENING_MS;
    const { state: badge, veil } = this.#parts;
    if (badge.dataset.state !== state || badge.textContent === "") {
      badge.dataset.state = state;
      badge.textContent = t(`state.${state}`);
    }
    this.#element.classList.toggle("stale", state !== "LIVE");
    this.#tellTime();
    veil.hidden = state === "LIVE" || (state === "DELAY" && fresh);
    if (veil.hidden) return;
    const [headline, reason] = veil.children;
    const age = since ?? this.#camera.last_frame_age_s;
    say(headline, opening ? t("live.opening") : this.#headline(state, age, now));
    say(reason, opening ? "" : this.#reason(state, now));
  }

  #shown() {
    this.#frameAt = performance.now();
    this.#frameUtcS = serviceNow() - (this.figures().latency_ms ?? 0) / 1000;
    if (this.#element.classList.contains("stale")) this.tick();
  }

  #tellTime() {
    const { clock } = this.#parts;
    if (!clock) return;
    clock.hidden = this.#frameUtcS === null;
    if (!clock.hidden) say(clock, format.time(this.#frameUtcS));
  }

  get #wanted() {
    const smaller = this.#small && !this.#heard && performance.now() >= this.#smallerFrom && this.#camera.sub_stream;
    return smaller || this.#id;
  }

  #choose() {
    if (this.#stage.watch(this.#wanted)) this.#startedAt = performance.now();
  }

  #leaveSmaller() {
    this.#smallerFrom = performance.now() + SMALLER_MS;
    this.#choose();
  }

  #headline(state, age, now) {
    if (this.#gone) return t("live.removed");
    if (now < this.#lateUntil) return t("live.late_by", { time: format.duration(this.#lateBy) });
    if (this.#camera.enabled === false) return t("live.switched_off");
    if (state === "DELAY" && this.#camera.quality.changing) return t("live.changing_quality");
    if (age === null) return t(STATES[state]);
    const time = format.duration(age);
    if (state === "DELAY") return t("live.no_frame", { time });
    return t("live.last_frame", { state: t(STATES[state]), time });
  }

  #reason(state, now) {
    if (this.#gone) return t("live.removed_why");
    if (this.#lostService) return t("common.no_answer");
    if (state !== "DELAY" && this.#fault) return faultWords(this.#fault);
    if (now < this.#lateUntil) return t("live.too_slow");
    return state === "DELAY" ? t("live.not_live") : "";
  }
}

/** What went wrong, and what to do about it. */
export const faultWords = ({ message, hint }) => [message, hint].filter(Boolean).join("; ");

// Only what differs: else a selection would be lost, and readers read again.
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
