// The axis: ticks at round local times, with the day where it changes.

import { prepared } from "./drawing.js";
import * as times from "./times.js";

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200];
const DAY_STEPS = [1, 2, 7, 14];
const APART_PX = 76;
const DAYS_APART_PX = 104;

/** Round local moments within a range, at least `apart` seconds from each other; and whether they are days. */
export function ticks(begin, end, apart) {
  const step = STEPS.find((seconds) => seconds >= apart);
  if (!step) {
    const apartDays = (apart * DAYS_APART_PX) / APART_PX / 86_400;
    return { days: true, at: dayTicks(begin, end, DAY_STEPS.find((days) => days >= apartDays) ?? 28) };
  }
  const at = [];
  // Counted from each local midnight: where the clocks change, hours are still full hours.
  for (let day = times.dayBegin(times.day(begin)); day < end; ) {
    const next = times.dayBegin(times.day(day), 1);
    const skip = Math.max(0, Math.ceil((begin - day) / step));
    for (let moment = day + skip * step; moment < Math.min(next, end); moment += step) at.push(moment);
    day = next;
  }
  return { days: false, at };
}

function dayTicks(begin, end, step) {
  const at = [];
  const first = times.day(begin);
  for (let days = 0; ; days += step) {
    const moment = times.dayBegin(first, days);
    if (moment >= end) return at;
    if (moment >= begin) at.push(moment);
  }
}

export class Axis {
  #canvas;
  #scale;

  constructor(canvas, scale) {
    this.#canvas = canvas;
    this.#scale = scale;
  }

  draw(colours) {
    const scale = this.#scale;
    const height = 34;
    const context = prepared(this.#canvas, scale.width, height);
    const { days, at } = ticks(scale.begin, scale.end, APART_PX * scale.grain);
    const fine = at.length > 1 && at[1] - at[0] < 60;
    context.font = `12px ${getComputedStyle(this.#canvas).fontFamily}`;
    context.textBaseline = "alphabetic";
    let labelled = 0;
    for (const moment of at) {
      const x = Math.round(scale.x(moment)) + 0.5;
      const midnight = moment === times.dayBegin(times.day(moment));
      context.strokeStyle = colours.line;
      context.beginPath();
      context.moveTo(x, midnight ? 4 : 24);
      context.lineTo(x, height);
      context.stroke();
      context.fillStyle = midnight ? colours.text : colours.soft;
      const text = midnight ? times.shortDay(moment) : days ? "" : fine ? times.time(moment) : times.minute(moment);
      const room = scale.width - x - 6 > context.measureText(text).width;
      if (text && x + 5 >= labelled && room) context.fillText(text, x + 5, midnight ? 14 : 31);
    }
    // Without a midnight in sight, nothing would tell the day.
    const first = at.find((moment) => moment === times.dayBegin(times.day(moment)));
    if (first === undefined || scale.x(first) > 130) {
      context.fillStyle = colours.text;
      context.fillText(times.shortDay(scale.begin), 4, 14);
    }
  }
}
