// One camera's sound on the page: off until somebody asks for it, as browsers demand it, too.

import { t } from "../texts.js";
import { icon } from "./icons.js";

export class Sound {
  #on = false;
  #button;
  #listen;

  /** `listen(on)` is called when somebody asks for it. */
  constructor(button, listen) {
    this.#button = button;
    this.#listen = listen;
    button.addEventListener("click", () => this.toggle());
    this.#show();
  }

  /** A new status came. */
  update(camera) {
    this.#button.hidden = !camera.audio_codec;
    this.#button.ariaLabel = t("live.sound_of", { name: camera.name });
  }

  /** The other way round; nothing where there is none. */
  toggle() {
    if (this.#button.hidden) return;
    this.#set(!this.#on);
  }

  /** The browser does not let it be heard, or nothing comes. */
  failed() {
    this.#set(false);
    this.#button.title = t("live.sound_none");
  }

  #set(on) {
    this.#on = on;
    this.#show();
    this.#listen(on);
  }

  #show() {
    this.#button.setAttribute("aria-pressed", String(this.#on));
    this.#button.title = t(this.#on ? "live.sound_turn_off" : "live.sound_turn_on");
    const words = document.createElement("span");
    words.textContent = t(this.#on ? "common.sound_on" : "common.sound_off");
    this.#button.replaceChildren(icon(this.#on ? "soundOn" : "soundOff"), words);
  }
}
