// A finger that moves sideways over the picture goes to the next camera.

const FAR_PX = 60;
const QUICK_MS = 700;

/** `allowed()` is asked at the end; `onSwipe(1)` is called for a finger that moves to the left: the next one. */
export function swipe(element, allowed, onSwipe) {
  let start = null;
  let fingers = 0;
  element.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse") return;
    fingers += 1;
    start = fingers === 1 ? { x: event.clientX, y: event.clientY, at: event.timeStamp } : null;
  });
  element.addEventListener("pointercancel", () => {
    fingers = Math.max(0, fingers - 1);
    start = null;
  });
  element.addEventListener("pointerup", (event) => {
    if (event.pointerType === "mouse") return;
    fingers = Math.max(0, fingers - 1);
    if (!start) return;
    const right = event.clientX - start.x;
    const down = event.clientY - start.y;
    const quick = event.timeStamp - start.at < QUICK_MS;
    start = null;
    if (quick && Math.abs(right) > FAR_PX && Math.abs(right) > 2 * Math.abs(down) && allowed()) onSwipe(right < 0 ? 1 : -1);
  });
}
