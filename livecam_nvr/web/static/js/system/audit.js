// The audit log: who did what, and when.

import { t } from "../texts.js";
import { make } from "../dom.js";
import * as api from "./api.js";
import { table } from "./table.js";
import { clock, named } from "./words.js";

const PAGE = 50;
const PAUSE_MS = 300;
const DEEDS = [
  ...["sign_in", "sign_out", "refused", "setup", "password", "user", "token", "settings", "home_assistant"],
  ...["recording", "mode", "quality", "restart", "enabled", "move", "event", "keep", "release"],
  ...["export", "export_removed", "download", "deletion"],
];

export class Audit {
  #deed = make("select", { id: "audit-deed" });
  #who = make("input", { type: "search", id: "audit-who", autocomplete: "off" });
  #list = make("div");
  #older = make("button", { type: "button", hidden: true }, t("system.audit_older"));
  #said = make("p", { className: "said", role: "status" });
  #entries = [];
  #before = null;
  #turn = 0;
  #timer = 0;

  constructor(place) {
    this.#deed.append(make("option", { value: "" }, t("system.audit_all")), ...DEEDS.map((deed) => make("option", { value: deed }, deedInWords(deed))));
    const again = make("button", { type: "button" }, t("system.refresh"));
    place.append(
      make("h2", {}, t("system.audit")),
      make("p", { className: "soft" }, t("system.audit_what")),
      make(
        "div",
        { className: "tools" },
        make("label", { htmlFor: "audit-deed" }, t("system.audit_deed"), " ", this.#deed),
        make("label", { htmlFor: "audit-who" }, t("system.audit_who"), " ", this.#who),
        again,
      ),
      this.#said,
      this.#list,
      this.#older,
    );
    this.#deed.addEventListener("change", () => this.#begin());
    this.#who.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#begin(), PAUSE_MS);
    });
    again.addEventListener("click", () => this.#begin());
    this.#older.addEventListener("click", () => this.#more());
    this.#begin();
  }

  close() {
    clearTimeout(this.#timer);
    this.#turn += 1;
  }

  #begin() {
    this.#entries = [];
    this.#before = null;
    return this.#more();
  }

  async #more() {
    const mine = ++this.#turn;
    try {
      const found = await api.audit({ deed: this.#deed.value, who: this.#who.value.trim(), before: this.#before, limit: PAGE });
      if (mine !== this.#turn) return;
      this.#said.textContent = "";
      this.#entries.push(...found.entries);
      this.#before = found.older;
      this.#older.hidden = !found.older;
      this.#show();
    } catch (error) {
      if (mine === this.#turn) this.#said.textContent = error.message;
    }
  }

  #show() {
    const columns = ["system.when", "system.audit_who", "system.audit_deed", "system.audit_target", "system.from"].map((key) => t(key));
    const none = make("p", { className: "none" }, t("system.audit_none"));
    this.#list.replaceChildren(this.#entries.length ? table(t("system.audit"), columns, this.#entries.map(row)) : none);
  }
}

const deedInWords = (deed) => named(`system.deed.${deed}`, deed.replaceAll("_", " "));

function row({ at_utc: iso, at_utc_s: at, deed, who, address, door, target, ok, detail, times }) {
  const what = [deedInWords(deed)];
  if (!ok && deed !== "refused") what.push(" ", make("span", { className: "tag bad" }, t("system.audit_failed")));
  if (times > 1) what.push(" ", make("span", { className: "tag" }, `× ${times}`));
  return {
    cells: [
      make("time", { dateTime: iso, title: iso }, clock(at)),
      who || "–",
      what,
      [target, detail].filter(Boolean).join(": ") || "–",
      [named(`system.door.${door}`, door), address].filter(Boolean).join(" · "),
    ],
  };
}
