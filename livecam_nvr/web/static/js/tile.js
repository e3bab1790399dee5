// One camera on the page: its picture with the truth about it, figures, what can be changed, addresses.

import { ours } from "./address.js";
import { camera as below, setRecording } from "./api.js";
import * as format from "./format.js";
import { Keeping } from "./keeping.js";
import { Player } from "./player.js";
import { Quality } from "./quality.js";
import { Sound } from "./sound.js";

const STALE_MS = 2000; // without a new frame for so long, a picture is not live
const OPENING_MS = 4000;
const SMALLER_MS = 60_000; // a smaller stream that does not play is tried again after so long
const HEADLINES = { DELAY: "Late", ERROR: "Failed, being restarted", OFFLINE: "Offline" };
const ADDRESSES = { rtsp: "RTSP", webrtc: "WebRTC", ll_hls: "LL-HLS" };

export class Tile {
  element;
  #id;
  #parts = {};
  #player;
  #quality;
  #keeping;
  #sound;
  #camera;
  #small = false;
  #smallerFrom = 0;
  #state = "OFFLINE";
  #fault = null;
  #lostService = false;
  #startedAt = performance.now();
  #frameAt = null;
  #lateUntil = 0;
  #lateBy = 0;
  #playing = false;
  #addresses = "";

