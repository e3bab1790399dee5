// Moments in words and in input fields, in the browser's time zone.

import { duration } from "../format.js";
import { locale, number, t } from "../texts.js";

const two = (value) => String(value).padStart(2, "0");

const date = (s) => new Date(s * 1000);

export const day = (s) => {
  const at = date(s);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
};

/** The first moment of a day such as 2026-11-21, or of the one so many days later. */
export const dayBegin = (name, later = 0) => {
  const [year, month, number] = name.split("-").map(Number);
  return new Date(year, month - 1, number + later).getTime() / 1000;
};

export const dayInWords = (name) =>
  date(dayBegin(name)).toLocaleDateString(locale, { weekday: "short", day: "numeric", month: "short", year: "numeric" });

export const time = (s) =>
  date(s).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** How long something lasts: what is short, to the tenth of a second. */
export const lasting = (s) => (s < 9.95 ? t("unit.s", { s: number(s, 1) }) : duration(s));

export const minute = (s) => date(s).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

export const dayAndTime = (s) =>
  `${shortDay(s)} ${time(s)}`;

export const shortDay = (s) => date(s).toLocaleDateString(locale, { weekday: "short", day: "numeric", month: "short" });

/** A month and its year, by any moment in it. */
export const month = (s) => date(s).toLocaleDateString(locale, { month: "long", year: "numeric" });

// Where the week begins, 1 for Monday to 7: what the browser knows of this place, else as ISO 8601 has it.
const region = new Intl.Locale(locale);
const { firstDay } = region.getWeekInfo?.() ?? region.weekInfo ?? { firstDay: 1 };

/** What the days of the week are called, in the order in which a calendar shows them. */
export const weekdays = [0, 1, 2, 3, 4, 5, 6].map((day) =>
  new Date(2024, 0, firstDay + day).toLocaleDateString(locale, { weekday: "short" }),
);

/** Which place in the week a day has, from 0. */
export const placeInWeek = (s) => (date(s).getDay() + 7 - firstDay) % 7;

/** For `<input type="datetime-local" step="1">`. */
export const toField = (s) => `${day(s)}T${[date(s).getHours(), date(s).getMinutes(), date(s).getSeconds()].map(two).join(":")}`;

export const fromField = (text) => new Date(text).getTime() / 1000;
