// What drawing on a canvas needs: sharp pixels, and the page's own colours.

const NAMES = ["line", "text", "soft", "footage", "track", "meant", "missed", "lost", "event", "kept", "ahead"];

/** A cleared context whose unit is a CSS pixel, sharp on any display. */
export function prepared(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** The colours of the scheme that is in force: `--line`, `--footage` and so on. */
export function pageColours() {
  const style = getComputedStyle(document.body);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}
