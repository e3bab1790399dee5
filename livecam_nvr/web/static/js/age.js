// How old pictures are, whatever this machine's clock says: only the time that passes here is counted.

const WINDOW_S = 60;
const BUCKET_S = 2;

const now = () => performance.now() / 1000;

/** Of one stream. What arrives soonest after its moment tells how the stream's clock stands to ours. */
export class Age {
  #offsets = [];

  /** At `heardS` (else now) was heard that the picture of stream time `timeS` was then `ageS` old. */
  note(timeS, ageS, heardS = now()) {
    const offset = heardS - ageS - timeS;
    const newest = this.#offsets.at(-1);
    if (newest && heardS - newest.sinceS < BUCKET_S) {
      newest.least = Math.min(newest.least, offset);
      return;
    }
    this.#offsets.push({ sinceS: heardS, least: offset });
    while (heardS - this.#offsets[0].sinceS > WINDOW_S) this.#offsets.shift();
  }

  /** Seconds; null while nothing is known. */
  of(timeS) {
    if (!this.#offsets.length) return null;
    return Math.max(0, now() - timeS - Math.min(...this.#offsets.map(({ least }) => least)));
  }

  /** Another stream: its clock is another one. */
  forget() {
    this.#offsets = [];
  }
}
