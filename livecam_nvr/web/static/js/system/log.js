// The newest lines of the service's log, as they come.

import { t } from "../texts.js";
import { make } from "../dom.js";
import * as api from "./api.js";
import { clock } from "./words.js";

const EVERY_MS = 2000;
const MOST = 1000; // as many as the service itself remembers
const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"];
const RANK = { DEBUG: 0, INFO: 1, WARNING: 2, ERROR: 3, CRITICAL: 3 };

export class Log {
  #lines = [];
  #newest = 0;
  #timer = 0;
  #closed = false;
  #level = make("select", { id: "log-level" });
  #filter = make("input", { type: "search", id: "log-filter", autocomplete: "off" });
  #follow = make("input", { type: "checkbox", checked: true });
  #list = make("ol", { className: "log", tabIndex: 0 });
  #said = make("p", { className: "said", role: "status" });

  constructor(place) {
    this.#level.append(...LEVELS.map((level) => make("option", { value: level }, t(`system.level.${level.toLowerCase()}`))));
    this.#level.value = "INFO";
    this.#list.ariaLabel = t("system.log");
    place.append(
      make("h2", {}, t("system.log")),
      make(
        "div",
        { className: "tools" },
        make("label", { htmlFor: "log-level" }, t("system.log_least"), " ", this.#level),
        make("label", { htmlFor: "log-filter" }, t("system.log_filter"), " ", this.#filter),
        make("label", { className: "check" }, this.#follow, " ", t("system.log_follow")),
      ),
      this.#said,
      // Hundreds of lines are not to be read aloud; and a list that is a log is no list any more.
      make("div", { role: "log", ariaLive: "off" }, this.#list),
    );
    this.#level.addEventListener("change", () => this.#show());
    this.#filter.addEventListener("input", () => this.#show());
    this.#follow.addEventListener("change", () => this.#toEnd());
    // Whoever scrolls back wants to read there.
    this.#list.addEventListener("scroll", () => {
      const atEnd = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 40;
      if (!atEnd && this.#follow.checked && this.#list.matches(":hover, :focus")) this.#follow.checked = false;
    });
    this.#ask();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #ask() {
    clearTimeout(this.#timer);
    if (!document.hidden) {
      try {
        const { lines, newest } = await api.log(this.#newest, this.#newest ? 200 : MOST);
        this.#said.textContent = "";
        if (newest < this.#newest) {
          this.#newest = 0; // the service was started anew: its lines are counted from 1 again
          this.#timer = setTimeout(() => this.#ask(), 0);
          return;
        }
        this.#newest = newest;
        this.#add(lines);
      } catch (error) {
        this.#said.textContent = error.message;
      }
    }
    if (!this.#closed) this.#timer = setTimeout(() => this.#ask(), EVERY_MS);
  }

  #add(lines) {
    if (!lines.length && this.#list.childElementCount) return;
    this.#lines = [...this.#lines, ...lines].slice(-MOST);
    this.#list.append(...lines.filter((line) => this.#fits(line)).map(row));
    while (this.#list.childElementCount > MOST) this.#list.firstElementChild.remove();
    this.#none();
    this.#toEnd();
  }

  #show() {
    this.#list.replaceChildren(...this.#lines.filter((line) => this.#fits(line)).map(row));
    this.#none();
    this.#toEnd();
  }

  #none() {
    const empty = this.#list.querySelector(".none");
    if (!this.#list.childElementCount) this.#list.append(make("li", { className: "none" }, t("system.log_none")));
    else if (empty && this.#list.childElementCount > 1) empty.remove();
  }

  #fits({ level, logger, text }) {
    const needle = this.#filter.value.trim().toLowerCase();
    return (RANK[level] ?? 1) >= RANK[this.#level.value] && (!needle || `${logger} ${text}`.toLowerCase().includes(needle));
  }

  #toEnd() {
    if (this.#follow.checked) this.#list.scrollTop = this.#list.scrollHeight;
  }
}

const row = ({ at_utc_s: at, at_utc: iso, level, logger, text }) =>
  make(
    "li",
    { className: level.toLowerCase() },
    make("time", { dateTime: iso, title: iso }, clock(at)),
    make("b", {}, level),
    make("span", { className: "from" }, logger.replace(/^livecam_nvr\./, "")),
    make("span", { className: "text" }, text),
  );
