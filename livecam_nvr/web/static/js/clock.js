// The service's clock, as far as its answers tell: it refuses what lies in its future, not in the browser's.

let ahead = 0;

/** An answer's Date header came; it has whole seconds only. */
export function note(date) {
  const found = Date.parse(date ?? "") - Date.now() + 500;
  if (!Number.isNaN(found)) ahead = Math.abs(found) < 2000 ? 0 : found;
}

/** Seconds since 1970. */
export const now = () => (Date.now() + ahead) / 1000;
