// The live page: puts tiles, views, keys and the service's facts together.

import { showAccount } from "./account.js";
import { watchStatus } from "./api.js";
import * as disk from "./disk.js";
import { showFacts } from "./live/facts.js";
import { commonAspect, fit, warm } from "./live/grid.js";
import { draw } from "./live/icons.js";
import { Keys } from "./live/keys.js";
import { keysOf } from "./live/shortcuts.js";
import { swipe } from "./live/swipe.js";
import { Tile } from "./live/tile.js";
import { toast } from "./live/toast.js";
import { toggleFull } from "./live/tools.js";
import { enter, noCamera } from "./session.js";
import { t } from "./texts.js";
import { Views } from "./views.js";

const HIDDEN_GRACE_MS = 5000; // a tab that is hidden for longer stops playing
const SMALL_PX = 960; // a picture that is less wide does not need the camera's main stream
const FEW = 9; // so many begin to play before it is known which are in sight
const BEHIND = 3;
const EDGES_PX = 2;
const LEFT_MS = 3000;
const RESIZED_MS = 150;
const DETAILS = "livecam-nvr.details";

const tiles = new Map();
const main = document.getElementById("tiles");
const notice = document.getElementById("notice");
const facts = document.getElementById("facts");
const views = new Views(document.getElementById("views"), arrange, { keys: false });
let status = null;
let asleep = false;
let hiddenTimer = 0;
let resizeTimer = 0;
let before = null; // the view that was left for a full screen
let who = null;

const page = {
  isAlone: () => views.current !== "" || tiles.size === 1,
  show: (id) => views.show(id),
  details: sessionStorage.getItem(DETAILS) === "yes",
  showDetails(on) {
    this.details = on;
    sessionStorage.setItem(DETAILS, on ? "yes" : "no");
    for (const tile of tiles.values()) tile.showDetails(on);
    if (status) showFacts(facts, status, on);
  },
  async fullScreen(tile) {
    before = document.fullscreenElement || !tile ? before : views.current;
    if (tile) views.show(tile.camera.id);
    await toggleFull(main, (tile ?? tiles.values().next().value)?.picture.video);
  },
};

// What scrolled out of sight need not be played, unless it soon comes back.
const leaving = new Map();
const sight = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      clearTimeout(leaving.get(target));
      const say = () => {
        target.dataset.inSight = isIntersecting ? "yes" : "no";
        play();
      };
      if (isIntersecting) say();
      else leaving.set(target, setTimeout(say, LEFT_MS));
    }
  },
  { rootMargin: "200px" },
);

function arrange() {
  const alone = views.current;
  const shown = [...tiles.values()].filter((tile) => alone === "" || tile.camera.id === alone);
  const aspect = commonAspect(shown.map((tile) => tile.camera));
  main.classList.toggle("alone", page.isAlone());
  for (const tile of tiles.values()) {
    tile.element.hidden = !shown.includes(tile);
    if (tile.element.hidden) tile.zoom.reset();
  }
  measure(shown, aspect);
  for (const tile of tiles.values()) tile.picture.fit(!shown.includes(tile) || (!page.isAlone() && main.dataset.tile < SMALL_PX));
  play();
}

function measure(shown, aspect) {
  const style = getComputedStyle(main);
  const pad = (...sides) => sides.reduce((sum, side) => sum + parseFloat(style[`padding${side}`]), 0);
  const full = document.fullscreenElement === main;
  const height = full ? innerHeight : innerHeight - (main.getBoundingClientRect().top + scrollY);
  const [first] = shown;
  const extra = first ? heightOf(first, ".head") + heightOf(first, ".foot") + EDGES_PX : 0;
  const room = { extra, gap: parseFloat(style.columnGap) || 0 };
  const width = main.clientWidth - pad("Left", "Right");
  const found = fit(shown.length, width, height - pad("Top", "Bottom"), aspect, room);
  main.dataset.tile = found.tile;
  main.style.setProperty("--columns", found.columns);
  main.style.setProperty("--tile", `${found.tile}px`);
  main.style.setProperty("--aspect", aspect);
}

