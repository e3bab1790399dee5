// One camera's sound on the page: off until somebody asks for it, as browsers demand it, too.

/** The button. `on` tells what is asked for; `onChange()` is called when that changes. */
export class Sound {
  on = false;
  #button;
  #player;
  #onChange;

  constructor(button, player, onChange) {
    this.#button = button;
    this.#player = player;
    this.#onChange = onChange;
    button.addEventListener("click", () => this.#set(!this.on));
    this.#show();
  }

  /** A new status came. */
  update(camera) {
    this.#button.hidden = !camera.audio_codec;
    this.#button.ariaLabel = `Sound of ${camera.name}`;
  }

  /** The browser does not let it be heard, or nothing comes. */
  failed() {
    this.#set(false);
    this.#button.title = "There is no sound to be heard now";
  }

  #set(on) {
    this.on = on;
    this.#show();
    this.#onChange();
    this.#player.listen(on);
  }

  #show() {
    this.#button.setAttribute("aria-pressed", String(this.on));
    this.#button.textContent = this.on ? "Sound on" : "Sound off";
    this.#button.title = this.on ? "Turn the sound off" : "Turn the sound on";
  }
}
