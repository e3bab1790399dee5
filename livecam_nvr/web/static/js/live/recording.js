// One camera's recording: the switch with what the recorder really does, and *keep that*.

import { ours } from "../address.js";
import { keepThat, release, setRecording } from "../api.js";
import * as format from "../format.js";
import { may } from "../session.js";
import { t } from "../texts.js";
import { order } from "./order.js";
import { faultWords } from "./picture.js";
import { toast } from "./toast.js";

export class Recording {
  #camera;
  #parts = {};

  constructor(element) {
    for (const name of ["switch", "rec", "keep", "mode", "last", "fault"]) this.#parts[name] = element.querySelector(`.${name}`);
    this.#parts.switch.addEventListener("click", () => this.toggle());
    this.#parts.keep.addEventListener("click", () => this.keep());
  }

  /** A new status of the camera came. */
  update(camera) {
    this.#camera = camera;
    this.#parts.switch.ariaLabel = t("live.record_camera", { name: camera.name });
    this.#parts.keep.ariaLabel = t("live.keep_camera", { name: camera.name });
    this.#show(camera.recording);
  }

  /** On if it is off, and off if it is on, as far as this page knows: the order says which. */
  async toggle() {
    if (!may("operator")) return;
    const on = this.#parts.switch.getAttribute("aria-checked") !== "true";
    const { name } = this.#camera;
    if (!(await this.#set(on)) || on) return;
    toast(t("live.recording_off", { name }), { undo: () => this.#set(true) });
  }

  /** Keeps the last seconds and the next ones. */
  async keep() {
    if (!may("operator")) return;
    await order(this.#parts.keep, async () => {
      const { id, begin_utc_s: begin, end_utc_s: end } = await keepThat(this.#camera.id);
      const words = t("live.kept", { begin: format.time(begin), end: format.time(end) });
      toast(words, { undo: () => order(this.#parts.keep, () => release(id)) });
    });
  }

  #set(on) {
    return order(this.#parts.switch, async () => this.#show(await setRecording(this.#camera.id, on)));
  }

  #show(recording) {
    const { switch: button, rec, mode, last, fault } = this.#parts;
    button.setAttribute("aria-checked", String(recording.wanted));
    rec.hidden = !recording.active;
    const waits = recording.wanted && !recording.active && !recording.idle;
    mode.textContent = modeWords(recording);
    showLast(last, recording, waits);
    const trouble = waits ? recording.fault : null;
    fault.hidden = !trouble;
    if (trouble) fault.textContent = t("live.not_recording", { why: faultWords(trouble) });
  }
}

function modeWords({ mode, idle, keeping_until_utc_s: until }) {
  const words = [];
  if (mode !== "switched") words.push(t(`live.mode_${mode}`));
  if (mode !== "switched" && (idle === "schedule" || idle === "no_event")) words.push(t(`live.idle_${idle}`));
  if (until) words.push(t("live.keeping", { time: format.time(until) }));
  return words.join(" · ");
}

function showLast(place, recording, waits) {
  const segment = recording.last_segment;
  if (waits) return place.replaceChildren(t("live.waiting"));
  if (!segment) return place.replaceChildren(t(recording.active ? "live.first_file" : "live.no_file"));
  // The same link stays, or it would be lost to whoever has just reached it by keys.
  const link = place.querySelector("a") ?? document.createElement("a");
  link.href = ours(`recordings/${segment.path.split("/").map(encodeURIComponent).join("/")}`);
  link.textContent = format.time(segment.start_utc_s);
  const rest = ` · ${format.duration(segment.duration_s)} · ${format.bytes(segment.bytes)}`;
  if (link.parentNode === place) {
    if (place.lastChild.textContent !== rest) place.lastChild.textContent = rest;
  } else {
    place.replaceChildren(`${t("live.last_file")} `, link, rest);
  }
}
