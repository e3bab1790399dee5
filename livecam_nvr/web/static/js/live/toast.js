// Short words at the bottom of the window about what was done, with a way back for some seconds.

import { make } from "../dom.js";
import { t } from "../texts.js";

const SHOWN_MS = 8000;
const MOST = 3;
let place = null;

/**
 * Says `text` for some seconds. With `undo`, a button takes it back; with `bad`, it is about something that failed.
 * Stays while the pointer or the focus is on it: nobody has to hurry (WCAG 2.2, 2.2.1).
 */
export function toast(text, { undo = null, bad = false } = {}) {
  const item = make("div", { className: bad ? "toast bad" : "toast" }, make("span", {}, text));
  let timer = 0;
  const away = () => {
    clearTimeout(timer);
    item.remove();
    if (!place.childElementCount) place.hidePopover?.();
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(away, SHOWN_MS);
  };
  const hold = () => clearTimeout(timer);
  if (undo) {
    const button = make("button", { type: "button" }, t("live.undo"));
    button.addEventListener("click", () => {
      away();
      undo();
    });
    item.append(button);
  }
  const close = make("button", { type: "button", className: "close", ariaLabel: t("common.close") }, "×");
  close.addEventListener("click", away);
  item.append(close);
  for (const [event, work] of [["pointerenter", hold], ["focusin", hold], ["pointerleave", wait], ["focusout", wait]]) {
    item.addEventListener(event, work);
  }
  region().append(item);
  while (place.childElementCount > MOST) place.firstElementChild.remove();
  wait();
}

// A popover lies above what fills the screen.
function region() {
  place ??= document.body.appendChild(make("div", { className: "toasts", role: "status" }));
  if (place.showPopover && !place.matches(":popover-open")) {
    place.popover = "manual";
    place.showPopover();
  }
  return place;
}
