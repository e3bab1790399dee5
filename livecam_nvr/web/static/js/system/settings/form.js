// A section of settings as a form: a field for each key, with title, help, unit, default, and what is wrong with it.

import { t } from "../../texts.js";
import { make } from "../../dom.js";
import { inputFor } from "./inputs.js";
import { boundsOf, defaultOf, helpOf, kindOf, plain, titleOf, unitOf } from "./schema.js";

/** Where the field of a path is in the page. */
export const idOf = (path) => `setting-${path.join("-")}`;

/**
 * The fields of a section. `settings` is `{draft, root}`; `first` are the keys that are always seen (all, if it is not
 * given), the others are behind "More"; `skip` are none of them.
 */
export function fields(settings, path, schema, { first = null, skip = [] } = {}) {
  const keys = Object.keys(schema.properties).filter((key) => !skip.includes(key));
  const seen = first ? [...first, ...(schema.required ?? [])] : keys;
  const made = (key) => field(settings, [...path, key], withDefault(settings, [...path, key], plain(schema.properties[key], settings.root)), (schema.required ?? []).includes(key));
  const sorted = keys.filter((key) => seen.includes(key));
  if (first) sorted.sort((a, b) => rank(first, a) - rank(first, b));
  const rest = keys.filter((key) => !seen.includes(key));
  const found = sorted.map(made);
  if (!rest.length) return found;
  const more = make("details", { className: "more" }, make("summary", {}, t("settings.more")), make("div", { className: "settings-fields" }, ...rest.map(made)));
  return [...found, more];
}

// Some defaults depend on other settings: the service says them apart from the schema.
function withDefault(settings, path, schema) {
  const usual = schema.default === undefined && path[0] !== "cameras" ? settings.draft.usual(path) : undefined;
  return usual === undefined || usual === null || typeof usual === "object" ? schema : { ...schema, default: usual };
}

const rank = (first, key) => (first.includes(key) ? first.indexOf(key) : first.length);

function field(settings, path, schema, required) {
  const key = path.at(-1);
  const value = settings.draft.get(path);
  const kind = kindOf(key, schema, settings.root, value ?? settings.draft.saved(path));
  if (kind === "section") return section(settings, path, schema);
  if (kind === "list") return list(settings, path, schema);
  return single(settings, path, schema, kind, required);
}

function section(settings, path, schema) {
  const legend = make("legend", {}, titleOf(path.at(-1)));
  const help = schema.description ? [helpText(schema.description)] : [];
  return make("fieldset", { className: "sub" }, legend, ...help, make("div", { className: "settings-fields" }, ...fields(settings, path, schema)));
}

function single(settings, path, schema, kind, required) {
  const key = path.at(-1);
  const id = idOf(path);
  const change = (value) => {
    settings.draft.set(path, value);
    showReset();
  };
  const made = inputFor(kind, { schema, root: settings.root, value: settings.draft.get(path), change, optional: !required });
  made.focusable.id = id;
  const mistake = make("p", { className: "mistake", id: `${id}-mistake` });
  const notes = noteOf(key, schema, kind, id);
  made.focusable.setAttribute("aria-describedby", [notes.id, mistake.id].join(" "));
  if (required) made.focusable.required = true;
  // Its folder, its addresses and its entities are named so.
  if (key === "id" && settings.draft.saved(path) !== undefined) made.focusable.readOnly = true;
  const label = make("label", { htmlFor: id }, titleOf(key));
  if (made.group) made.group.ariaLabel = titleOf(key);
  const unit = kind === "number" ? unitOf(key) : "";
  const control = make("div", { className: "control" }, made.element, ...(unit ? [make("span", { className: "unit", ariaHidden: "true" }, unit)] : []));
  const reset = make("button", { type: "button", className: "reset" }, t("settings.reset"));
  reset.ariaLabel = `${t("settings.reset")}: ${titleOf(key)}`;
  const showReset = () => {
    reset.hidden = required || kind === "secret" || schema.default === undefined || settings.draft.get(path) === undefined;
  };
  const holder = make("div", { className: `setting ${kind}` }, make("div", { className: "name-line" }, label, reset), control, notes, mistake);
  holder.dataset.path = path.join(".");
  reset.addEventListener("click", () => {
    settings.draft.set(path, undefined);
    const anew = single(settings, path, schema, kind, required);
    holder.replaceWith(anew);
    anew.querySelector("input, select, textarea")?.focus();
  });
  showReset();
  return holder;
}

function noteOf(key, schema, kind, id) {
  const usual = defaultOf(kind, schema);
  const facts = [boundsOf(schema), usual && t("settings.default", { value: usual })].filter(Boolean).join(" · ");
  const note = make("div", { className: "note", id: `${id}-note` });
  const help = helpOf(key, schema);
  if (help) note.append(helpText(help));
  if (facts) note.append(make("p", { className: "facts-line" }, facts));
  return note;
}

/** Docstrings mark code as Markdown does. */
export function helpText(words) {
  const pieces = words.replace(/\s+/g, " ").replaceAll("*", "").split("`");
  return make("p", {}, ...pieces.map((piece, at) => (at % 2 ? make("code", {}, piece) : piece)));
}

// A list of sections: each is a form of its own, and there can be more or fewer.
function list(settings, path, schema) {
  const items = plain(schema.items, settings.root);
  const key = path.at(-1);
  const holder = make("fieldset", { className: "sub" });
  holder.dataset.path = path.join(".");
  const show = () => {
    const entries = settings.draft.get(path) ?? [];
    const forms = entries.map((_, at) => {
      const remove = make("button", { type: "button", className: "danger" }, t("system.remove"));
      remove.ariaLabel = `${t("system.remove")}: ${titleOf(key)} ${at + 1}`;
      remove.addEventListener("click", () => {
        const left = (settings.draft.get(path) ?? []).filter((_one, number) => number !== at);
        settings.draft.set(path, left.length ? left : undefined);
        show();
        add.focus();
      });
      return make("div", { className: "entry" }, make("div", { className: "settings-fields" }, ...fields(settings, [...path, at], items)), remove);
    });
    holder.replaceChildren(
      make("legend", {}, titleOf(key)),
      ...(schema.description ? [helpText(helpOf(key, schema))] : []),
      ...forms,
      make("p", { className: "mistake", id: `${idOf(path)}-mistake` }),
      add,
    );
  };
  const add = make("button", { type: "button", id: idOf(path) }, t("settings.entry_add"));
  add.addEventListener("click", () => {
    settings.draft.set(path, [...(settings.draft.get(path) ?? []), usual(items)]);
    show();
    holder.querySelector(".entry:last-of-type :is(input, select)")?.focus();
  });
  show();
  return holder;
}

// What has no default begins with the first that it may be.
function usual(schema) {
  const entries = (schema.required ?? []).map((key) => [key, schema.properties[key].enum?.[0] ?? schema.properties[key].default ?? ""]);
  return Object.fromEntries(entries);
}
