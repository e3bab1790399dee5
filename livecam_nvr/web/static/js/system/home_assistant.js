// How Home Assistant hears of the cameras: the broker, and who brings it the entities.

import { t, told } from "../texts.js";
import { make } from "../dom.js";
import { may } from "../session.js";
import * as api from "./api.js";
import { pair } from "./cards.js";
import { confirmThat } from "./dialog.js";
import { moment } from "./words.js";

const EVERY_MS = 60_000; // nobody is told when it changes, which it hardly ever does

export class HomeAssistant {
  element;
  #facts = make("dl", { className: "facts-list" });
  #more = make("div");
  #all;
  #broker = null;
  #found = null;
  #timer = 0;
  #closed = false;

  /** `who` looks at it: giving entities back concerns all cameras. */
  constructor(who) {
    this.#all = may("operator") && who.cameras === null;
    this.element = make("div", {}, this.#facts, this.#more);
  }

  /** The broker, as the status tells of it. */
  update(broker) {
    const same = JSON.stringify(broker) === JSON.stringify(this.#broker);
    this.#broker = broker;
    if (same && this.#timer) return;
    this.#show();
    this.#ask();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #ask() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), EVERY_MS);
    if (document.hidden) return;
    try {
      this.#take(await api.homeAssistant());
    } catch (error) {
      if (!this.#found) this.#more.replaceChildren(make("p", { className: "bad" }, error.message));
    }
  }

  #take(found) {
    if (this.#closed || JSON.stringify(found) === JSON.stringify(this.#found)) return;
    this.#found = found;
    this.#show();
  }

  #show() {
    const { configured, connected, address, fault } = this.#broker;
    const away = configured ? told("system.broker_away", fault?.message) : t("system.broker_none");
    const facts = pair(t("system.broker"), connected ? address : away);
    if (this.#found) {
      const { carrier, since_utc_s: since, by } = this.#found;
      const who = carrier === "mqtt" && !configured ? "none" : carrier;
      facts.push(...pair(t("system.entities"), t(`system.carrier.${who}`)));
      if (since && who !== "none") facts.push(...pair(t("system.carried_since"), moment(since)), ...pair(t("system.carried_by"), by));
      this.#more.replaceChildren(...(carrier === "mqtt" || !configured || !this.#all ? [] : [this.#button()]));
    }
    this.#facts.replaceChildren(...facts);
  }

  #button() {
    const button = make("button", { type: "button" }, t("system.announce"));
    button.addEventListener("click", () =>
      confirmThat({
        title: t("system.announce_ask"),
        words: t("system.announce_what"),
        action: t("system.announce"),
        danger: false,
        work: async () => this.#take(await api.carryEntities("mqtt")),
      }),
    );
    return button;
  }
}
