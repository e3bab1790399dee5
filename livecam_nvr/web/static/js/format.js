// Figures and times in words.

import { locale, number, t } from "./texts.js";

export function bytes(count) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let at = 0;
  while (count >= 1000 && at < units.length - 1) {
    count /= 1000;
    at += 1;
  }
  return `${number(count, at && count < 100 ? 1 : 0)} ${units[at]}`;
}

export function bitrate(bps) {
  if (!bps) return "–";
  return bps < 1e6 ? `${number(bps / 1e3)} kbit/s` : `${number(bps / 1e6, 1)} Mbit/s`;
}

export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return t("unit.s", { s });
  if (s < 3600) return t("unit.min", { min: Math.floor(s / 60), s: s % 60 });
  if (s < 86400) return t("unit.h", { h: Math.floor(s / 3600), min: Math.floor((s % 3600) / 60) });
  return t("unit.d", { d: Math.floor(s / 86400), h: Math.floor((s % 86400) / 3600) });
}

export const milliseconds = (ms) => `${number(ms, Math.abs(ms) < 10 ? 1 : 0)} ms`;

export const count = (value) => number(value);

export const percent = (share, decimals) => t("unit.percent", { value: number(share * 100, decimals) });

export const time = (utcSeconds) =>
  new Date(utcSeconds * 1000).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
