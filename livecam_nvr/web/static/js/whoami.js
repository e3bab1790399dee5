// Asks the service who is signed in.

import { ours } from "./address.js";
import { note } from "./clock.js";

const ANSWER_MS = 5_000; // a connection that is dead, as after the computer slept, may never say so itself

let begun = null;

/** Asks already, for whoever asks next. */
export function begin() {
  begun = fetched();
}

/** What `api/session` answers; null if the service does not answer. */
export function ask() {
  const answer = begun ?? fetched();
  begun = null;
  return answer;
}

async function fetched() {
  try {
    const response = await fetch(ours("api/session"), { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    note(response.headers.get("Date"));
    if (response.status === 401) return { signed_in: false }; // the browser itself sends a wrong password along
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}
