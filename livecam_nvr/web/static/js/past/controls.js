// The player's buttons and keys.

import { t } from "../texts.js";
import * as times from "./times.js";

const JUMP_S = 10;
const KEY_JUMP_S = 5;

export class Controls {
  #player;
  #bar;
  #play;
  #clock = document.getElementById("clock");
  #speed = document.getElementById("speed");
  #sound;
  #actions;

  /** `more` are what other keys do: key to function. */
  constructor(bar, player, more) {
    this.#bar = bar;
    this.#player = player;
    this.#play = bar.querySelector(".play");
    this.#sound = bar.querySelector('[data-do="sound"]');
    this.#actions = {
      play: () => (player.playing ? player.pause() : player.play()),
      back: () => this.#jump(-JUMP_S),
      forward: () => this.#jump(JUMP_S),
      step: () => player.step(1),
      stepBack: () => player.step(-1),
      sound: () => this.#listen(),
    };
    for (const button of bar.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => this.#actions[button.dataset.do]());
    }
    this.#speed.addEventListener("change", () => (player.rate = Number(this.#speed.value)));
    const keys = {
      " ": "play", k: "play", j: "back", l: "forward", ",": "stepBack", ".": "step", m: "sound",
    };
    addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
      const { target, key } = event;
      if (target.closest?.("input, select, [role=dialog]") || (key === " " && target.closest?.("button, a"))) return;
      if (more[key]) more[key]();
      else if (keys[key]) this.#actions[keys[key]]();
      else if (key === "ArrowLeft") this.#jump(-KEY_JUMP_S);
      else if (key === "ArrowRight") this.#jump(KEY_JUMP_S);
      else if (key === "<" || key === ">") this.#faster(key === ">" ? 1 : -1);
      else return;
      event.preventDefault();
    });
    this.ready(false);
  }

  /** Whether there is anything to control. */
  ready(is) {
    for (const one of this.#bar.querySelectorAll("button, select")) one.disabled = !is;
  }

  playing(is) {
    this.#play.textContent = is ? t("past.pause") : t("past.play");
  }

  moved(time) {
    const tenth = Math.floor((time % 1) * 10);
    const text = `${times.dayAndTime(time)}.${tenth}`;
    if (this.#clock.textContent !== text) this.#clock.textContent = text;
  }

  #jump(seconds) {
    if (this.#player.time !== null) this.#player.seek(this.#player.time + seconds);
  }

  #faster(by) {
    const at = this.#speed.selectedIndex + by;
    if (at < 0 || at >= this.#speed.options.length) return;
    this.#speed.selectedIndex = at;
    this.#player.rate = Number(this.#speed.value);
  }

  #listen() {
    const on = this.#sound.getAttribute("aria-pressed") !== "true";
    this.#sound.setAttribute("aria-pressed", String(on));
    this.#sound.textContent = on ? t("common.sound_on") : t("common.sound_off");
    this.#player.listen(on);
  }
}