  constructor(camera) {
    this.#id = camera.id;
    const template = document.getElementById("tile");
    this.element = template.content.firstElementChild.cloneNode(true);
    this.element.dataset.camera = camera.id;
    for (const name of ["screen", "veil", "title", "rec", "state", "way", "figures", "switch", "last", "fault", "complaints"]) {
      this.#parts[name] = this.element.querySelector(`.${name}`);
    }
    this.#parts.addresses = this.element.querySelector(".addresses ul");
    this.#parts.switch.addEventListener("click", () => this.#toggle());
    this.#quality = new Quality(this.element.querySelector(".quality"), camera.id);
    this.#keeping = new Keeping(this.element, camera.id);
    this.#player = new Player(this.element.querySelector("video"), this.element.querySelector("canvas"), camera.id, {
      onFrame: () => {
        this.#frameAt = performance.now();
        if (this.element.classList.contains("stale")) this.tick();
      },
      onState: (message) => {
        if (this.#watching !== this.#id) {
          if (message.state === "OFFLINE") this.#leaveSmaller();
          return;
        }
        this.#state = message.state;
        this.#fault = message.fault;
        this.tick();
      },
      onLate: (seconds) => {
        this.#lateBy = seconds;
        this.#lateUntil = performance.now() + STALE_MS;
      },
      onSilent: () => this.#sound.failed(),
      onWay: (text) => {
        this.#parts.way.textContent = text;
        this.#parts.way.hidden = !text;
      },
    });
    this.#sound = new Sound(this.element.querySelector(".sound"), this.#player, () => this.#choose());
    this.update(camera);
  }

  /** Plays only while it can be seen. */
  play(wanted) {
    if (wanted === this.#playing) return;
    this.#playing = wanted;
    if (wanted) {
      this.#startedAt = performance.now();
      this.#player.start();
    } else {
      this.#player.stop();
    }
    this.tick();
  }

  /** Whether it is shown so small that the camera's smaller stream is enough, where it has one. */
  fit(small) {
    this.#small = small;
    this.#choose();
  }

  get #watching() {
    const smaller = this.#small && !this.#sound.on && performance.now() >= this.#smallerFrom && this.#camera.sub_stream;
    return smaller || this.#id;
  }

  #choose() {
    if (this.#player.watch(this.#watching)) this.#startedAt = performance.now();
  }

  #leaveSmaller() {
    this.#smallerFrom = performance.now() + SMALLER_MS;
    this.#choose();
  }

  /** A new status came. */
  update(camera) {
    this.#camera = camera;
    this.#choose();
    this.#state = camera.state;
    this.#fault = camera.fault;
    this.#lostService = false;
    this.#parts.title.textContent = camera.name;
    const label = `${camera.name}, live picture`;
    for (const picture of this.#parts.screen.querySelectorAll("video, canvas")) picture.ariaLabel = label;
    if (camera.width) this.#parts.screen.style.aspectRatio = `${camera.width} / ${camera.height}`;
    this.#showFigures(camera);
    this.#showRecording(camera.recording);
    this.#quality.update(camera);
    this.#keeping.update(camera);
    this.#sound.update(camera);
    this.#showComplaints(camera.complaints);
    this.#showAddresses(camera);
    this.tick();
  }

  /** The service does not answer. */
  lost() {
    this.#lostService = true;
    this.tick();
  }

  /** Says what the picture is worth now; called a few times a second. */
  tick() {
    const now = performance.now();
    const since = this.#frameAt === null ? null : (now - this.#frameAt) / 1000;
    const fresh = this.#playing && since !== null && since * 1000 < STALE_MS && now > this.#lateUntil;
    // A picture is live because it moves here and now; what the service thinks can only make it less.
    const state = this.#lostService && !fresh ? "OFFLINE" : this.#state === "LIVE" && !fresh ? "DELAY" : this.#state;
    const shownYet = this.#frameAt !== null && this.#frameAt > this.#startedAt;
    const idle = this.#watching !== this.#id && now - Math.max(this.#startedAt, this.#frameAt ?? 0) > OPENING_MS;
    if (idle && this.#playing && this.#state === "LIVE") this.#leaveSmaller();
    const opening = state === "DELAY" && !shownYet && now - this.#startedAt < OPENING_MS;
    const { state: badge, veil } = this.#parts;
    if (badge.dataset.state !== state || badge.textContent === "") {
      badge.dataset.state = state;
      badge.textContent = state;
    }
    this.element.classList.toggle("stale", state !== "LIVE");
    veil.hidden = state === "LIVE" || (state === "DELAY" && fresh);
    if (veil.hidden) return;
    const [headline, reason] = veil.children;
    const age = since ?? this.#camera.last_frame_age_s;
    headline.textContent = opening ? "Opening…" : this.#headline(state, age, now);
    reason.textContent = opening ? "" : this.#reason(state);
  }

  #headline(state, age, now) {
    if (now < this.#lateUntil) return `${format.duration(this.#lateBy)} late`;
    if (state === "DELAY" && this.#camera.quality.changing) return "Changing the quality…";
    if (age === null) return HEADLINES[state];
    return state === "DELAY"
      ? `No new frame for ${format.duration(age)}`
      : `${HEADLINES[state]} · last frame ${format.duration(age)} ago`;
  }

  #reason(state) {
    if (this.#lostService) return "The service does not answer.";
    if (state !== "DELAY" && this.#fault) return [this.#fault.message, this.#fault.hint].filter(Boolean).join("; ");
    if (performance.now() < this.#lateUntil) return "The connection to the service is too slow.";
    return state === "DELAY" ? "The picture below is not live." : "";
  }

  #showFigures(camera) {
    const size = camera.width ? `${camera.width}×${camera.height}` : "–";
    const figures = [
      ["fps", camera.fps ? camera.fps.toFixed(1) : "–"],
      ["Bitrate", format.bitrate(camera.bitrate_bps)],
      ["Size", size],
      ["Frames", format.count(camera.frames)],
      ["Dropped", format.count(camera.dropped_frames), camera.dropped_frames > 0],
      ["Restarts", format.count(camera.restarts), camera.restarts > 0],
    ];
    if (camera.latency_s !== null) figures.push(["Latency", format.milliseconds(camera.latency_s * 1000)]);
    if (camera.encoder) figures.push(["Encoder", camera.encoder]);
    if (camera.phase_ms !== null) figures.push(["Phase", format.milliseconds(camera.phase_ms)]);
    const list = this.#parts.figures;
    const names = figures.map(([name]) => name).join();
    if (list.dataset.names !== names) {
      list.dataset.names = names;
      list.replaceChildren();
      for (const [name] of figures) {
        const pair = document.createElement("div");
        const term = document.createElement("dt");
        term.textContent = name;
        pair.append(term, document.createElement("dd"));
        list.append(pair);
      }
    }
    figures.forEach(([, value, bad], at) => {
      list.children[at].lastElementChild.textContent = value;
      list.children[at].classList.toggle("bad", Boolean(bad));
    });
  }

  #showComplaints(complaints) {
    this.#parts.complaints.hidden = !complaints.length;
    this.#parts.complaints.replaceChildren(
      ...complaints.map(({ message, hint, since_utc_s: since }) => {
        const item = document.createElement("li");
        const what = document.createElement("strong");
        what.textContent = message;
        item.append(what, hint ? ` ${hint}` : "");
        if (since) item.title = `since ${format.time(since)}`;
        return item;
      }),
    );
  }

  #showRecording(recording) {
    const { switch: button, rec, last, fault } = this.#parts;
    button.setAttribute("aria-checked", String(recording.wanted));
    button.setAttribute("aria-label", `Record ${this.#camera.name}`);
    rec.hidden = !recording.active;
    last.replaceChildren();
    const segment = recording.last_segment;
    const waits = recording.wanted && !recording.active && !recording.idle;
    if (waits) {
      last.append("waiting for frames");
    } else if (segment) {
      const link = document.createElement("a");
      link.href = ours(`recordings/${segment.path.split("/").map(encodeURIComponent).join("/")}`);
      link.textContent = format.time(segment.start_utc_s);
      last.append("Last file ", link, ` · ${format.duration(segment.duration_s)} · ${format.bytes(segment.bytes)}`);
    } else {
      last.append(recording.active ? "first file is being written" : "no file yet");
    }
    const trouble = waits ? recording.fault : null;
    fault.hidden = !trouble;
    if (trouble) fault.textContent = `Not recording: ${[trouble.message, trouble.hint].filter(Boolean).join("; ")}`;
  }

  async #toggle() {
    const button = this.#parts.switch;
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      const on = button.getAttribute("aria-checked") !== "true";
      this.#showRecording(await setRecording(this.#id, on));
    } catch (error) {
      this.#parts.fault.hidden = false;
      this.#parts.fault.textContent = error.message;
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  #showAddresses(camera) {
    const at = (what) => ours(below(camera.id, what));
    const rows = Object.entries(ADDRESSES)
      .map(([key, name]) => [name, camera.addresses?.[key]])
      .concat([
        ["HLS", at("hls/index.m3u8")],
        ["MP4", at("live.mp4")],
        ["MJPEG", at("stream.mjpeg")],
        ["Snapshot", at("snapshot.jpg")],
      ])
      .filter(([, address]) => address);
    const wanted = JSON.stringify(rows);
    if (wanted === this.#addresses) return; // an address that somebody is about to select must not be replaced
    this.#addresses = wanted;
    this.#parts.addresses.replaceChildren(...rows.map(addressRow));
  }
}

function addressRow([name, address]) {
  const row = document.createElement("li");
  const label = document.createElement("span");
  const text = document.createElement("code");
  const button = document.createElement("button");
  label.textContent = name;
  text.textContent = text.title = address;
  button.type = "button";
  button.textContent = "Copy";
  button.ariaLabel = `Copy the ${name} address`;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(address);
      button.textContent = "Copied";
    } catch {
      // Browsers give the clipboard to https and localhost only: select it, so that Ctrl+C does.
      getSelection().selectAllChildren(text);
      button.textContent = "Ctrl+C";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  row.append(label, text, button);
  return row;
}
