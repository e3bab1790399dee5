// How tiles fit into the window, and which streams are kept running that are not to be seen. Plain arithmetic.

const LEAST_PX = 240; // a picture that is less wide is not worth much; rather, the page scrolls
const LEAST_NARROW_PX = 140;
const NARROW_PX = 560;
const FEW = 4; // so many are as wide as a phone, one below the other
const WARM = 8;

/**
 * How many columns, and how wide a tile is, so that `count` tiles are as large as they can be in `width` × `height`
 * pixels without scrolling; if they were too small then, the page scrolls. A tile is a picture of `aspect` with
 * `extra` pixels above and below it.
 */
export function fit(count, width, height, aspect, { extra = 0, gap = 0, scrolls = true } = {}) {
  let best = { columns: 1, tile: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.ceil(count / columns);
    const across = (width - gap * (columns - 1)) / columns;
    const down = ((height - gap * (rows - 1)) / rows - extra) * aspect;
    const tile = Math.floor(Math.min(across, down));
    if (tile > best.tile) best = { columns, tile };
  }
  const narrow = width < NARROW_PX;
  const least = Math.min(width, narrow ? (count > FEW ? LEAST_NARROW_PX : width) : LEAST_PX);
  if (!scrolls || best.tile >= least) return best;
  const columns = Math.max(1, Math.floor((width + gap) / (least + gap)));
  return { columns, tile: Math.floor((width - gap * (columns - 1)) / columns) };
}

/** The form of all pictures: their own where they agree, else 16:9. */
export function commonAspect(cameras) {
  const known = cameras.filter(({ width, height }) => width && height).map(({ width, height }) => width / height);
  const agree = known.length && known.every((one) => Math.abs(one / known[0] - 1) < 0.02);
  return agree ? known[0] : 16 / 9;
}

/** Which of `ids` to keep running besides `alone`, so that going there takes no time: the nearest, by keys or swipe. */
export function warm(ids, alone) {
  const at = ids.indexOf(alone);
  if (at < 0) return [];
  const away = (id) => {
    const straight = Math.abs(ids.indexOf(id) - at);
    return Math.min(straight, ids.length - straight);
  };
  return ids.filter((id) => id !== alone).sort((a, b) => away(a) - away(b)).slice(0, WARM);
}
