// What can be done with a picture: keep a copy of it, a small window of its own, all of the screen.

import { camera as below } from "../api.js";
import { ask } from "../http.js";
import { t } from "../texts.js";
import { toast } from "./toast.js";

const QUALITY = 0.92;

/** Saves the picture that is shown as a file. Where only a smaller stream is shown, the service's own is asked for. */
export async function takeSnapshot(camera, picture) {
  try {
    const name = `${fileName(camera.name)} ${stamp(new Date((picture.shownUtcS ?? Date.now() / 1000) * 1000))}.jpg`;
    const blob = picture.whole ? await copyOf(picture.shown) : await (await ask(below(camera.id, "snapshot.jpg"))).blob();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    toast(t("live.saved", { name }));
  } catch (error) {
    toast(error.message, { bad: true });
  }
}

/** Whether this browser can show a video in a small window of its own. */
export const hasWindows = document.pictureInPictureEnabled ?? false;

/** Into the small window, or back. */
export async function toggleWindow(picture) {
  try {
    if (document.pictureInPictureElement === picture.video) await document.exitPictureInPicture();
    else await picture.video.requestPictureInPicture();
  } catch {
    toast(t("live.no_window"), { bad: true });
  }
}

/** All of the screen for `element`, or back; on phones that have that for videos only, for `video`. */
export async function toggleFull(element, video) {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else if (element.requestFullscreen) await element.requestFullscreen();
    else video.webkitEnterFullscreen();
  } catch {
    toast(t("live.no_full"), { bad: true });
  }
}

async function copyOf(shown) {
  const width = shown.videoWidth ?? shown.width;
  const height = shown.videoHeight ?? shown.height;
  if (!width || !height) throw new Error(t("live.no_picture"));
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").drawImage(shown, 0, 0, width, height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error(t("live.no_picture")))), "image/jpeg", QUALITY);
  });
}

// What no file system minds.
const fileName = (name) => name.replace(/[\\/:*?"<>|\u0000-\u001f]+/g, " ").replace(/^[ .]+|[ .]+$/g, "") || "camera";

const two = (value) => String(value).padStart(2, "0");
const stamp = (at) =>
  [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-") +
  ` ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(".")}`;
