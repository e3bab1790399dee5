// One camera's own switch: started, stopped, started anew.

import { restart, setEnabled } from "../api.js";
import { t } from "../texts.js";
import { order } from "./order.js";
import { toast } from "./toast.js";

export class Running {
  #camera;
  #enable;
  #restart;

  constructor(element) {
    this.#enable = element.querySelector(".enable");
    this.#restart = element.querySelector(".restart");
    this.#enable.addEventListener("click", () => this.#toggle());
    this.#restart.addEventListener("click", () => this.#begin());
  }

  /** A new status of the camera came. */
  update(camera) {
    this.#camera = camera;
    const { name, enabled } = camera;
    // Not every service can be told to stop a camera.
    this.#enable.hidden = enabled === undefined;
    this.#enable.ariaLabel = t("live.camera_of", { name });
    this.#restart.ariaLabel = t("live.restart_of", { name });
    this.#restart.hidden = enabled === false;
    this.#show(enabled);
  }

  #show(enabled) {
    this.#enable.setAttribute("aria-checked", String(enabled !== false));
  }

  async #toggle() {
    const on = this.#enable.getAttribute("aria-checked") !== "true";
    const { name } = this.#camera;
    if (!(await this.#set(on)) || on) return;
    toast(t("live.camera_off", { name }), { undo: () => this.#set(true) });
  }

  #set(on) {
    return order(this.#enable, async () => this.#show((await setEnabled(this.#camera.id, on)).enabled));
  }

  async #begin() {
    const { id, name } = this.#camera;
    if (await order(this.#restart, () => restart(id))) toast(t("live.restarting", { name }));
  }
}
