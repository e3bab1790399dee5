// Where one camera can be watched with other programs.

import { ours } from "../address.js";
import { camera as below } from "../api.js";
import { make } from "../dom.js";
import { t } from "../texts.js";

const COPIED_MS = 1500;
const SERVED = { rtsp: "RTSP", rtsps: "RTSPS", webrtc: "WebRTC", ll_hls: "LL-HLS" };
const OURS = { HLS: "hls/index.m3u8", MP4: "live.mp4", MJPEG: "stream.mjpeg" };

/** Lists them, unless they are listed already: an address that somebody is about to select must not be replaced. */
export function showAddresses(list, camera) {
  const rows = Object.entries(SERVED).map(([key, name]) => [name, camera.addresses?.[key]]);
  for (const [name, path] of Object.entries(OURS)) rows.push([name, ours(below(camera.id, path))]);
  rows.push([t("live.snapshot"), ours(below(camera.id, "snapshot.jpg"))]);
  const found = rows.filter(([, address]) => address);
  const wanted = JSON.stringify(found);
  if (list.dataset.rows === wanted) return;
  list.dataset.rows = wanted;
  list.replaceChildren(...found.map(row));
}

function row([name, address]) {
  const text = make("code", { textContent: address, title: address });
  const button = make("button", { type: "button", ariaLabel: t("live.copy_address", { name }) }, t("live.copy"));
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(address);
      button.textContent = t("live.copied");
    } catch {
      // Browsers give the clipboard to https and localhost only: select it, so that Ctrl+C does.
      getSelection().selectAllChildren(text);
      button.textContent = "Ctrl+C";
    }
    setTimeout(() => (button.textContent = t("live.copy")), COPIED_MS);
  });
  return make("li", {}, make("span", {}, name), text, button);
}
