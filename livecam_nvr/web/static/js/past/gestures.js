// What hands do on the lanes: drag, pinch, wheel, click, drag with Shift, and the keys.

const CLICK_PX = 5;
const WHEEL = 0.0018;
const KEY_ZOOM = 1.5;

/**
 * Events: `onPoint(x, clientY)`, `onLeave()`, `onClick(x, clientY)`, `onSelect(fromX, toX)` while a range is being
 * dragged, `onKey(key, big)` for arrows, Enter, Home and End; zooming and panning go to the scale at once.
 */
export class Gestures {
  selecting = false;
  #host;
  #scale;
  #events;
  #down = new Map();
  #moved = false;
  #shift = false;
  #beganAt = 0;

  constructor(host, scale, events) {
    this.#host = host;
    this.#scale = scale;
    this.#events = events;
    host.addEventListener("pointerdown", (event) => this.#press(event));
    host.addEventListener("pointermove", (event) => this.#move(event));
    host.addEventListener("pointerup", (event) => this.#release(event));
    host.addEventListener("pointercancel", (event) => this.#down.delete(event.pointerId));
    host.addEventListener("pointerleave", () => events.onLeave());
    host.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    host.addEventListener("keydown", (event) => this.#key(event));
  }

  #x(event) {
    return event.clientX - this.#host.getBoundingClientRect().left - this.#host.clientLeft;
  }

  #press(event) {
    if (event.button !== 0 || event.target.closest(".handle")) return;
    this.#host.setPointerCapture(event.pointerId);
    this.#down.set(event.pointerId, this.#x(event));
    this.#moved = this.#down.size > 1;
    this.#shift = event.shiftKey || this.selecting;
    this.#beganAt = this.#x(event);
  }

  #move(event) {
    const x = this.#x(event);
    const before = this.#down.get(event.pointerId);
    if (before === undefined) {
      if (!event.target.closest(".handle")) this.#events.onPoint(x, event.clientY);
      return;
    }
    if (!this.#moved && Math.abs(x - this.#beganAt) < CLICK_PX) return;
    this.#moved = true;
    if (this.#down.size === 2) {
      this.#pinch(event.pointerId, before, x);
    } else if (this.#shift) {
      this.#events.onSelect(Math.min(x, this.#beganAt), Math.max(x, this.#beganAt));
      this.#events.onPoint(x, event.clientY);
    } else {
      this.#scale.pan((before - x) * this.#scale.grain);
    }
    this.#down.set(event.pointerId, x);
  }

  #pinch(id, before, x) {
    const [, other] = [...this.#down].find(([one]) => one !== id);
    const [from, to] = [Math.abs(before - other), Math.abs(x - other)];
    if (from > 10 && to > 10) this.#scale.zoom(from / to, (x + other) / 2);
  }

  #release(event) {
    if (!this.#down.delete(event.pointerId) || this.#moved || this.#down.size) return;
    this.#events.onClick(this.#x(event), event.clientY);
  }

  #wheel(event) {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const [across, along] = event.shiftKey ? [event.deltaX || event.deltaY, 0] : [event.deltaX, event.deltaY];
    if (Math.abs(across) > Math.abs(along)) this.#scale.pan(across * unit * this.#scale.grain);
    else this.#scale.zoom(Math.exp(along * unit * WHEEL), this.#x(event));
  }

  #key(event) {
    if (event.target !== this.#host || event.ctrlKey || event.altKey || event.metaKey) return;
    const { key } = event;
    if (key === "+" || key === "=") this.#scale.zoom(1 / KEY_ZOOM);
    else if (key === "-") this.#scale.zoom(KEY_ZOOM);
    else if (/^(Arrow(Left|Right|Up|Down)|Enter|Home|End)$/.test(key)) this.#events.onKey(key, event.shiftKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
