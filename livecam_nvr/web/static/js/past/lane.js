// One camera's lane: bars of footage, gaps by what they mean, ticks of events, brackets of kept clips.

import { prepared } from "./drawing.js";
import { percent } from "../format.js";
import { t } from "../texts.js";
import * as times from "./times.js";
import { gapWords } from "./words.js";

const HEIGHT = 40;
const BAR = { top: 9, height: 22 };
const LEAST_PX = 2; // what is missing is seen however far it is zoomed out
const NEAR_PX = 4;
const LOST = new Set(["disk", "service_crashed", "unknown"]);
const FAINT = new Set(["never", "deleted"]);

/** What a gap looks like: `meant`, `missed`, or `lost`, which nobody can bring back by looking after the camera. */
export const looks = (gap) => (gap.meant ? "meant" : LOST.has(gap.cause) ? "lost" : "missed");

export class Lane {
  element;
  id;
  #canvas;
  #scale;
  #name;
  #covered;

  constructor(camera, scale) {
    this.id = camera.id;
    this.element = document.getElementById("lane").content.firstElementChild.cloneNode(true);
    this.element.dataset.camera = camera.id;
    this.#canvas = this.element.querySelector("canvas");
    this.#name = this.element.querySelector("strong");
    this.#covered = this.element.querySelector(".covered");
    this.#scale = scale;
    this.name = camera.name;
  }

  get name() {
    return this.#name.textContent;
  }

  set name(text) {
    this.#name.textContent = text;
  }

  /** How much of the last time was recorded, in words. */
  set covered({ text, bad, title }) {
    this.#covered.textContent = text;
    this.#covered.title = title;
    this.#covered.classList.toggle("bad", bad);
  }

  draw(known, colours, now) {
    const scale = this.#scale;
    const context = prepared(this.#canvas, scale.width, HEIGHT);
    const bar = (begin, end, colour, least = 0) => {
      const from = Math.max(-1, scale.x(begin));
      const to = Math.min(scale.width + 1, scale.x(end));
      if (to < 0 || from > scale.width || to < from) return null;
      const width = Math.max(least, to - from);
      const left = from - Math.max(0, width - (to - from)) / 2;
      context.fillStyle = colour;
      context.fillRect(left, BAR.top, width, BAR.height);
      return [left, width];
    };
    bar(scale.begin, Math.min(scale.end, now), colours.track);
    if (now < scale.end) bar(now, scale.end, colours.ahead);
    if (!known) return;
    for (const gap of known.gaps) {
      if (gap.meant && !FAINT.has(gap.cause)) bar(gap.begin_utc_s, gap.end_utc_s, colours.meant);
    }
    for (const span of known.spans) bar(span.begin_utc_s, span.end_utc_s, colours.footage, 0.6);
    for (const gap of known.gaps) {
      if (gap.meant) continue;
      const at = bar(gap.begin_utc_s, gap.end_utc_s, colours[looks(gap)], LEAST_PX);
      if (at && at[1] > 8) hatch(context, ...at);
    }
    for (const event of known.events) this.#event(context, event, colours, now);
    for (const clip of known.clips) this.#clip(context, clip, colours);
    this.#canvas.setAttribute("aria-label", this.#summary(known));
  }

  /** What there is at a moment, in words; `near` takes what is too thin to be hit, too. */
  words(known, time) {
    if (!known || time < known.from || time > known.to) return { kind: "unknown", text: "" };
    const near = NEAR_PX * this.#scale.grain;
    const hit = (one, slack) => time >= one.begin_utc_s - slack && time <= (one.end_utc_s ?? one.begin_utc_s) + slack;
    const more = [
      ...known.events.filter((one) => hit(one, near)).map((one) => one.label + (one.end_utc_s ? "" : " …")),
      ...known.clips.filter((one) => hit(one, 0)).map((one) => (one.title ? t("past.kept_as", { title: one.title }) : t("past.is_kept"))),
    ];
    const gap =
      known.gaps.find((one) => hit(one, 0)) ?? known.gaps.find((one) => !one.meant && hit(one, near)) ?? null;
    if (!gap) return { kind: "footage", text: more.join(" · ") };
    return { kind: looks(gap), text: [`${gapWords(gap)} (${lasted(gap, known, time)})`, ...more].join(" · ") };
  }

  #event(context, event, colours, now) {
    const from = this.#scale.x(event.begin_utc_s);
    const to = this.#scale.x(Math.min(event.end_utc_s ?? event.begin_utc_s, now));
    if (to < 0 || from > this.#scale.width) return;
    context.fillStyle = colours.event;
    context.fillRect(from - 1, 2, Math.max(2, to - from), 5);
    context.fillRect(from - 1, 2, 2, BAR.top + 3);
  }

  #clip(context, clip, colours) {
    const [from, to] = [this.#scale.x(clip.begin_utc_s), this.#scale.x(clip.end_utc_s ?? clip.begin_utc_s)];
    if (to < 0 || from > this.#scale.width) return;
    const bottom = BAR.top + BAR.height + 5;
    context.strokeStyle = colours.kept;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(from, bottom - 7);
    context.lineTo(from, bottom);
    context.lineTo(Math.max(to, from + 3), bottom);
    context.lineTo(Math.max(to, from + 3), bottom - 7);
    context.stroke();
    context.lineWidth = 1;
  }

  #summary(known) {
    const missing = known.gaps.filter((gap) => !gap.meant).length;
    const values = { name: this.name, share: percent(known.share, 1), count: missing };
    return missing ? t("past.lane_missing", values) : t("past.lane", values);
  }
}

// What was asked for may end before the gap does: then nobody knows here how long it lasts.
function lasted(gap, known, near) {
  const moment = (time) => (times.day(time) === times.day(near) ? times.time(time) : times.dayAndTime(time));
  const begins = gap.begin_utc_s > known.from + 1 ? moment(gap.begin_utc_s) : "";
  const ends = gap.end_utc_s < known.to - 1 ? moment(gap.end_utc_s) : "";
  if (begins && ends) return `${begins} – ${ends}, ${times.lasting(gap.end_utc_s - gap.begin_utc_s)}`;
  return begins ? t("past.gap_since", { time: begins }) : ends ? t("past.gap_until", { time: ends }) : t("past.gap_all");
}

// Not by colour alone.
function hatch(context, left, width) {
  context.save();
  context.beginPath();
  context.rect(left, BAR.top, width, BAR.height);
  context.clip();
  context.strokeStyle = "#ffffff66";
  context.lineWidth = 1.5;
  context.beginPath();
  for (let x = left - BAR.height - (left % 7); x < left + width; x += 7) {
    context.moveTo(x, BAR.top + BAR.height);
    context.lineTo(x + BAR.height, BAR.top);
  }
  context.stroke();
  context.restore();
}
