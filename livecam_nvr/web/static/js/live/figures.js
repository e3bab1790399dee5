// One camera's figures: what it sends, what it costs, and how it comes here.

import { make } from "../dom.js";
import * as format from "../format.js";
import { number, t } from "../texts.js";

const CODECS = { avc1: "H.264", avc3: "H.264", hvc1: "H.265", hev1: "H.265", av01: "AV1", vp09: "VP9" }; // RFC 6381

/** `[key, value, bad]` for each; `here` is what the player knows of its way, which may be nothing. */
function rows(camera, here) {
  const ms = here.latency_ms ?? (camera.latency_s === null ? null : camera.latency_s * 1000);
  const found = [
    ["fps", camera.fps ? number(camera.fps, 1) : "–"],
    ["bitrate", format.bitrate(camera.bitrate_bps)],
    ["size", camera.width ? `${camera.width}×${camera.height}` : "–"],
    ["frames", format.count(camera.frames)],
    ["bytes", format.bytes(camera.bytes)],
    ["dropped", format.count(camera.dropped_frames), camera.dropped_frames > 0],
    ["restarts", format.count(camera.restarts), camera.restarts > 0],
  ];
  if (ms !== null) found.push(["latency", format.milliseconds(ms)]);
  found.push(["viewers", format.count(camera.viewers)]);
  if (here.way) found.push(["way", here.way]);
  if (here.dropped) found.push(["dropped_here", format.count(here.dropped), true]);
  if (camera.codec) found.push(["codec", CODECS[camera.codec.split(".")[0]] ?? camera.codec]);
  if (camera.encoder) found.push(["encoder", camera.encoder]);
  if (camera.phase_ms !== null) found.push(["phase", format.milliseconds(camera.phase_ms)]);
  return found;
}

/** Shows them in a <dl>, whose elements stay as long as the same figures are told. */
export function showFigures(list, camera, here) {
  const found = rows(camera, here);
  const keys = found.map(([key]) => key).join();
  if (list.dataset.keys !== keys) {
    list.dataset.keys = keys;
    list.replaceChildren(...found.map(([key]) => make("div", {}, make("dt", {}, t(`live.${key}`)), make("dd"))));
  }
  found.forEach(([, value, bad], at) => {
    const [, told] = list.children[at].children;
    if (told.textContent !== value) told.textContent = told.title = value;
    list.children[at].classList.toggle("bad", Boolean(bad));
  });
}
