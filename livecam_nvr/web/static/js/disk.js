// The disk's state in words: a fact for the header, and what has to be read about it.

import { bytes } from "./format.js";
import { t, told } from "./texts.js";

const LEVELS = { ok: "", warning: "bad", critical: "worse", full: "worse" };

const worst = ({ level, problem }) => LEVELS[level] || (problem ? "bad" : "");

/** `[kind, text, title]` for the header. */
export const fact = (disk) => [worst(disk), t("disk.free", { bytes: bytes(disk.free_bytes) }), disk.reason || disk.path];

/** The trouble, and what to do about it; empty if there is none. */
export function warning(disk) {
  if (!worst(disk)) return "";
  const trouble = disk.trouble === "none" ? disk.reason || t("disk.none", { level: disk.level }) : told(`disk.${disk.trouble}`, disk.reason);
  return t("disk.recordings", { trouble: [trouble, disk.hint].filter(Boolean).join("; ") });
}
