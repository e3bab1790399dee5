// The dialog in which people change their own password.

import { make } from "./dom.js";
import { Entrance } from "./entrance.js";
import { send } from "./http.js";
import { refuseBad, revealable, showRules } from "./secret.js";
import { t } from "./texts.js";

/** Opens it; when it is closed, the focus goes back to `opener`. */
export function changePassword(user, opener) {
  const heading = make("h2", { id: "password-title" }, t("account.change_title"));
  // Browsers keep the new one for the name in the same form.
  const name = make("input", { value: user, autocomplete: "username", hidden: true, readOnly: true });
  const old = field("old", "current-password");
  const fresh = field("fresh", "new-password");
  const again = field("again", "new-password");
  const list = make("ul", { className: "rules", id: "password-rules" });
  fresh.setAttribute("aria-describedby", list.id);
  const told = make("p", { className: "told", role: "alert" });
  const cancel = make("button", { type: "button" }, t("common.cancel"));
  const wait = make("span", { className: "wait", ariaHidden: "true" });
  const change = make("button", { type: "submit" }, t("account.do_change"), " ", wait);
  const form = make(
    "form",
    { className: "fields", method: "dialog" },
    heading,
    name,
    ...labelled(t("account.present"), old),
    ...labelled(t("account.new"), fresh),
    ...labelled(t("account.new_again"), again),
    list,
    told,
    make("div", { className: "ends" }, cancel, change),
  );
  const dialog = make("dialog", {}, form);
  dialog.setAttribute("aria-labelledby", heading.id);

  new Entrance(
    form,
    async () => {
      refuseBad({ name, fresh, again });
      await send("api/session/password", "POST", { old: old.value, new: fresh.value });
      const done = make("p", { role: "status" });
      cancel.textContent = t("common.close");
      form.replaceChildren(heading, done, make("div", { className: "ends" }, cancel));
      done.textContent = t("account.changed");
      cancel.focus();
    },
    (error) => (error.status === 403 ? [t("account.present_wrong"), old] : [error.message, error.field]),
  );
  revealable(form);
  showRules(list, { name, fresh, again });
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("keydown", (event) => event.stopPropagation()); // the page's own keys are not meant
  dialog.addEventListener("close", () => {
    dialog.remove();
    opener.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  old.focus();
}

const field = (name, autocomplete) =>
  make("input", { id: `password-${name}`, name, type: "password", autocomplete, required: true });

const labelled = (words, input) => [
  make("label", { htmlFor: input.id }, words),
  make("div", { className: "secret" }, input),
];
