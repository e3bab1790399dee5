// The page of recordings: puts days, lanes, player, selection and lists together.

import * as api from "./api.js";
import { now } from "../clock.js";
import { Controls } from "./controls.js";
import { CoverageList } from "./coverage.js";
import { Days } from "./days.js";
import { Gestures } from "./gestures.js";
import * as holdings from "./holdings.js";
import { Lanes } from "./lanes.js";
import { ClipList, ExportList } from "./listed.js";
import { Orders } from "./orders.js";
import { Player } from "./player.js";
import { Preview } from "./preview.js";
import { TimeRecord } from "./record.js";
import { Scale } from "./scale.js";
import { Selection } from "./selection.js";
import * as times from "./times.js";
import { showAccount } from "../account.js";
import * as disk from "../disk.js";
import { enter, may, noCamera } from "../session.js";
import { t } from "../texts.js";
import { Views } from "../views.js";

const STATUS_MS = 5000;
const FORECAST_MS = 300_000;
const USUAL_SELECTION_S = 30;
const YEARS_S = 20 * 366 * 86_400; // before all that there is
const element = (id) => document.getElementById(id);

let cameras = [];
let retention = null;
let cursor = null;
let pointed = null;
let before = 0; // where the player was when it was last heard of

const scale = new Scale(now, changed);
const record = new TimeRecord(scale, () => lanes.draw(), (words) => tell("record", words));
const lanes = new Lanes(element("lanes"), scale, record, () => selection.place());
const preview = new Preview(element("preview"), element("lanes"));
const days = new Days((day) => showDay(day), (time) => {
  scale.around(time, Math.min(scale.span, 3600));
  watch(time);
});
const views = new Views(element("views"), arrange);
const player = new Player(element("screens"), Math.floor(now()) - YEARS_S, moved, (playing) => controls.playing(playing));
const selection = new Selection(element("overlay"), element("selection"), scale, () => orders.forget());
const coverage = new CoverageList(element("gaps"), lanes, (id, gap) => {
  scale.around((gap.begin_utc_s + gap.end_utc_s) / 2, Math.max(60, (gap.end_utc_s - gap.begin_utc_s) * 3));
  player.pause();
  player.seek(Math.max(0, gap.begin_utc_s - 1));
});
const nameOf = (id) => cameras.find((camera) => camera.id === id)?.name ?? id;
const exported = new ExportList(element("exports"), nameOf);
const kept = new ClipList(element("clips"), nameOf, (clip) => {
  scale.around((clip.begin_utc_s + clip.end_utc_s) / 2, Math.max(60, (clip.end_utc_s - clip.begin_utc_s) * 3));
  selection.set(clip.begin_utc_s, clip.end_utc_s);
  watch(clip.begin_utc_s);
}, () => record.refresh());
const orders = new Orders(element("selection"), selection, () => shown().map((camera) => camera.id), () => {
  kept.refresh();
  record.refresh();
}, () => exported.refresh());
const controls = new Controls(element("controls"), player, {
  "[": () => selection.move("begin", player.time ?? scale.time(scale.width / 2)),
  "]": () => selection.move("end", player.time ?? scale.time(scale.width / 2)),
  "+": () => scale.zoom(0.5),
  "-": () => scale.zoom(2),
});
const gestures = new Gestures(element("lanes"), scale, { onPoint, onLeave, onClick, onSelect, onKey });

function shown() {
  return views.current ? cameras.filter((camera) => camera.id === views.current) : cameras;
}

function arrange() {
  lanes.update(shown());
  record.cameras = shown().map((camera) => camera.id);
  player.show(shown());
  coverage.refresh();
}

function changed() {
  record.look();
  lanes.draw();
  preview.hide();
  // Of several days in sight, the one that was chosen stays.
  const several = scale.span > 1.1 * 86_400 && days.chosen;
  const stays = several && times.dayBegin(days.chosen, 1) > scale.begin && times.dayBegin(days.chosen) < scale.end;
  if (!stays) days.see(times.day(Math.min((scale.begin + scale.end) / 2, now())));
  coverage.see(days.chosen);
  for (const button of element("spans").children) {
    const span = button.dataset.span === "day" ? 86_400 : Number(button.dataset.span);
    button.setAttribute("aria-pressed", String(Math.abs(scale.span / span - 1) < 0.05));
  }
}

function moved(time) {
  // Turns the page; but whoever looks elsewhere meanwhile is left there.
  const left = time - scale.end;
  const leaves = player.playing && before <= scale.end && left > 0 && left < scale.span * 0.1;
  if (leaves) scale.show(time - scale.span * 0.1, time + scale.span * 0.9);
  before = time;
  lanes.play(time);
  controls.moved(time);
}

function watch(time) {
  controls.ready(true);
  player.seek(time);
  player.play();
}

