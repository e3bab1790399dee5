// Moments in words.

import { language, t } from "../texts.js";

const day = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const today = new Intl.DateTimeFormat(language, { timeStyle: "short" });

/** A moment, without the day if that is today. */
export function moment(utcSeconds) {
  const at = new Date(utcSeconds * 1000);
  return at.toDateString() === new Date().toDateString() ? t("system.today_at", { time: today.format(at) }) : day.format(at);
}

/** The same, or a word for never. */
export const momentOr = (utcSeconds, never) => (utcSeconds ? moment(utcSeconds) : never);

const exact = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const dated = new Intl.DateTimeFormat(language, { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

/** A moment to the second, without the day if that is today. */
export function clock(utcSeconds) {
  const at = new Date(utcSeconds * 1000);
  return (at.toDateString() === new Date().toDateString() ? exact : dated).format(at);
}

/** What the service calls something, in words of this page if it has some. */
export function named(key, words) {
  const found = t(key);
  return found === key ? words : found;
}
