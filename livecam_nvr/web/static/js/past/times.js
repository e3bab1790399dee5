// Moments in words and in input fields, in the browser's time zone.

import { duration } from "../format.js";

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
  date(dayBegin(name)).toLocaleDateString([], { weekday: "short", day: "numeric", month: "short", year: "numeric" });

export const time = (s) =>
  date(s).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** How long something lasts: what is short, to the tenth of a second. */
export const lasting = (s) => (s < 9.95 ? `${s.toFixed(1)} s` : duration(s));

export const minute = (s) => date(s).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

export const dayAndTime = (s) =>
  `${date(s).toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" })} ${time(s)}`;

export const shortDay = (s) => date(s).toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" });

/** For `<input type="datetime-local" step="1">`. */
export const toField = (s) => `${day(s)}T${[date(s).getHours(), date(s).getMinutes(), date(s).getSeconds()].map(two).join(":")}`;

export const fromField = (text) => new Date(text).getTime() / 1000;
