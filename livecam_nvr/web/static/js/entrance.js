// A form that asks to be let in: sends once at a time, says in words why not, and waits where one has to wait.

import { t } from "./texts.js";

/** `work()` sends; what it throws, `explain(error)` puts into `[words, field]`: where the cursor then belongs. */
export class Entrance {
  #form;
  #button;
  #told;
  #wait;
  #timer = 0;
  #busy = false;

  constructor(form, work, explain = (error) => [error.message]) {
    this.#form = form;
    this.#button = form.querySelector('[type="submit"]');
    this.#told = form.querySelector(".told");
    this.#wait = form.querySelector(".wait");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (this.#busy || this.#timer) return;
      this.#is(true);
      this.tell("");
      try {
        await work();
      } catch (error) {
        this.#is(false);
        if (error.retryAfterS) this.#count(error.retryAfterS);
        else this.tell(...explain(error));
      }
    });
  }

  /** Says what is not right. */
  tell(words, field = null) {
    this.#told.textContent = words;
    for (const input of this.#form.querySelectorAll("input")) input.removeAttribute("aria-invalid");
    if (!field) return;
    field.setAttribute("aria-invalid", "true");
    field.focus();
    field.select();
  }

  #is(busy) {
    this.#busy = busy;
    this.#button.setAttribute("aria-busy", String(busy));
  }

  // Said aloud once, and not each second again.
  #count(seconds) {
    const until = performance.now() + seconds * 1000;
    this.tell(t("account.throttled", { time: spoken(seconds) }));
    const tick = () => {
      const left = Math.ceil((until - performance.now()) / 1000);
      this.#wait.textContent = left > 0 ? `(${t("unit.s", { s: left })})` : "";
      this.#button.disabled = left > 0;
      if (left > 0) {
        this.#timer = setTimeout(tick, 250);
      } else {
        this.#timer = 0;
        this.tell(t("account.again_now"));
      }
    };
    tick();
  }
}

const spoken = (seconds) =>
  seconds > 90 ? t("unit.wait_min", { count: Math.ceil(seconds / 60) }) : t("unit.wait_s", { count: Math.ceil(seconds) });