function showDay(day) {
  scale.show(times.dayBegin(day), times.dayBegin(day, 1));
}

function point(lane, x, aloud = false) {
  const time = scale.time(x);
  const found = lanes.point(lane, time, aloud);
  const box = element("lanes").getBoundingClientRect();
  const top = lane.element.getBoundingClientRect().top - box.top;
  // The pictures of moments that lie within a pixel are all the same to a person.
  const coarse = Math.max(0.5, 2 * scale.grain);
  const at = Math.min(Math.ceil(time / coarse) * coarse, now());
  const has = time <= now() && record.at(lane.id, at)?.footage;
  preview.show(x, top, lane, time, found, has ? at : null);
  pointed = lane;
}

function onPoint(x, clientY) {
  const lane = lanes.laneAt(clientY);
  if (lane) point(lane, x);
}

function onLeave() {
  preview.hide();
  lanes.unpoint();
}

function onClick(x) {
  cursor = scale.time(x);
  watch(cursor);
}

function onSelect(from, to) {
  selection.set(scale.time(Math.max(0, from)), Math.min(scale.time(to), now()));
}

function onKey(key, big) {
  const all = lanes.lanes;
  if (!all.length) return;
  const at = Math.max(0, all.indexOf(pointed));
  cursor ??= player.time ?? (scale.begin + Math.min(scale.end, now())) / 2;
  if (key === "Enter") return watch(cursor);
  if (key === "Home" || key === "End") {
    if (key === "End") scale.show(now() - scale.span, now());
    else if (days.oldest) showDay(days.oldest);
    cursor = key === "End" ? now() : scale.begin;
  }
  const by = { ArrowLeft: -1, ArrowRight: 1 }[key] ?? 0;
  const down = { ArrowUp: -1, ArrowDown: 1 }[key] ?? 0;
  cursor = Math.min(cursor + by * scale.span * (big ? 0.1 : 0.01), now());
  if (cursor < scale.begin || cursor > scale.end) scale.pan(by * scale.span * 0.25);
  const lane = all[Math.max(0, Math.min(all.length - 1, at + down))];
  point(lane, scale.x(cursor), true);
}

const told = new Map();
function tell(who, words) {
  told.set(who, words);
  const notice = element("notice");
  notice.textContent = [...told.values()].filter(Boolean).join(" · ");
  notice.hidden = !notice.textContent;
}

async function look() {
  try {
    const status = await api.status();
    document.title = t("past.title", { name: status.name });
    element("name").textContent = status.name;
    const before = cameras.map(({ id, name }) => `${id} ${name}`).join();
    cameras = status.cameras.map(({ id, name }) => ({ id, name }));
    if (cameras.map(({ id, name }) => `${id} ${name}`).join() !== before) {
      const current = shown().map((camera) => camera.id).join();
      views.update(cameras);
      if (shown().map((camera) => camera.id).join() === current) arrange();
      await loadDays();
    }
    holdings.show(element("facts"), holdings.facts(status, retention));
    tell("disk", disk.warning(status.disk));
    tell("service", cameras.length ? "" : noCamera(who));
  } catch (error) {
    tell("service", error.message);
  }
  setTimeout(look, STATUS_MS);
}

async function loadDays() {
  days.update(await Promise.all(cameras.map((camera) => api.days(camera.id))));
}

async function foresee() {
  retention = await holdings.forecast();
  if (cameras.length) await loadDays().catch(() => {});
  setTimeout(foresee, FORECAST_MS);
}

for (const button of element("spans").children) {
  button.addEventListener("click", () => {
    if (button.dataset.span === "day") return showDay(days.chosen);
    const played = player.time !== null && player.time >= scale.begin && player.time <= scale.end;
    const middle = played ? player.time : (scale.begin + Math.min(scale.end, now())) / 2;
    scale.around(middle, Number(button.dataset.span));
  });
}
for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => scale.zoom(Number(button.dataset.zoom)));
}
element("now").addEventListener("click", () => scale.show(now() - scale.span, now()));
element("select").addEventListener("click", () => {
  gestures.selecting = !gestures.selecting;
  element("select").setAttribute("aria-pressed", String(gestures.selecting));
  if (!gestures.selecting || selection.range) return;
  const middle = player.time ?? (scale.begin + Math.min(scale.end, now())) / 2;
  const half = Math.min(USUAL_SELECTION_S, scale.span / 6);
  selection.set(middle - half, Math.min(now(), middle + half));
});

const who = await enter(() => tell("service", t("common.no_answer_retrying")));
showAccount(element("account"), who);
if (may("watcher")) {
  tell("service", "");
  lanes.fit();
  showDay(times.day(now()));
  look();
  foresee();
  exported.refresh();
  kept.refresh();
} else {
  tell("service", t("past.live_only", { name: who.name }));
}
