// The live page: puts tiles, views and the service's facts together.

import { showAccount } from "./account.js";
import { watchStatus } from "./api.js";
import * as disk from "./disk.js";
import { enter, noCamera } from "./session.js";
import { Tile } from "./tile.js";
import { Views } from "./views.js";

const HIDDEN_GRACE_MS = 5000; // a tab that is hidden for longer stops playing
const MANY = 5;
const SMALL_PX = 960; // a picture that is less wide does not need the camera's main stream

const tiles = new Map();
const main = document.getElementById("tiles");
const notice = document.getElementById("notice");
const views = new Views(document.getElementById("views"), arrange);
let asleep = false;
let hiddenTimer = 0;
let who = null;

function arrange(alone) {
  main.classList.toggle("alone", alone !== "" || tiles.size === 1);
  main.classList.toggle("many", alone === "" && tiles.size >= MANY);
  for (const [id, tile] of tiles) tile.element.hidden = alone !== "" && id !== alone;
  for (const tile of tiles.values()) {
    tile.fit(alone === "" && tiles.size > 1 && tile.element.clientWidth < SMALL_PX);
    tile.play(!asleep && !tile.element.hidden);
  }
}

function show(status) {
  document.title = document.getElementById("name").textContent = status.name;
  notice.hidden = true;
  const ids = new Set(status.cameras.map((camera) => camera.id));
  for (const [id, tile] of tiles) {
    if (!ids.has(id)) {
      tile.play(false);
      tile.element.remove();
      tiles.delete(id);
    }
  }
  for (const camera of status.cameras) {
    if (tiles.has(camera.id)) {
      tiles.get(camera.id).update(camera);
    } else {
      const tile = new Tile(camera);
      tiles.set(camera.id, tile);
      main.append(tile.element);
    }
  }
  views.update(status.cameras);
  showFacts(status);
  if (!status.cameras.length) tell(noCamera(who));
  const trouble = disk.warning(status.disk);
  if (trouble) tell(trouble);
}

function showFacts(status) {
  const { broker, media_server: server } = status;
  const facts = [
    disk.fact(status.disk),
    [
      broker.connected ? "" : broker.configured ? "bad" : "off",
      broker.connected ? "MQTT" : broker.configured ? "MQTT: no connection" : "no MQTT",
      broker.fault?.message ?? broker.address,
    ],
    [
      server.state === "ready" ? "" : server.name === "none" ? "off" : "bad",
      server.state === "ready" ? "RTSP" : `RTSP: ${server.state}`,
      server.fault && server.state !== "ready" ? server.fault.message : `${server.name} ${server.version}`,
    ],
  ];
  const list = document.getElementById("facts");
  list.replaceChildren(
    ...facts.map(([kind, text, title]) => {
      const item = document.createElement("li");
      item.className = kind;
      item.textContent = text;
      item.title = title;
      return item;
    }),
  );
}

function tell(text) {
  notice.textContent = text;
  notice.hidden = false;
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(hiddenTimer);
  const change = () => {
    asleep = document.hidden;
    arrange(views.current);
  };
  if (document.hidden) hiddenTimer = setTimeout(change, HIDDEN_GRACE_MS);
  else change();
});

let resizeTimer = 0;
addEventListener("resize", () => {
  clearTimeout(resizeTimer);
  resizeTimer = setTimeout(() => arrange(views.current), 500);
});

function lost() {
  tell("The service does not answer. Trying again…");
  for (const tile of tiles.values()) tile.lost();
}

who = await enter(lost);
showAccount(document.getElementById("account"), who);
document.getElementById("tile").content.querySelector(".needs").hidden = !who.signed_in;
watchStatus(show, lost);

setInterval(() => {
  for (const tile of tiles.values()) tile.tick();
}, 250);
