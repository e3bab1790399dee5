// Who looks at this page, and what becomes of it when they may not any more.

import { here, ours } from "./address.js";
import { Backoff } from "./backoff.js";
import { t } from "./texts.js";
import { ask } from "./whoami.js";

const ROLES = ["viewer", "watcher", "operator", "admin"];

let who = null;
let asking = null;
let leaving = false;

/**
 * Who is signed in: `{name, kind, role, cameras, demo}`; `cameras` is null for all. Shows what their role may do:
 * what has `data-least="operator"` is hidden from weaker ones (app.css). Nobody: goes to the sign-in.
 * `onLost()` is called while the service does not answer.
 */
export async function enter(onLost) {
  const backoff = new Backoff();
  for (;;) {
    const answer = await ask();
    if (answer) {
      who = await admitted(answer);
      document.documentElement.dataset.may = ROLES.slice(0, rank() + 1).join(" ");
      // A page that "back" brings again as it was may be one that is not theirs to see any more.
      addEventListener("pageshow", (event) => event.persisted && isStillIn());
      return who;
    }
    onLost();
    await new Promise((resolve) => setTimeout(resolve, backoff.next()));
  }
}

/** Why there is no camera to be seen, in words. */
export const noCamera = ({ cameras }) =>
  cameras ? t("common.no_camera_of_yours") : t("common.no_camera");

/** Whether they may do what the role `least` may. */
export const may = (least) => rank() >= ROLES.indexOf(least);

// What admins alone may do concerns the whole service: whoever may not see all of it is no more than an operator.
const rank = () => ROLES.indexOf(who?.role === "admin" && who.cameras ? "operator" : who?.role);

/**
 * To be called when the service refuses something or ends a stream: whether it answers at all. If it says that
 * nobody is signed in here any more, the page is left, and if they may do something else now, it is loaded anew.
 */
export function isStillIn() {
  asking ??= compare().finally(() => (asking = null));
  return asking;
}

/** To the sign-in, to come back here if wanted. */
export function leave(page = "signin", back = true) {
  if (leaving) return;
  leaving = true;
  const next = here();
  const query = back && next !== "./" && page === "signin" ? `?next=${encodeURIComponent(next)}` : "";
  location.replace(ours(page) + query);
}

async function compare() {
  const answer = await ask();
  if (!answer || !who) return Boolean(answer);
  const now = await admitted(answer);
  if (rights(now) !== rights(who) && !leaving) {
    leaving = true;
    location.reload();
  }
  return leaving ? forever() : true;
}

async function admitted(answer) {
  if (answer.signed_in || answer.demo) return answer;
  leave(answer.setup ? "setup" : "signin");
  return forever();
}

const rights = ({ name, kind, role, cameras }) => JSON.stringify([name, kind, role, cameras]);

// While the browser leaves, nothing more is to happen here.
const forever = () => new Promise(() => {});
