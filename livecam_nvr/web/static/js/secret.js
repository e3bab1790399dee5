// Password fields: the button that shows what was typed, and what a new password has to be.

import { make } from "./dom.js";

const LEAST = 10;
const SAME = "the same twice";

/** Gives each `.secret` within `root` its button. */
export function revealable(root) {
  for (const place of root.querySelectorAll(".secret")) {
    const input = place.querySelector("input");
    const button = make("button", { type: "button" });
    const what = input.labels[0]?.textContent.trim() ?? "password";
    const show = (shown) => {
      input.type = shown ? "text" : "password";
      button.textContent = shown ? "Hide" : "Show";
      button.ariaLabel = `${button.textContent}: ${what}`;
    };
    button.addEventListener("click", () => show(input.type === "password"));
    // What is sent is hidden again: browsers offer to keep passwords, and keep texts for other forms.
    input.form.addEventListener("submit", () => show(false), { capture: true });
    show(false);
    place.append(button);
  }
}

/** What a new password has to be: words, and whether it is. */
const rules = (password, again, name) => [
  [`at least ${LEAST} characters`, [...password].length >= LEAST],
  ["not your name", password !== "" && password.toLowerCase() !== name.trim().toLowerCase()],
  [SAME, password !== "" && password === again],
];

/** Keeps a list of the rules true while somebody types; `fields` are `{name, fresh, again}`, inputs. */
export function showRules(list, { name, fresh, again }) {
  const show = () => {
    list.replaceChildren(
      ...rules(fresh.value, again.value, name.value).map(([words, met]) => {
        const answer = make("span", { className: "unseen" }, met ? ": yes" : ": not yet");
        return make("li", { className: met ? "met" : "" }, words, answer);
      }),
    );
  };
  for (const input of [name, fresh, again]) input.addEventListener("input", show);
  show();
}

/** Throws an Error in words, with the `field` that it is about, if a rule is not met. */
export function refuseBad({ name, fresh, again }) {
  const broken = rules(fresh.value, again.value, name.value).find(([, met]) => !met);
  if (!broken) return;
  const error = new Error(`The new password has to be ${broken[0]}.`);
  error.field = broken[0] === SAME ? again : fresh;
  throw error;
}
