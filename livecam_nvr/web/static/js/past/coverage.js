// How much was recorded, per camera; and what is missing on the day in sight, with the cause.

import * as api from "./api.js";
import { now } from "../clock.js";
import { looks } from "./lane.js";
import * as times from "./times.js";
import { gapWords } from "./words.js";
import * as format from "../format.js";
import { t } from "../texts.js";

const AGAIN_MS = 30_000;
const MOST_LISTED = 200;

// Never rounded up: what is missing is seen.
const percent = (share) => format.percent(Math.floor(share * 1000) / 1000, share >= 1 ? 0 : 1);

export class CoverageList {
  #element;
  #lanes;
  #onChoose;
  #day = "";
  #title = document.getElementById("gaps-title");
  #stop = null;

  /** `onChoose(cameraId, gap)` is called when a person chooses a gap. */
  constructor(element, lanes, onChoose) {
    this.#element = element;
    this.#lanes = lanes;
    this.#onChoose = onChoose;
    setInterval(() => !document.hidden && this.refresh(), AGAIN_MS);
  }

  see(day) {
    if (day === this.#day) return;
    this.#day = day;
    this.#title.textContent = t("past.missing_on", { day: times.dayInWords(day) });
    this.refresh();
  }

  async refresh() {
    const begin = times.dayBegin(this.#day);
    const ahead = begin >= now() - 1; // nothing of that day is over: only the last hours can be asked for
    const [from, to] = ahead ? [now() - 60, now()] : [begin, times.dayBegin(this.#day, 1)];
    this.#stop?.abort();
    const stop = (this.#stop = new AbortController());
    try {
      const found = await Promise.all(
        this.#lanes.lanes.map(async (lane) => {
          const coverage = await api.coverage(lane.id, from, to, stop.signal);
          lane.covered = inWords(coverage);
          return [lane, ahead ? [] : coverage.gaps.filter((gap) => !gap.meant), coverage.gaps_left_out];
        }),
      );
      this.#list(found);
    } catch (error) {
      if (error.name !== "AbortError") this.#element.replaceChildren(text("p", error.message));
    }
  }

  #list(found) {
    const held = document.activeElement?.dataset?.gap;
    if (this.#lanes.lanes.length === 0) return;
    this.#element.replaceChildren(
      ...found.map(([lane, gaps, leftOut]) => {
        const part = document.createElement("div");
        part.append(text("h3", lane.name));
        if (!gaps.length) part.append(text("p", t("past.nothing_missing"), "fine"));
        const list = document.createElement("ul");
        list.append(...gaps.slice(-MOST_LISTED).map((gap) => this.#gap(lane, gap)));
        if (gaps.length) part.append(list);
        const more = Math.max(0, gaps.length - MOST_LISTED) + leftOut;
        if (more) part.append(text("p", t("past.earlier_gaps", { count: more })));
        return part;
      }),
    );
    if (held) this.#element.querySelector(`[data-gap="${CSS.escape(held)}"]`)?.focus();
  }

  #gap(lane, gap) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.gap = `${lane.id} ${gap.begin_utc_s}`;
    button.className = looks(gap);
    button.append(
      text("b", `${times.time(gap.begin_utc_s)} – ${times.time(gap.end_utc_s)}`),
      text("span", t("past.gap", { time: times.lasting(gap.end_utc_s - gap.begin_utc_s), why: gapWords(gap) })),
    );
    button.addEventListener("click", () => this.#onChoose(lane.id, gap));
    item.append(button);
    return item;
  }
}

function inWords({ last_hour: hour, last_day: day }) {
  const missing = day.recorded_s / Math.max(1e-9, day.share_of_wanted) - day.recorded_s;
  const bad = day.share_of_wanted < 1 && (missing > 1 || day.recorded_s === 0);
  const shares = { hour: percent(hour.share), day: percent(day.share), missing: percent(1 - day.share_of_wanted) };
  return {
    text: bad ? t("past.covered_missing", shares) : t("past.covered", shares),
    title: t("past.covered_title", { hour: percent(hour.share_of_wanted), day: percent(day.share_of_wanted) }),
    bad,
  };
}

function text(tag, words, name = "") {
  const element = document.createElement(tag);
  element.textContent = words;
  if (name) element.className = name;
  return element;
}
