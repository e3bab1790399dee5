// What the config's schema says of a setting: what sort of thing it is, its title, help, unit, bounds, default.

import { t, told } from "../../texts.js";
import { named } from "../words.js";

const CAPITALS = /\b(http|rtsp|rtsps|udp|hls|tls|mqtt|onvif|url|id|ca|fps)\b/g;
const UNITS = { seconds: "s", minutes: "min", days: "d", kbps: "kbit/s", us: "µs", fps: "fps" };
const SIZES = new Set(["max_size", "keep_free", "min_free", "warning_free", "critical_free"]);
const MULTIPLES = ["B", "KiB", "MiB", "GiB", "TiB"];

/** The schema itself, without references and without null as one of its forms. */
export function plain(schema, root) {
  let found = schema;
  while (found.$ref) {
    const { $ref, ...own } = found;
    found = { ...at(root, $ref), ...own };
  }
  const forms = found.anyOf?.filter((form) => form.type !== "null");
  if (forms?.length !== 1) return found;
  const { anyOf: _, ...own } = found;
  return { ...plain(forms[0], root), ...own, nullable: forms.length < found.anyOf.length };
}

const at = (root, reference) => reference.split("/").slice(1).reduce((place, step) => place[step], root);

/** `secret`, `switch`, `choice`, `size`, `number`, `text`, `lines`, `ticks`, `list`, `section` or `raw`. */
export function kindOf(key, schema, root, value) {
  if (schema.writeOnly || schema.format === "password" || value?.secret) return "secret";
  if (schema.type === "boolean") return "switch";
  if (schema.enum) return "choice";
  if (SIZES.has(key) || schema.format === "byte-size") return "size";
  if (schema.type === "number" || schema.type === "integer") return "number";
  if (schema.type === "string") return "text";
  if (schema.type === "object" && schema.properties) return "section";
  if (schema.type === "array" && schema.items) {
    const items = plain(schema.items, root);
    if (items.enum) return "ticks";
    if (items.properties) return "list";
    if (items.type === "string") return "lines";
  }
  return "raw";
}

/** The forms of a camera: its kinds, each with its schema. */
export function kinds(root) {
  const items = plain(root.properties.cameras, root).items;
  const forms = (plain(items, root).oneOf ?? plain(items, root).anyOf ?? []).map((form) => plain(form, root));
  return Object.fromEntries(forms.map((form) => [form.properties.kind.const ?? form.properties.kind.enum[0], form]));
}

/** `Stall seconds` for `stall_seconds`, in this language if it has words for it. */
export function titleOf(key) {
  const words = key.replaceAll("_", " ").replace(/ (seconds|minutes|days|kbps|us)$/, "").replace(CAPITALS, (word) => word.toUpperCase());
  return named(`setting.${key}`, words[0].toUpperCase() + words.slice(1).replace("Webrtc", "WebRTC"));
}

/** What it does, in words. */
export const helpOf = (key, { description }) => (description ? told(`setting.help.${key}`, description) : "");

/** What its number counts; empty if nothing. */
export function unitOf(key) {
  const last = key.split("_").pop();
  return UNITS[last] ?? "";
}

/** `1 to 120`; empty without bounds. */
export function boundsOf({ minimum: low, maximum, exclusiveMinimum, maxLength, type }) {
  if (type === "string") return maxLength ? t("settings.at_most_signs", { count: maxLength }) : "";
  if (low !== undefined && maximum !== undefined) return t("settings.from_to", { from: figure(low), to: figure(maximum) });
  if (maximum !== undefined && exclusiveMinimum === 0) return t("settings.at_most", { to: figure(maximum) });
  return low === undefined || low === 0 ? "" : t("settings.at_least", { from: figure(low) });
}

/** The default in words; empty if there is none, or none that says something. */
export function defaultOf(kind, schema) {
  const value = schema.default;
  if (value === undefined || value === null || value === "" || (typeof value === "object" && !Array.isArray(value))) return "";
  if (kind === "switch") return t(value ? "settings.on" : "settings.off");
  if (kind === "choice") return choiceInWords(value);
  if (kind === "size") return size(value);
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "number" ? figure(value) : String(value);
}

export const choiceInWords = (value) => named(`setting.choice.${value}`, String(value));

const figure = String; // a port is not written with a thousands separator

/** Bytes as the config has them: `1GiB`. */
export function size(value) {
  if (typeof value !== "number") return String(value);
  let step = 0;
  while (value && value % 1024 === 0 && step < MULTIPLES.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${value}${MULTIPLES[step]}`;
}
