// A list of things with what can be done with each; on a narrow screen, each is a card of its own.

import { make } from "../dom.js";

/** `columns` are headings; each row is `{cells, actions}`, of texts and elements. */
export function table(caption, columns, rows) {
  const head = make("tr", {}, ...columns.map((words) => make("th", { scope: "col" }, words)));
  const body = rows.map(({ cells, actions = [] }) => {
    const row = make("tr");
    cells.forEach((content, at) => {
      const cell = make(at ? "td" : "th", at ? {} : { scope: "row" }, make("span", {}, ...[content].flat()));
      cell.dataset.heading = columns[at];
      row.append(cell);
    });
    if (actions.length) row.append(make("td", { className: "actions" }, ...actions));
    return row;
  });
  if (rows.some(({ actions = [] }) => actions.length)) head.append(make("td"));
  return make("table", {}, make("caption", { className: "unseen" }, caption), make("thead", {}, head), make("tbody", {}, ...body));
}

/** A button in a row; `about` is read aloud, as one row's button looks like that of the next. */
export function action(words, about, work, kind = "") {
  const button = make("button", { type: "button", className: kind }, words);
  button.ariaLabel = `${words} ${about}`;
  button.addEventListener("click", work);
  return button;
}
