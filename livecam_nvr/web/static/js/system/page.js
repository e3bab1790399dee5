// The page of the system: its parts, one of which is shown, and who may see which.

import { t } from "../texts.js";
import { showAccount } from "../account.js";
import { watchStatus } from "../api.js";
import { make } from "../dom.js";
import { enter, may } from "../session.js";
import { State } from "./state.js";

// What a watcher does not see is not loaded either.
const PARTS = {
  state: ["watcher", async () => State],
  settings: ["admin", async () => (await import("./settings/page.js")).Settings],
  users: ["admin", async () => (await import("./users.js")).Users],
  tokens: ["admin", async () => (await import("./tokens.js")).Tokens],
  log: ["admin", async () => (await import("./log.js")).Log],
  audit: ["admin", async () => (await import("./audit.js")).Audit],
};

const notice = document.getElementById("notice");
const place = document.getElementById("part");
const links = [...document.querySelectorAll("#parts a")];
let name = "";
let part = null;
let status = null;
let turn = 0;

const wanted = () => {
  const asked = location.hash.slice(1);
  return Object.hasOwn(PARTS, asked) && may(PARTS[asked][0]) ? asked : "state";
};

/** Shows the part that the address asks for; one with unsaved changes may keep its reader. */
async function open() {
  const next = wanted();
  if (next === name) return;
  if (part?.hasChanges?.() && !(await part.mayLeave())) {
    history.replaceState(null, "", `#${name}`);
    return;
  }
  const mine = ++turn;
  part?.close?.();
  part = null;
  const moved = name !== "";
  name = next;
  for (const link of links) {
    link.ariaCurrent = link.hash === `#${name}` ? "page" : null;
    if (link.ariaCurrent) link.parentElement.scrollLeft = link.offsetLeft - 60; // on a narrow screen they are a strip
  }
  document.title = `${t(`system.${name}`)} · ${status?.name ?? "livecam-nvr"}`;
  const holder = make("div", { className: `part part-${name}` });
  place.replaceChildren(holder);
  const Part = await PARTS[name][1]();
  if (mine !== turn) return;
  part = new Part(holder, who);
  if (status) part.status?.(status);
  if (moved) place.focus({ preventScroll: true });
}

function show(now) {
  const first = status === null;
  status = now;
  notice.hidden = true;
  document.getElementById("name").textContent = status.name;
  if (first) document.title = `${t(`system.${name || "state"}`)} · ${status.name}`;
  part?.status?.(status);
}

function lost() {
  notice.textContent = t("system.lost");
  notice.hidden = false;
  part?.lost?.();
}

const who = await enter(lost);
showAccount(document.getElementById("account"), who);
if (may("watcher")) {
  addEventListener("hashchange", open);
  addEventListener("beforeunload", (event) => part?.hasChanges?.() && event.preventDefault());
  await open();
  watchStatus(show, lost);
} else {
  notice.textContent = t("system.not_yours");
  notice.hidden = false;
}
