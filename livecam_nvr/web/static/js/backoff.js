// Growing, jittered, capped pauses between attempts.

export class Backoff {
  #attempts = 0;

  next() {
    const pause = Math.min(5_000, 300 * 2 ** Math.min(this.#attempts++, 10));
    return pause * (0.8 + Math.random() * 0.4);
  }

  reset() {
    this.#attempts = 0;
  }
}
