// Which time is shown, and where on the axis a moment is.

const LEAST_S = 5;
const MOST_S = 31 * 86_400; // the API gives no more at once
const AHEAD = 0.05; // so much of the view may lie in the future

export class Scale {
  begin = 0;
  end = 1;
  width = 1;
  #now;
  #onChange;

  constructor(now, onChange) {
    this.#now = now;
    this.#onChange = onChange;
  }

  get span() {
    return this.end - this.begin;
  }

  x(time) {
    return ((time - this.begin) / this.span) * this.width;
  }

  time(x) {
    return this.begin + (x / this.width) * this.span;
  }

  /** Seconds per pixel. */
  get grain() {
    return this.span / this.width;
  }

  resize(width) {
    if (width > 0 && width !== this.width) {
      this.width = width;
      this.#onChange();
    }
  }

  /** Shows a range; one that is too long or too short around its middle. */
  show(begin, end) {
    const span = Math.min(MOST_S, Math.max(LEAST_S, end - begin));
    const middle = (begin + end) / 2;
    // A whole day is shown although it is not over; what lies further ahead is of no use.
    const latest = Math.max(this.#now() + AHEAD * span, span > 80_000 ? end : 0);
    this.end = Math.min(middle + span / 2, latest);
    this.begin = this.end - span;
    this.#onChange();
  }

  /** Shows `factor` times as much time; the moment at `x` stays where it is. */
  zoom(factor, x = this.width / 2) {
    const held = this.time(x);
    const span = Math.min(MOST_S, Math.max(LEAST_S, this.span * factor));
    const begin = held - (x / this.width) * span;
    this.show(begin, begin + span);
  }

  pan(seconds) {
    this.show(this.begin + seconds, this.end + seconds);
  }

  around(time, span = this.span) {
    this.show(time - span / 2, time + span / 2);
  }

  /** Moves as little as needed to have a moment in sight. */
  reveal(time) {
    if (time < this.begin || time > this.end) this.around(time);
  }
}
