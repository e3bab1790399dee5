// The disk's state in words: a fact for the header, and what has to be read about it.

import { bytes } from "./format.js";

const LEVELS = { ok: "", warning: "bad", critical: "worse", full: "worse" };

const worst = ({ level, problem }) => LEVELS[level] || (problem ? "bad" : "");

/** `[kind, text, title]` for the header. */
export const fact = (disk) => [worst(disk), `${bytes(disk.free_bytes)} free`, disk.reason || disk.path];

/** The trouble, and what to do about it; empty if there is none. */
export function warning(disk) {
  if (!worst(disk)) return "";
  return `Recordings: ${[disk.reason || `the disk's level is ${disk.level}`, disk.hint].filter(Boolean).join("; ")}`;
}
