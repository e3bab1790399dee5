// Tokens: what machines come in with instead of a password.

import { t } from "../texts.js";
import { ours } from "../address.js";
import { make } from "../dom.js";
import * as api from "./api.js";
import { askForm, confirmThat, copyable } from "./dialog.js";
import { camerasInWords, Rights } from "./rights.js";
import { action, table } from "./table.js";
import { momentOr } from "./words.js";

const DAYS = ["", "30", "90", "365"];
const DAY_S = 86_400;

export class Tokens {
  #list = make("div");
  #cameras = [];

  constructor(place) {
    const add = make("button", { type: "button", className: "main" }, t("system.token_add"));
    add.addEventListener("click", () => this.#add());
    place.append(
      make("div", { className: "title-line" }, make("h2", {}, t("system.tokens")), add),
      make("p", { className: "soft" }, t("system.tokens_what")),
      this.#list,
    );
    this.#refresh();
  }

  status({ cameras }) {
    this.#cameras = cameras;
  }

  async #refresh() {
    try {
      const found = await api.tokens();
      const columns = ["system.name", "system.role", "system.cameras", "system.last_used", "system.expires"].map((key) => t(key));
      const none = make("p", { className: "none" }, t("system.tokens_none"));
      this.#list.replaceChildren(found.length ? table(t("system.tokens"), columns, found.map((token) => this.#row(token))) : none);
    } catch (error) {
      this.#list.replaceChildren(make("p", { className: "bad" }, error.message));
    }
  }

  #row(token) {
    const over = token.expires_utc_s && token.expires_utc_s * 1000 < Date.now();
    const used = momentOr(token.last_used_utc_s, t("system.never"));
    return {
      cells: [
        token.name,
        t(`system.role.${token.role}`),
        camerasInWords(token.cameras, this.#cameras),
        token.last_address ? t("system.used_from", { when: used, address: token.last_address }) : used,
        [momentOr(token.expires_utc_s, t("system.never")), ...(over ? [" ", make("span", { className: "tag bad" }, t("system.over"))] : [])],
      ],
      actions: [action(t("system.remove"), token.name, () => this.#remove(token), "danger")],
    };
  }

  async #add() {
    const name = make("input", { id: "token-name", autocomplete: "off", required: true, maxLength: 64, autocapitalize: "none", spellcheck: false });
    const lasts = make("select", { id: "token-lasts" });
    lasts.append(...DAYS.map((days) => make("option", { value: days }, days ? t("system.days", { count: Number(days) }) : t("system.for_ever"))));
    const rights = new Rights(this.#cameras);
    const sent = await askForm({
      title: t("system.token_add"),
      fields: [
        make("label", { htmlFor: name.id }, t("system.name")),
        name,
        ...rights.elements,
        make("label", { htmlFor: lasts.id }, t("system.lasts")),
        lasts,
      ],
      action: t("system.add"),
      work: async () => {
        const wanted = { name: name.value.trim(), ...rights.value };
        if (lasts.value) wanted.expires = Math.floor(Date.now() / 1000) + Number(lasts.value) * DAY_S;
        return this.#examples(await api.addToken(wanted));
      },
    });
    if (sent) await this.#refresh();
  }

  // It is never shown again, so what people do with it is there at once.
  #examples({ name, token, cameras }) {
    const camera = this.#cameras.find(({ id }) => cameras === null || cameras.includes(id));
    const shown = [make("p", { className: "once" }, t("system.token_once")), copyable(token, t("system.token"))];
    const rtsp = camera?.addresses?.rtsp;
    if (rtsp) shown.push(copyable(rtsp.replace("://", `://${encodeURIComponent(name)}:${token}@`), "RTSP"));
    const path = camera ? `api/cameras/${encodeURIComponent(camera.id)}/snapshot.jpg` : "api/status";
    shown.push(copyable(`curl -H "Authorization: Bearer ${token}" ${ours(path)}`, "HTTP"));
    return shown;
  }

  async #remove({ id, name }) {
    const sent = await confirmThat({
      title: t("system.token_remove", { name }),
      words: t("system.token_remove_what"),
      action: t("system.remove"),
      work: async () => void (await api.removeToken(id)),
    });
    if (sent) await this.#refresh();
  }
}
