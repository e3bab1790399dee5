// A closer look at one picture: wheel, pinch, drag, double click and keys. What the camera sends stays as it is.

const MOST = 8;
const STEP = 1.4;
const DOUBLE = 2.5;
const WHEEL = 500; // pixels of wheel for a factor of e
const PAN = 0.15; // of the window's size, by a key

/** Scale and place of a picture in its frame of `width` × `height`; it always covers the frame. */
export function clamped({ scale, x, y }, width, height) {
  const s = Math.min(MOST, Math.max(1, scale));
  const within = (value, size) => Math.min(0, Math.max(size * (1 - s), value));
  return { scale: s, x: within(x, width) || 0, y: within(y, height) || 0 };
}

/** The same point of the picture stays under (`px`, `py`) while its scale changes by `factor`. */
export function towards(view, factor, px, py, width, height) {
  const scale = Math.min(MOST, Math.max(1, view.scale * factor));
  const by = scale / view.scale;
  return clamped({ scale, x: px - (px - view.x) * by, y: py - (py - view.y) * by }, width, height);
}

/** `eager()` tells whether the wheel means the picture and not the page; `onChange(scale)` is called for each change. */
export class Zoom {
  #frame;
  #inside;
  #eager;
  #onChange;
  #view = { scale: 1, x: 0, y: 0 };
  #pointers = new Map();

  constructor(frame, inside, eager, onChange) {
    this.#frame = frame;
    this.#inside = inside;
    this.#eager = eager;
    this.#onChange = onChange;
    frame.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    frame.addEventListener("dblclick", (event) => this.#double(event));
    frame.addEventListener("pointerdown", (event) => this.#down(event));
    frame.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, (event) => this.#up(event));
    new ResizeObserver(() => this.#show(this.#view)).observe(frame);
  }

  get scale() {
    return this.#view.scale;
  }

  /** Whether fingers are at work on it. */
  get pinching() {
    return this.#pointers.size > 1;
  }

  reset() {
    this.#show({ scale: 1, x: 0, y: 0 });
  }

  /** One step nearer or farther, in the middle. */
  step(nearer) {
    const { width, height } = this.#size;
    this.#show(towards(this.#view, nearer ? STEP : 1 / STEP, width / 2, height / 2, width, height));
  }

  /** Looks further to the right (1) or left (-1), down or up; false if the picture is not enlarged. */
  pan(right, down) {
    if (this.scale === 1) return false;
    const { width, height } = this.#size;
    const { scale, x, y } = this.#view;
    this.#show({ scale, x: x - right * PAN * width, y: y - down * PAN * height });
    return true;
  }

  get #size() {
    return { width: this.#frame.clientWidth, height: this.#frame.clientHeight };
  }

  #at(event) {
    const { left, top } = this.#frame.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  #wheel(event) {
    // A pinch on a touchpad comes as a wheel with Ctrl.
    if (!event.ctrlKey && !this.#eager() && this.scale === 1) return;
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1);
    if (this.scale === 1 && pixels > 0 && !event.ctrlKey) return;
    event.preventDefault();
    const { width, height } = this.#size;
    this.#show(towards(this.#view, Math.exp(-pixels / (event.ctrlKey ? WHEEL / 5 : WHEEL)), ...this.#at(event), width, height));
  }

  #double(event) {
    if (event.target.closest("button, a")) return;
    const { width, height } = this.#size;
    if (this.scale > 1) this.reset();
    else this.#show(towards(this.#view, DOUBLE, ...this.#at(event), width, height));
  }

  #down(event) {
    if (event.target.closest("button, a") || (event.pointerType === "mouse" && event.button !== 0)) return;
    this.#pointers.set(event.pointerId, this.#at(event));
    if (this.scale > 1 || this.pinching) this.#frame.setPointerCapture(event.pointerId);
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = this.#at(event);
    const { width, height } = this.#size;
    if (this.#pointers.size === 2) {
      const [other] = [...this.#pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      const apart = ([ax, ay]) => Math.max(1, Math.hypot(ax - other[0], ay - other[1]));
      const middle = ([ax, ay]) => [(ax + other[0]) / 2, (ay + other[1]) / 2];
      const [mx, my] = middle(now);
      const [bx, by] = middle(before);
      const moved = { ...this.#view, x: this.#view.x + mx - bx, y: this.#view.y + my - by };
      this.#show(towards(moved, apart(now) / apart(before), mx, my, width, height));
    } else if (this.#pointers.size === 1 && this.scale > 1) {
      const { scale, x, y } = this.#view;
      this.#show({ scale, x: x + now[0] - before[0], y: y + now[1] - before[1] });
    }
    this.#pointers.set(event.pointerId, now);
  }

  #up(event) {
    this.#pointers.delete(event.pointerId);
  }

  #show(wanted) {
    const { width, height } = this.#size;
    const { scale, x, y } = (this.#view = clamped(wanted, width, height));
    this.#inside.style.transform = scale === 1 ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
    this.#frame.classList.toggle("near", scale > 1);
    this.#onChange(scale);
  }
}
