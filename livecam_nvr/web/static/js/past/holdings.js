// The header: how full the disk is, how many days it holds, and what is wrong with it.

import * as api from "./api.js";
import { fact } from "../disk.js";
import { bytes } from "../format.js";

const days = (count) => (count < 2 ? `${Math.max(0, count * 24).toFixed(count < 0.5 ? 1 : 0)} h` : `${Math.round(count)} days`);

/** The facts of a service's status and a retention forecast (null: not known). */
export function facts({ disk, clock }, retention) {
  const found = [fact(disk)];
  if (retention) {
    found.push(["", `${bytes(retention.bytes)} recorded`, "All recordings of all cameras"]);
    if (retention.days_until_full !== null) {
      const soon = retention.days_until_full < 2;
      found.push([soon ? "bad" : "", `full in ${days(retention.days_until_full)}`, "At the present rate, if nothing is deleted"]);
    } else if (retention.days_held !== null) {
      found.push(["", `holds ${days(retention.days_held)}`, "So much footage the limits and the disk allow at the present rate"]);
    }
  }
  if (clock?.warning) found.push(["bad", "clock not set", clock.warning]);
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
