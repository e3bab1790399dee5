// Who is signed in, in the header: their role, their password, and the way out.

import { make } from "./dom.js";
import { ask } from "./http.js";
import { languages } from "./languages.js";
import { leave } from "./session.js";
import { t } from "./texts.js";

/** Fills the header's place for it. */
export function showAccount(place, who) {
  if (who.demo && !who.signed_in) {
    place.append(make("span", { className: "demo", title: t("account.demo_title") }, t("account.demo")), languages());
    return;
  }
  const initial = make("i", { ariaHidden: "true" }, [...who.name][0] ?? "?");
  const button = make("button", { type: "button", className: "who", ariaExpanded: "false" });
  const name = make("span", { className: "name", ariaHidden: "true" }, who.name);
  button.append(initial, name, make("span", { className: "unseen" }, t("account.of", { name: who.name })));
  const menu = make("div", { className: "menu", id: "account-menu", hidden: true }, words(who), languages());
  button.setAttribute("aria-controls", menu.id);
  // What came with a token or with the request itself has no password to be changed here, and nothing ends it here.
  if (who.kind === "user") menu.append(...actions(who, menu, button));
  place.append(button, menu);
  openable(place, button, menu);
}

function words(who) {
  const name = who.kind === "token" ? t("account.token", { name: who.name }) : who.name;
  const role = t(`account.role_${who.role}`);
  const cameras = who.cameras?.join(", ") || t("account.no_camera");
  return make("p", {}, make("strong", {}, name), who.cameras ? t("account.limited", { role, cameras }) : role);
}

function actions(who, menu, button) {
  const password = make("button", { type: "button" }, t("account.change"));
  const out = make("button", { type: "button" }, t("account.signout"));
  const told = make("p", { className: "bad", role: "alert", hidden: true });
  password.addEventListener("click", async () => {
    const { changePassword } = await import("./password.js").catch(() => ({}));
    told.hidden = Boolean(changePassword);
    told.textContent = t("common.no_answer");
    if (!changePassword) return;
    menu.hidden = true;
    button.ariaExpanded = "false";
    changePassword(who.name, button);
  });
  out.addEventListener("click", async () => {
    try {
      await ask("api/session", { method: "DELETE" });
      leave("signin", false);
    } catch (error) {
      told.hidden = false;
      told.textContent = error.message;
    }
  });
  return [password, out, told];
}

function openable(place, button, menu) {
  const open = (is) => {
    menu.hidden = !is;
    button.ariaExpanded = String(is);
  };
  button.addEventListener("click", () => open(menu.hidden));
  addEventListener("pointerdown", (event) => !menu.hidden && !place.contains(event.target) && open(false));
  place.addEventListener("focusout", (event) => event.relatedTarget && !place.contains(event.relatedTarget) && open(false));
  place.addEventListener("keydown", (event) => {
    event.stopPropagation(); // the page's own keys are not meant
    if (event.key !== "Escape" || menu.hidden) return;
    open(false);
    button.focus();
  });
}
