// Dialogs: a question, and a form that sends.

import { t } from "../texts.js";
import { make } from "../dom.js";
import { Entrance } from "../entrance.js";

let count = 0;

/**
 * Opens a form: `fields` are its elements, `work()` sends, and what that throws is told in it; then it closes, unless
 * `work` returns elements to be shown in its place. Resolves to whether something was sent.
 */
export function askForm({ title, fields, action, work, danger = false }) {
  const opener = document.activeElement;
  const heading = make("h2", { id: `dialog-${++count}` }, title);
  const told = make("p", { className: "told", role: "alert" });
  const cancel = make("button", { type: "button" }, t("common.cancel"));
  const submit = make("button", { type: "submit", className: danger ? "danger" : "" }, action, make("span", { className: "wait", ariaHidden: "true" }));
  const ends = make("div", { className: "ends" }, cancel, submit);
  const form = make("form", { className: "fields", method: "dialog" }, heading, ...fields, told, ends);
  const dialog = make("dialog", {}, form);
  dialog.setAttribute("aria-labelledby", heading.id);
  let sent = false;
  return new Promise((resolve) => {
    new Entrance(
      form,
      async () => {
        const shown = await work();
        sent = true;
        if (!shown) {
          dialog.close();
          return;
        }
        cancel.textContent = t("common.close");
        form.replaceChildren(heading, ...shown, make("div", { className: "ends" }, cancel));
        cancel.focus();
      },
      (error) => [error.message, error.field],
    );
    cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (opener?.isConnected) opener.focus();
      resolve(sent);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Asks whether something is to be done; `work` does it. */
export const confirmThat = ({ title, words, action, work = async () => {}, danger = true }) =>
  askForm({ title, fields: [make("p", {}, words)], action, work, danger });

/** A text that can be copied, with its button. */
export function copyable(text, label) {
  const code = make("code", { tabIndex: 0 }, text);
  const button = make("button", { type: "button" }, t("common.copy"));
  button.ariaLabel = `${t("common.copy")}: ${label}`;
  button.addEventListener("click", async () => {
    if (await copy(text, code)) {
      button.textContent = t("common.copied");
      setTimeout(() => (button.textContent = t("common.copy")), 2000);
    }
  });
  return make("div", { className: "copyable" }, make("span", { className: "soft" }, label), code, button);
}

// Browsers have a clipboard for pages only where the connection is encrypted, or the machine is the same.
async function copy(text, code) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(code);
    return document.execCommand("copy");
  }
}
