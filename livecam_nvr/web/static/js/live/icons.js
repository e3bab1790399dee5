// The small pictures on buttons: lines on a square of 24.

const PATHS = {
  snapshot: "M4 8h3l2-3h6l2 3h3v11H4zM12 16.5a3.3 3.3 0 1 0 0-6.6 3.3 3.3 0 0 0 0 6.6z",
  pip: "M3 5h18v14H3zM12 12h6.5v4.5H12z",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  details: "M12 11v6M12 7.2v.1M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  keep: "M6 4h12v16l-6-4-6 4z",
  soundOn: "M4 9.5v5h4l5 4v-13l-5 4zM16.5 8.5a5 5 0 0 1 0 7M19 6a8.5 8.5 0 0 1 0 12",
  soundOff: "M4 9.5v5h4l5 4v-13l-5 4zM17 9.5l5 5M22 9.5l-5 5",
  keys: "M3 7h18v11H3zM6.5 10.5h.1M10 10.5h.1M14 10.5h.1M17.5 10.5h.1M8 14.5h8",
};
const SVG = "http://www.w3.org/2000/svg";

/** The picture of this name; the button has to say in words what it does. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Puts them into all buttons that name one: `data-icon="full"`. */
export function draw(root) {
  for (const element of root.querySelectorAll("[data-icon]")) element.prepend(icon(element.dataset.icon));
}
