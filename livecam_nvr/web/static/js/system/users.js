// Users: who there is, what they may do, and changes of that.

import { t } from "../texts.js";
import { make } from "../dom.js";
import { isStillIn } from "../session.js";
import { refuseBad, revealable, showRules } from "../secret.js";
import * as api from "./api.js";
import { askForm, confirmThat } from "./dialog.js";
import { camerasInWords, Rights } from "./rights.js";
import { action, table } from "./table.js";
import { momentOr } from "./words.js";

export class Users {
  #list = make("div");
  #cameras = [];
  #who;

  constructor(place, who) {
    this.#who = who;
    const add = make("button", { type: "button", className: "main" }, t("system.user_add"));
    add.addEventListener("click", () => this.#add());
    place.append(
      make("div", { className: "title-line" }, make("h2", {}, t("system.users")), add),
      make("p", { className: "soft" }, t("system.users_what")),
      this.#list,
    );
    this.#refresh();
  }

  status({ cameras }) {
    this.#cameras = cameras;
  }

  async #refresh() {
    try {
      const found = await api.users();
      const columns = ["system.name", "system.role", "system.cameras", "system.last_sign_in"].map((key) => t(key));
      this.#list.replaceChildren(table(t("system.users"), columns, found.map((user) => this.#row(user))));
    } catch (error) {
      this.#list.replaceChildren(make("p", { className: "bad" }, error.message));
    }
  }

  #row(user) {
    const { name } = user;
    const own = name === this.#who.name ? [" ", make("span", { className: "tag" }, t("system.you"))] : [];
    return {
      cells: [
        [name, ...own],
        t(`system.role.${user.role}`),
        camerasInWords(user.cameras, this.#cameras),
        momentOr(user.last_sign_in_utc_s, t("system.never")),
      ],
      actions: [
        action(t("system.change"), name, () => this.#change(user)),
        action(t("system.password"), name, () => this.#password(name)),
        action(t("system.remove"), name, () => this.#remove(name), "danger"),
      ],
    };
  }

  async #done(sent) {
    if (!sent) return;
    await this.#refresh();
    isStillIn(); // it may have been about whoever did it
  }

  async #add() {
    const name = make("input", { id: "new-name", autocomplete: "off", required: true, maxLength: 64, autocapitalize: "none", spellcheck: false });
    const secret = new NewPassword(name);
    const rights = new Rights(this.#cameras);
    const fields = [make("label", { htmlFor: name.id }, t("system.name")), name, ...secret.elements, ...rights.elements];
    const form = askForm({
      title: t("system.user_add"),
      fields,
      action: t("system.add"),
      work: async () => {
        const password = secret.checked();
        await api.addUser({ name: name.value.trim(), password, ...rights.value });
      },
    });
    secret.begin();
    await this.#done(await form);
  }

  async #change(user) {
    const rights = new Rights(this.#cameras, user);
    await this.#done(
      await askForm({
        title: t("system.user_change", { name: user.name }),
        fields: rights.elements,
        action: t("common.save"),
        work: async () => void (await api.changeUser(user.name, rights.value)),
      }),
    );
  }

  async #password(user) {
    const name = make("input", { value: user, autocomplete: "username", hidden: true, readOnly: true });
    const secret = new NewPassword(name);
    const form = askForm({
      title: t("system.password_of", { name: user }),
      fields: [make("p", { className: "soft" }, t("system.password_ends")), name, ...secret.elements],
      action: t("common.save"),
      work: async () => void (await api.setPassword(user, secret.checked())),
    });
    secret.begin();
    await this.#done(await form);
  }

  async #remove(name) {
    await this.#done(
      await confirmThat({
        title: t("system.user_remove", { name }),
        words: t("system.user_remove_what"),
        action: t("system.remove"),
        work: async () => void (await api.removeUser(name)),
      }),
    );
  }
}

// A new password, twice, with what it has to be.
class NewPassword {
  elements;
  #fields;
  #list = make("ul", { className: "rules", id: "new-rules" });

  constructor(name) {
    const fresh = make("input", { id: "new-fresh", type: "password", autocomplete: "new-password", required: true });
    const again = make("input", { id: "new-again", type: "password", autocomplete: "new-password", required: true });
    fresh.setAttribute("aria-describedby", this.#list.id);
    this.#fields = { name, fresh, again };
    const labelled = (key, input) => [make("label", { htmlFor: input.id }, t(key)), make("div", { className: "secret" }, input)];
    this.elements = [...labelled("system.password_new", fresh), ...labelled("system.password_again", again), this.#list];
  }

  /** Once it is in its form. */
  begin() {
    revealable(this.#fields.fresh.form);
    showRules(this.#list, this.#fields);
  }

  checked() {
    refuseBad(this.#fields);
    return this.#fields.fresh.value;
  }
}
