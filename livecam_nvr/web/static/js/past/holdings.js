// The header: how full the disk is, how many days it holds, and what is wrong with it.

import * as api from "./api.js";
import { fact } from "../disk.js";
import { bytes } from "../format.js";
import { number, t } from "../texts.js";

const days = (count) =>
  count < 2
    ? t("unit.hours", { h: number(Math.max(0, count * 24), count < 0.5 ? 1 : 0) })
    : t("unit.days", { count: Math.round(count) });

/** The facts of a service's status and a retention forecast (null: not known). */
export function facts({ disk, clock }, retention) {
  const found = [fact(disk)];
  if (retention) {
    found.push(["", t("past.held", { bytes: bytes(retention.bytes) }), t("past.held_title")]);
    if (retention.days_until_full !== null) {
      const soon = retention.days_until_full < 2;
      found.push([soon ? "bad" : "", t("past.full_in", { time: days(retention.days_until_full) }), t("past.full_in_title")]);
    } else if (retention.days_held !== null) {
      found.push(["", t("past.holds", { time: days(retention.days_held) }), t("past.holds_title")]);
    }
  }
  if (clock?.warning) found.push(["bad", t("past.clock_unset"), clock.warning]);
  return found;
}

export function show(list, found) {
  list.replaceChildren(
    ...found.map(([kind, text, title]) => {
      const item = document.createElement("li");
      item.className = kind;
      item.textContent = text;
      item.title = title;
      return item;
    }),
  );
}

/** Null where there is no index: then the status alone tells. */
export async function forecast() {
  try {
    return await api.retention();
  } catch {
    return null;
  }
}
