// What the page of the system asks of the service.

import { camera } from "../api.js";
import { ask, send } from "../http.js";

const FRESH = { cache: "no-store" };
const get = async (path) => (await ask(path, FRESH)).json();
const name = encodeURIComponent;

/** The last 24 hours of a camera. */
export const coverage = (id) => get(camera(id, "coverage"));

/** Who brings Home Assistant our entities: `{carrier, since_utc_s, by, …}`. */
export const homeAssistant = () => get("api/home-assistant");
export const carryEntities = (carrier) => send("api/home-assistant", "POST", { carrier });

export const versions = async () => (await get("api/versions")).versions;

/** `{lines, newest}` of the log, after the line with this number. */
export const log = (after, limit) => get(`api/log?limit=${limit}&after=${after}`);

/** A part of the audit log: `{entries, older}`. */
export function audit({ deed, who, before, limit }) {
  const query = new URLSearchParams({ limit });
  if (deed) query.set("deed", deed);
  if (who) query.set("who", who);
  if (before) query.set("before", before);
  return get(`api/audit?${query}`);
}

export const users = async () => (await get("api/users")).users;
export const addUser = (user) => send("api/users", "POST", user);
export const changeUser = (user, change) => send(`api/users/${name(user)}`, "POST", change);
export const setPassword = (user, password) => send(`api/users/${name(user)}/password`, "POST", { password });
export const removeUser = (user) => send(`api/users/${name(user)}`, "DELETE");

export const tokens = async () => (await get("api/tokens")).tokens;
export const addToken = (token) => send("api/tokens", "POST", token);
export const removeToken = (id) => send(`api/tokens/${name(id)}`, "DELETE");

/** `{revision, schema, values, defaults}`. */
export const settings = () => get("api/settings");

/** `{mistakes, diff, effects}` of other values. */
export const checkSettings = (wanted) => send("api/settings/check", "POST", wanted);

/** Puts other values in force: `{applied, effects, revision}`. */
export const applySettings = (wanted) => send("api/settings", "POST", wanted);

/** The zip file of diagnostics, and the name that it is to have. */
export async function diagnostics() {
  const answer = await ask("api/diagnostics", FRESH);
  const found = /filename="([\w.-]+)"/.exec(answer.headers.get("Content-Disposition") ?? "");
  return { blob: await answer.blob(), name: found?.[1] ?? "livecam-nvr.zip" };
}
