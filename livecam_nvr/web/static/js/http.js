// Requests to the service. Errors are words for people; where nobody is signed in any more, the page is left.

import { whole } from "./address.js";
import { note } from "./clock.js";
import { isStillIn } from "./session.js";
import { t } from "./texts.js";

/**
 * The answer of an address of the service. Throws an AbortError, or an Error in words with `status` and, if one has
 * to wait, `retryAfterS`.
 */
export async function ask(path, options = {}) {
  const response = await bare(path, options);
  if (response.ok) return response;
  const error = await inWords(response);
  // Somebody who was signed out meanwhile, or whose role was changed, is not told so by every single thing.
  if (response.status === 401 || response.status === 403) await isStillIn();
  throw error;
}

/** The same for a JSON body and answer, at the entrance too: there, 401 means a wrong password. */
export async function send(path, method, body, how = ask) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const response = await how(path, options);
  return response.status === 204 ? null : response.json();
}

/** As `ask`, but whoever is refused stays here. */
export async function askAtEntrance(path, options = {}) {
  const response = await bare(path, options);
  if (!response.ok) throw await inWords(response);
  return response;
}

async function bare(path, options) {
  try {
    const response = await fetch(whole(path), options);
    note(response.headers.get("Date"));
    return response;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(t("common.no_answer"));
  }
}

async function inWords(response) {
  let said = "";
  try {
    const { error } = await response.json();
    said = [error.message, error.hint].filter(Boolean).join("; ");
  } catch {
    // Not the service's own words: something on the way answered.
  }
  const error = new Error(said || t("common.refused", { status: response.status }));
  error.status = response.status;
  error.retryAfterS = Number(response.headers.get("Retry-After")) || 0;
  return error;
}
