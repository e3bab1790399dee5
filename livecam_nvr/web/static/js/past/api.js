// What the service's HTTP API says of the past. Times are seconds since 1970, UTC. Errors are words for people.

import { camera } from "../api.js";
import { ask, send } from "../http.js";

export { ask };

const ANSWER_MS = 10_000; // a connection that is dead, as after the computer slept, may never say so itself

const range = (begin, end) => `from=${begin.toFixed(3)}&to=${end.toFixed(3)}`;

const read = async (path, signal) => (await ask(path, { signal })).json();

export const status = () => read("api/status", AbortSignal.timeout(ANSWER_MS));
export const retention = () => read("api/retention");
export const days = async (id) => (await read(camera(id, "days"))).days;
export const coverage = (id, begin, end, signal) => read(camera(id, `coverage?${range(begin, end)}`), signal);
export const timeline = (id, begin, end, signal) => read(camera(id, `timeline?${range(begin, end)}`), signal);
export const playlistUrl = (id, begin, end) => camera(id, `playback.m3u8?${range(begin, end)}`);
export const downloadUrl = (id, begin, end) => camera(id, `playback.mp4?${range(begin, end)}&download=1`);

/** When the first file that ends after a moment begins; null if there is none. */
export async function nextFile(id, after, before, signal) {
  const { segments } = await read(camera(id, `segments?${range(after, before)}&limit=1`), signal);
  return segments.length ? Math.max(after, segments[0].start_utc_s) : null;
}

/** A small picture of a moment, as a Blob. */
export const thumbnail = async (id, at, height, signal) =>
  (await ask(camera(id, `thumbnail.jpg?at=${at.toFixed(3)}&height=${height}`), { signal })).blob();

export const keep = (id, begin, end, title) =>
  send(camera(id, "keep"), "POST", { from: begin.toFixed(3), to: end.toFixed(3), title });
export const clips = async () => (await read("api/clips")).clips;
export const release = (clipId) => send(`api/clips/${encodeURIComponent(clipId)}`, "DELETE");

export const exports = async () => (await read("api/exports")).exports;
export const removeExport = (id) => send(`api/exports/${encodeURIComponent(id)}`, "DELETE");
export const startExport = (cameras, begin, end, exact, title) =>
  send("api/exports", "POST", { cameras, from: begin.toFixed(3), to: end.toFixed(3), exact, title });
