// The day chooser: a month's calendar with the days marked that have footage of any camera.

import { bytes, duration } from "../format.js";
import { t } from "../texts.js";
import * as times from "./times.js";

/** `chosen` is a day such as 2026-11-21; `onChoose(day)` is called when a person chooses one, `onMoment(time)` when they
 * name a moment. */
export class Days {
  chosen = "";
  #button = document.getElementById("day");
  #calendar = document.getElementById("calendar");
  #month = "";
  #held = new Map();
  #onChoose;
  #moment = make("input");
  #sheet = make("div");

  constructor(onChoose, onMoment) {
    this.#onChoose = onChoose;
    const form = make("form", "moment");
    const label = make("label", "", t("past.moment_go"));
    const go = make("button", "", t("past.moment_do"));
    Object.assign(this.#moment, { type: "datetime-local", step: 1, required: true, id: "moment" });
    label.htmlFor = this.#moment.id;
    form.append(label, this.#moment, go);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const time = times.fromField(this.#moment.value);
      if (Number.isNaN(time)) return;
      this.#open(false);
      onMoment(time);
    });
    this.#calendar.append(this.#sheet, form);
    this.#button.addEventListener("click", () => this.#open(this.#calendar.hidden));
    document.getElementById("day-before").addEventListener("click", () => this.#pick(moved(this.chosen, -1)));
    document.getElementById("day-after").addEventListener("click", () => this.#pick(moved(this.chosen, 1)));
    this.#calendar.addEventListener("keydown", (event) => this.#key(event));
    addEventListener("pointerdown", (event) => {
      if (!this.#calendar.hidden && !event.target.closest(".days")) this.#open(false);
    });
  }

  /** What there is per day, of each camera. */
  update(lists) {
    this.#held = new Map();
    for (const { day, duration_s: lasts, bytes: size } of lists.flat()) {
      const sum = this.#held.get(day) ?? { lasts: 0, size: 0 };
      this.#held.set(day, { lasts: sum.lasts + lasts, size: sum.size + size });
    }
    if (!this.#calendar.hidden) this.#draw();
  }

  /** The first day with footage; undefined if there is none. */
  get oldest() {
    return [...this.#held.keys()].sort()[0];
  }

  /** Another day is in sight. */
  see(day) {
    if (day === this.chosen) return;
    this.chosen = day;
    this.#button.textContent = `${times.dayInWords(day)} ▾`;
    this.#button.ariaLabel = t("past.day_label", { day: times.dayInWords(day) });
    if (!this.#calendar.hidden) this.#draw();
  }

  #pick(day) {
    this.see(day);
    this.#open(false);
    this.#onChoose(day);
  }

  #open(is) {
    if (is) {
      this.#month = this.chosen.slice(0, 7);
      this.#moment.value ||= `${this.chosen}T12:00:00`;
      this.#draw();
    }
    this.#calendar.hidden = !is;
    this.#button.setAttribute("aria-expanded", String(is));
    if (is) this.#calendar.querySelector(`[data-day="${this.chosen}"]`)?.focus();
  }

  #key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
    if (event.key === "Escape") {
      this.#open(false);
      this.#button.focus();
    } else if (by && event.target.dataset.day) {
      event.preventDefault();
      const day = moved(event.target.dataset.day, by);
      if (day.slice(0, 7) !== this.#month) {
        this.#month = day.slice(0, 7);
        this.#draw();
      }
      this.#calendar.querySelector(`[data-day="${day}"]`)?.focus();
    }
  }

  #draw() {
    const first = `${this.#month}-01`;
    const head = make("div", "month");
    const title = make("strong", "", times.month(times.dayBegin(first)));
    head.append(this.#turn(-1), title, this.#turn(1));
    const grid = make("div", "grid");
    for (const name of times.weekdays) grid.append(make("span", "", name));
    const skip = times.placeInWeek(times.dayBegin(first));
    for (let n = 0; n < skip; n += 1) grid.append(make("i"));
    for (let day = first; day.slice(0, 7) === this.#month; day = moved(day, 1)) grid.append(this.#day(day));
    this.#sheet.replaceChildren(head, grid);
  }

  #turn(by) {
    const button = make("button", "", by < 0 ? "‹" : "›");
    button.type = "button";
    button.ariaLabel = by < 0 ? t("past.month_before") : t("past.month_after");
    button.addEventListener("click", () => {
      this.#month = moved(`${this.#month}-15`, by * 30).slice(0, 7);
      this.#draw();
      this.#calendar.querySelectorAll(".month button")[by < 0 ? 0 : 1].focus();
    });
    return button;
  }

  #day(day) {
    const held = this.#held.get(day);
    const button = make("button", held ? "held" : "");
    const number = make("b", "", String(Number(day.slice(8))));
    number.ariaHidden = "true";
    button.type = "button";
    button.dataset.day = day;
    button.title = held ? `${duration(held.lasts)}, ${bytes(held.size)}` : t("past.nothing_on_day");
    button.append(number, make("em", "unseen", `${times.dayInWords(day)}: ${button.title}`));
    if (day === this.chosen) button.setAttribute("aria-current", "date");
    button.addEventListener("click", () => this.#pick(day));
    return button;
  }
}

const moved = (day, by) => times.day(times.dayBegin(day, by));

function make(tag, name = "", text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.textContent = text;
  return element;
}
