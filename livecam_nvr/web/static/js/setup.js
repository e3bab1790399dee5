// The first password of a fresh service: a code from its console, a name, and the password.

import { ours } from "./address.js";
import { Entrance } from "./entrance.js";
import { askAtEntrance, send } from "./http.js";
import { languages } from "./languages.js";
import { refuseBad, revealable, showRules } from "./secret.js";
import { t } from "./texts.js";

const form = document.getElementById("setup");
const { code, name, fresh, again } = form.elements;

const entrance = new Entrance(
  form,
  async () => {
    refuseBad({ name, fresh, again });
    const body = { code: code.value.trim(), name: name.value.trim(), password: fresh.value };
    await send("api/setup", "POST", body, askAtEntrance);
    location.replace(ours(""));
  },
  (error) => {
    if (error.status === 409) look(); // somebody else was faster
    if (error.status === 403) document.getElementById("elsewhere").hidden = false;
    return error.status === 401 ? [t("account.code_wrong"), code] : [error.message, error.field];
  },
);

form.after(languages());
revealable(form);
showRules(document.getElementById("rules"), { name, fresh, again });
takeCode();
addEventListener("hashchange", takeCode);
look();

// The code must stay neither in the address bar nor in the history.
function takeCode() {
  const found = new URLSearchParams(location.hash.slice(1)).get("code");
  if (found === null) return;
  code.value = found;
  history.replaceState(null, "", location.pathname);
  fresh.focus();
}

// Once there is a user, nothing can be set here.
async function look() {
  try {
    const session = await (await askAtEntrance("api/session", { cache: "no-store" })).json();
    if (!session.setup || session.demo) location.replace(ours(session.signed_in || session.demo ? "" : "signin"));
  } catch (error) {
    entrance.tell(error.message);
  }
}
