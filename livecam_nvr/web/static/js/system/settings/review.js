// What saving would do: the change in the file and its effects; and the saving itself.

import { t } from "../../texts.js";
import { make } from "../../dom.js";
import { named } from "../words.js";

/** What happens, for people: `Garden is restarted`. */
export function effectInWords({ what, id, how }, cameras) {
  const subject = what === "camera" ? (cameras.find((camera) => camera.id === id)?.name || id) : named(`settings.what.${what}`, what.replaceAll("_", " "));
  return t(`settings.how.${how}`, { what: subject });
}

/** The dialog: resolves to the answer of `apply()`, or to null if nothing was saved. */
export function review({ diff, effects }, cameras, apply) {
  const opener = document.activeElement;
  const heading = make("h2", { id: "review-title" }, t("settings.review"));
  const said = make("p", { className: "told", role: "alert" });
  const progress = make("p", { className: "soft", role: "status" });
  const cancel = make("button", { type: "button" }, t("common.cancel"));
  const save = make("button", { type: "submit" }, t("settings.apply"));
  const list = effects.length
    ? make("ul", { className: "effects" }, ...effects.map((effect) => make("li", { className: effect.how }, effectInWords(effect, cameras))))
    : make("p", {}, t("settings.no_effect"));
  const change = make("details", {}, make("summary", {}, t("settings.diff")), diffView(diff));
  change.open = true;
  const form = make("form", { className: "fields", method: "dialog" }, heading, list, change, progress, said, make("div", { className: "ends" }, cancel, save));
  const dialog = make("dialog", { className: "review" }, form);
  dialog.setAttribute("aria-labelledby", heading.id);
  let done = null;
  let busy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    save.ariaBusy = "true";
    cancel.disabled = true;
    said.textContent = "";
    progress.textContent = t("settings.applying_what");
    save.textContent = t("settings.applying");
    try {
      done = await apply();
      dialog.close();
    } catch (error) {
      said.textContent = error.message;
      save.textContent = t("settings.apply");
    }
    progress.textContent = "";
    busy = cancel.disabled = false;
    save.ariaBusy = "false";
  });
  // What is under way is waited for: whether it worked has to be told.
  dialog.addEventListener("cancel", (event) => busy && event.preventDefault());
  cancel.addEventListener("click", () => dialog.close());
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (opener?.isConnected) opener.focus();
      resolve(done);
    });
    document.body.append(dialog);
    dialog.showModal();
    save.focus();
  });
}

function diffView(lines) {
  const kind = (line) => (/^(\+\+\+|---|@@)/.test(line) ? "place" : { "+": "added", "-": "removed" }[line[0]] ?? "");
  const shown = lines.map((line) => make("span", { className: kind(line) }, `${line.replace(/\n$/, "")}\n`));
  const view = make("pre", { className: "diff", tabIndex: 0 }, ...shown);
  view.ariaLabel = t("settings.diff");
  return view;
}
