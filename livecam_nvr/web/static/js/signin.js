// The sign-in: name and password, and on to where somebody wanted to go.

import { wanted } from "./address.js";
import { Entrance } from "./entrance.js";
import { askAtEntrance, send } from "./http.js";
import { languages } from "./languages.js";
import { revealable } from "./secret.js";
import { t } from "./texts.js";

const FORWARDED_MS = 10_000;

const form = document.getElementById("signin");
const { name, password } = form.elements;

const entrance = new Entrance(
  form,
  async () => {
    await send("api/session", "POST", { name: name.value.trim(), password: password.value }, askAtEntrance);
    location.replace(wanted());
  },
  (error) => (error.status === 401 ? [t("account.wrong"), password] : [error.message]),
);

form.after(languages());
revealable(form);
look();

// Whoever is let in already has nothing to do here; the first one there ever is makes the first password.
async function look() {
  try {
    const session = await (await askAtEntrance("api/session", { cache: "no-store" })).json();
    document.getElementById("first").hidden = !session.setup;
    if ((session.signed_in || session.demo) && !forwarded()) location.replace(wanted());
  } catch (error) {
    entrance.tell(error.message);
  }
}

// Should the page that was wanted send back here at once, it must not go round in circles.
function forwarded() {
  const key = "forwarded";
  try {
    const lately = Date.now() - Number(sessionStorage.getItem(key)) < FORWARDED_MS;
    sessionStorage.setItem(key, lately ? "0" : String(Date.now()));
    return lately;
  } catch {
    return true; // without a memory, it cannot know: then a person signs in once more
  }
}
