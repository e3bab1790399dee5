// The controls of settings, one for each sort: each has `element`, and calls `change(value)`; undefined: not set.

import { t } from "../../texts.js";
import { make } from "../../dom.js";
import { tick } from "../rights.js";
import { choiceInWords, plain, size } from "./schema.js";

const TRUE = new Set(["1", "on", "t", "true", "y", "yes"]);

/** The control for a setting; `focusable` gets the id, the mistake, and the help. */
export function inputFor(kind, { schema, root, value, change, optional }) {
  return MAKERS[kind]({ schema, root, value, change, optional });
}

const MAKERS = { secret, switch: toggle, choice, size: sizeInput, number: numberInput, text, lines, ticks, raw };

const own = (element) => ({ element, focusable: element });

// `live` controls tell as somebody types, so that the bar with the changes is there at once.
function typed(element, change, read) {
  element.addEventListener("input", () => change(read(element.value)));
  return own(element);
}

function text({ schema, value, change, optional }) {
  const input = make("input", { type: "text", autocomplete: "off", spellcheck: false, value: value ?? "" });
  if (schema.maxLength) input.maxLength = schema.maxLength;
  if (typeof schema.default === "string") input.placeholder = schema.default;
  return typed(input, change, (written) => (written === "" && optional ? undefined : written));
}

function numberInput({ schema, value, change }) {
  const input = make("input", { type: "number", value: value ?? "", step: schema.type === "integer" ? 1 : "any" });
  if (schema.minimum !== undefined) input.min = schema.minimum;
  if (schema.maximum !== undefined) input.max = schema.maximum;
  if (typeof schema.default === "number") input.placeholder = schema.default;
  // What is no number yet is told by the service as any other mistake.
  return typed(input, change, (written) => (written === "" ? (input.validity.badInput ? "?" : undefined) : Number(written)));
}

function sizeInput({ schema, value, change }) {
  const input = make("input", { type: "text", autocomplete: "off", value: value === undefined || value === null ? "" : size(value) });
  if (typeof schema.default === "number") input.placeholder = size(schema.default);
  return typed(input, change, (written) => written.trim() || undefined);
}

function toggle({ schema, value, change }) {
  const input = make("input", { type: "checkbox", className: "toggle" });
  input.setAttribute("role", "switch");
  input.checked = value === undefined || value === null ? Boolean(schema.default) : TRUE.has(String(value).toLowerCase());
  input.addEventListener("change", () => change(input.checked));
  return own(input);
}

function choice({ schema, value, change }) {
  const input = make("select");
  input.append(...schema.enum.map((one) => make("option", { value: one }, choiceInWords(one))));
  if (schema.nullable) input.prepend(make("option", { value: "" }, "–"));
  input.value = String(value ?? schema.default ?? "");
  const back = (written) => schema.enum.find((one) => String(one) === written);
  input.addEventListener("change", () => change(back(input.value)));
  return own(input);
}

// What is secret never comes to the browser: untouched, it stays what it is.
function secret({ value, change, optional }) {
  const set = value?.secret ? value.set : Boolean(value);
  const input = make("input", { type: "password", autocomplete: "new-password", spellcheck: false });
  const known = value?.secret ? "" : (value ?? "");
  input.value = known;
  input.placeholder = set && value?.secret ? t("settings.secret_set") : "";
  const keep = value?.secret ? value : undefined;
  const show = make("button", { type: "button" }, t("settings.show"));
  show.addEventListener("click", () => {
    input.type = input.type === "password" ? "text" : "password";
    show.textContent = t(input.type === "password" ? "settings.show" : "settings.hide");
    input.focus();
  });
  input.addEventListener("input", () => change(input.value || keep));
  const holder = make("div", { className: "secret" }, input, show);
  if (set && keep && optional) {
    const drop = make("button", { type: "button" }, t("settings.secret_drop"));
    drop.addEventListener("click", () => {
      input.value = input.placeholder = "";
      change(undefined);
      drop.remove();
      input.focus();
    });
    holder.append(drop);
  }
  return { element: holder, focusable: input };
}

function lines({ value, change }) {
  const input = make("textarea", { rows: Math.max(2, (value?.length ?? 0) + 1), spellcheck: false, value: (value ?? []).join("\n") });
  return typed(input, change, (written) => {
    const found = written.split("\n").map((line) => line.trim()).filter(Boolean);
    return found.length ? found : undefined;
  });
}

function ticks({ schema, root, value, change }) {
  const all = plain(schema.items, root).enum;
  const chosen = new Set(value ?? schema.default ?? []);
  const boxes = all.map((one) => make("input", { type: "checkbox", value: one, checked: chosen.has(one) }));
  const element = make("div", { className: "ticks", role: "group" }, ...boxes.map((box) => tick(box, choiceInWords(box.value))));
  element.addEventListener("change", () => change(boxes.filter((box) => box.checked).map((box) => box.value)));
  return { element, focusable: boxes[0], group: element };
}

// Of several forms, or a structure: as text. Words are words, the rest is JSON, which YAML understands.
function raw({ schema, value, change }) {
  const words = (schema.anyOf ?? []).flatMap((form) => form.enum ?? []);
  const wide = schema.type === "array" || schema.type === "object";
  const shown = value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
  const input = wide ? make("textarea", { rows: 3, value: shown }) : make("input", { type: "text", value: shown, autocomplete: "off" });
  input.spellcheck = false;
  if (typeof schema.default === "string") input.placeholder = schema.default;
  const made = typed(input, change, (written) => {
    if (!written.trim()) return undefined;
    try {
      return JSON.parse(written);
    } catch {
      return written.trim();
    }
  });
  if (!words.length) return made;
  const list = make("datalist", { id: `words-${words.join("-")}` }, ...words.map((word) => make("option", { value: word })));
  input.setAttribute("list", list.id);
  return { element: make("div", {}, input, list), focusable: input };
}
