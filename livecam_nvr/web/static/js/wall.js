// The wall: pictures only, as large as they fit, for a screen that nobody touches.

import { watchStatus } from "./api.js";
import { commonAspect, fit } from "./live/grid.js";
import { Picture } from "./live/picture.js";
import { enter, noCamera } from "./session.js";
import { t } from "./texts.js";

const SMALL_PX = 960;
const RESIZED_MS = 150;

const query = new URLSearchParams(location.search);
const wanted = (query.get("cameras") ?? "").split(",").map((id) => id.trim()).filter(Boolean);
const wall = document.getElementById("wall");
const notice = document.getElementById("notice");
const panes = new Map();
let version = null;
let resizeTimer = 0;
let who = null;

function show(status) {
  // Nobody is there to load the page anew after an update.
  if (version !== null && version !== status.version) return location.reload();
  version = status.version;
  document.title = status.name;
  const found = new Map(status.cameras.map((camera) => [camera.id, camera]));
  const ids = wanted.length ? wanted.filter((id) => found.has(id)) : [...found.keys()];
  const missing = wanted.filter((id) => !found.has(id));
  for (const [id, pane] of panes) {
    if (ids.includes(id)) continue;
    pane.picture.remove();
    pane.element.remove();
    panes.delete(id);
  }
  for (const id of ids) {
    if (panes.has(id)) panes.get(id).picture.update(found.get(id));
    else panes.set(id, open(found.get(id)));
    panes.get(id).camera = found.get(id);
    panes.get(id).element.querySelector(".title").textContent = found.get(id).name;
  }
  arrange(ids);
  const words = missing.map((id) => t("live.no_such_camera", { id }));
  if (!status.cameras.length) words.push(noCamera(who));
  tell(words.join(" "));
}

function open(camera) {
  const element = document.getElementById("tile").content.firstElementChild.cloneNode(true);
  element.dataset.camera = camera.id;
  return { element, camera, picture: new Picture(element, camera) };
}

function arrange(ids = [...panes.keys()]) {
  const shown = ids.map((id) => panes.get(id));
  const elements = shown.map(({ element }) => element);
  // A video that is put into its place again stops for a moment.
  if (elements.some((element, at) => wall.children[at] !== element)) wall.replaceChildren(...elements);
  const { columns, tile } = fit(ids.length, innerWidth, innerHeight, commonAspect(shown.map((pane) => pane.camera)), { scrolls: false });
  wall.style.setProperty("--columns", columns);
  wall.style.setProperty("--rows", Math.ceil(ids.length / columns));
  for (const { picture } of shown) {
    picture.fit(ids.length > 1 && tile < SMALL_PX);
    picture.play(!document.hidden);
  }
}

function lost() {
  for (const { picture } of panes.values()) picture.lost();
  if (!panes.size) tell(t("common.no_answer_retrying"));
}

function tell(text) {
  notice.textContent = text;
  notice.hidden = !text;
}

// Browsers give this to https and localhost only; elsewhere the machine's own settings have to keep the screen on.
async function stayAwake() {
  try {
    if (!document.hidden) await navigator.wakeLock?.request("screen");
  } catch {
    // Low battery, or not allowed: asked for again when the page is shown again.
  }
}

wall.classList.toggle("bare", query.get("labels") === "0");
document.addEventListener("visibilitychange", () => {
  stayAwake();
  arrange();
});
addEventListener("resize", () => {
  clearTimeout(resizeTimer);
  resizeTimer = setTimeout(() => arrange(), RESIZED_MS);
});

who = await enter(lost);
stayAwake();
watchStatus(show, lost);
setInterval(() => {
  for (const { picture } of panes.values()) picture.tick();
}, 250);