const heightOf = (tile, selector) => tile.element.querySelector(selector).offsetHeight;

function play() {
  const alone = views.current;
  const few = tiles.size <= FEW ? "yes" : "no"; // until it is known
  const near = navigator.connection?.saveData ? [] : warm(views.ids, alone);
  // Behind the others, a picture goes on as if it was seen, so that it is there at once; further away, it rests.
  const behind = new Set(near.slice(0, BEHIND));
  for (const [id, tile] of tiles) {
    tile.element.classList.toggle("behind", behind.has(id));
    const seen = !tile.element.hidden && (tile.element.dataset.inSight ?? few) === "yes";
    tile.picture.play(tile.isInWindow || (!asleep && (seen || near.includes(id))));
  }
}

function show(found) {
  status = found;
  document.title = document.getElementById("name").textContent = status.name;
  notice.hidden = true;
  const known = new Map(status.cameras.map((camera) => [camera.id, camera]));
  for (const [id, tile] of tiles) if (!known.has(id) && !tile.element.classList.contains("gone")) goodbye(id, tile);
  let changed = false;
  for (const camera of status.cameras) {
    const tile = tiles.get(camera.id);
    if (tile) {
      changed ||= tile.camera.width !== camera.width || tile.camera.height !== camera.height;
      changed ||= tile.element.classList.contains("gone");
      tile.update(camera);
    } else {
      changed = true;
      add(camera);
    }
  }
  views.update([...tiles.values()].map((tile) => tile.camera));
  if (changed) arrange();
  showFacts(facts, status, page.details);
  if (!status.cameras.length) tell(noCamera(who));
  const trouble = disk.warning(status.disk);
  if (trouble) tell(trouble);
}

function add(camera) {
  const tile = new Tile(camera, page);
  tiles.set(camera.id, tile);
  main.append(tile.element);
  tile.showDetails(page.details);
  sight.observe(tile.element);
}

// A camera that was removed is told so where it was, and goes; whoever looked at it alone gets the others to see.
function goodbye(id, tile) {
  tile.remove(() => {
    const wasAlone = views.current === id;
    sight.unobserve(tile.element);
    tile.element.remove();
    tiles.delete(id);
    if (wasAlone) {
      views.show("");
      toast(t("live.removed_name", { name: tile.camera.name }));
    }
    views.update([...tiles.values()].map((other) => other.camera));
    arrange();
  });
}

function tell(text) {
  notice.textContent = text;
  notice.hidden = false;
}

function lost() {
  tell(t("common.no_answer_retrying"));
  for (const tile of tiles.values()) tile.picture.lost();
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(hiddenTimer);
  const change = () => {
    asleep = document.hidden;
    play();
  };
  if (document.hidden) hiddenTimer = setTimeout(change, HIDDEN_GRACE_MS);
  else change();
});

addEventListener("resize", () => {
  clearTimeout(resizeTimer);
  resizeTimer = setTimeout(arrange, RESIZED_MS);
});

document.addEventListener("fullscreenchange", () => {
  if (!document.fullscreenElement && before !== null) {
    views.show(before);
    before = null;
  }
  arrange();
});

const keys = new Keys(keysOf(page, views, tiles, () => keys.help()));
const help = document.getElementById("help");
draw(help.parentNode);
help.addEventListener("click", () => keys.help());
swipe(main, () => page.isAlone() && [...tiles.values()].every(({ zoom }) => zoom.scale === 1), (by) => views.move(by));

who = await enter(lost);
showAccount(document.getElementById("account"), who);
document.getElementById("tile").content.querySelector(".needs").hidden = !who.signed_in;
watchStatus(show, lost);

setInterval(() => {
  for (const tile of tiles.values()) tile.tick();
}, 250);
