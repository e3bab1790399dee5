// What the service's HTTP API says of the past. Times are seconds since 1970, UTC. Errors are words for people.

import { note } from "./clock.js";

const camera = (id) => `/api/cameras/${encodeURIComponent(id)}`;
const range = (begin, end) => `from=${begin.toFixed(3)}&to=${end.toFixed(3)}`;

/** The answer of any address of the service; throws an Error in words, or an AbortError. */
export async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The service does not answer.");
  }
  note(response.headers.get("Date"));
  if (!response.ok) throw await inWords(response);
  return response;
}

async function inWords(response) {
  let said = "";
  try {
    const { error } = await response.json();
    said = [error.message, error.hint].filter(Boolean).join("; ");
  } catch {
    // Not the service's own words: something on the way answered.
  }
  const error = new Error(said || `The service refuses (${response.status}).`);
  error.status = response.status;
  return error;
}

const read = async (path, signal) => (await ask(path, { signal })).json();

const order = async (path, method, body) =>
  (
    await ask(path, {
      method,
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
    })
  ).json();

export const status = () => read("/api/status");
export const retention = () => read("/api/retention");
export const days = async (id) => (await read(`${camera(id)}/days`)).days;
export const coverage = (id, begin, end, signal) => read(`${camera(id)}/coverage?${range(begin, end)}`, signal);
export const timeline = (id, begin, end, signal) => read(`${camera(id)}/timeline?${range(begin, end)}`, signal);
export const playlistUrl = (id, begin, end) => `${camera(id)}/playback.m3u8?${range(begin, end)}`;
export const downloadUrl = (id, begin, end) => `${camera(id)}/playback.mp4?${range(begin, end)}&download=1`;

/** When the first file that ends after a moment begins; null if there is none. */
export async function nextFile(id, after, before, signal) {
  const { segments } = await read(`${camera(id)}/segments?${range(after, before)}&limit=1`, signal);
  return segments.length ? Math.max(after, segments[0].start_utc_s) : null;
}

/** A small picture of a moment, as a Blob. */
export const thumbnail = async (id, at, height, signal) =>
  (await ask(`${camera(id)}/thumbnail.jpg?at=${at.toFixed(3)}&height=${height}`, { signal })).blob();

export const keep = (id, begin, end, title) =>
  order(`${camera(id)}/keep`, "POST", { from: begin.toFixed(3), to: end.toFixed(3), title });
export const clips = async () => (await read("/api/clips")).clips;
export const release = (clipId) => order(`/api/clips/${encodeURIComponent(clipId)}`, "DELETE");

export const exports = async () => (await read("/api/exports")).exports;
export const removeExport = (id) => order(`/api/exports/${encodeURIComponent(id)}`, "DELETE");
export const startExport = (cameras, begin, end, exact, title) =>
  order("/api/exports", "POST", { cameras, from: begin.toFixed(3), to: end.toFixed(3), exact, title });
