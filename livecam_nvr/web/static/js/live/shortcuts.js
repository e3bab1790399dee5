// Which key does what on the live page.

import { t } from "../texts.js";
import { toast } from "./toast.js";

const DIGITS = [..."123456789"];

/** The keys in groups, for Keys. */
export function keysOf(page, views, tiles, help) {
  // The camera that is meant: the one shown alone, that with the focus, or that below the pointer.
  const meant = () => {
    const shown = [...tiles.values()].filter((tile) => !tile.element.hidden);
    if (shown.length === 1) return shown[0];
    const focused = document.activeElement?.closest?.(".tile");
    return shown.find((tile) => tile.element === focused) ?? shown.find((tile) => tile.element.matches(":hover"));
  };
  const on = (work) => () => {
    const tile = meant();
    if (tile) work(tile);
    else if (tiles.size) toast(t("live.choose_first"));
  };
  const alone = (work) => () => {
    const tile = page.isAlone() ? meant() : null;
    return tile ? work(tile) : false;
  };
  const sideways = (by) => () => {
    if (meant()?.zoom.pan(by, 0)) return true;
    if (!page.isAlone()) return false;
    views.move(by);
    return true;
  };
  const upright = (by) => () => meant()?.zoom.pan(0, by) ?? false;
  const watching = [
    { keys: DIGITS, shown: ["1", "…", "9"], text: "live.key_one", run: ({ key }) => views.showNumber(Number(key)) },
    { keys: ["0"], text: "live.key_all", run: () => views.showNumber(0) },
    { keys: ["ArrowRight"], shown: ["←", "→"], text: "live.key_next", run: sideways(1) },
    { keys: ["f"], text: "live.key_full", run: () => page.fullScreen(null) },
    { keys: ["p"], text: "live.key_window", run: on((tile) => tile.smallWindow()) },
    { keys: ["m"], text: "live.key_sound", run: on((tile) => tile.sound.toggle()) },
    { keys: ["s"], text: "live.key_snapshot", run: on((tile) => tile.snapshot()) },
  ];
  const closer = [
    { keys: ["+", "="], shown: "+", text: "live.key_nearer", run: alone((tile) => tile.zoom.step(true)) },
    { keys: ["-"], shown: "−", text: "live.key_farther", run: alone((tile) => tile.zoom.step(false)) },
    { keys: ["ArrowDown"], shown: ["←", "→", "↑", "↓"], text: "live.key_pan", run: upright(1) },
    { keys: ["Escape"], shown: "Esc", text: "live.key_back", run: () => back(page, views, meant()) },
  ];
  const doing = [
    { keys: ["i"], text: "live.key_details", run: () => page.showDetails(!page.details) },
    { keys: ["r"], text: "live.key_record", run: on((tile) => tile.recording.toggle()) },
    { keys: ["k"], text: "live.key_keep", run: on((tile) => tile.recording.keep()) },
    { keys: ["?"], text: "live.key_help", run: help },
  ];
  // In the list, these stand with their counterparts.
  const silent = [
    { keys: ["ArrowLeft"], run: sideways(-1) },
    { keys: ["ArrowUp"], run: upright(-1) },
  ];
  return { shown: [watching, closer, doing], silent };
}

// First out of the enlargement, then out of the single view.
function back(page, views, tile) {
  if (tile && tile.zoom.scale > 1) tile.zoom.reset();
  else if (views.current !== "") views.show("");
  else return false;
  return true;
}
