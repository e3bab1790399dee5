// Settings that are being changed: values by path, and whether they differ from those in force.

const CAMERAS = "cameras";

export class Draft {
  #saved;
  #values;
  #defaults;
  #listeners = [];

  /** `values` are what is written down, `defaults` what holds for the rest. */
  constructor(values, defaults) {
    this.#saved = structuredClone(values);
    this.#values = structuredClone(values);
    this.#defaults = defaults;
  }

  get values() {
    return this.#values;
  }

  /** `listener()` is called after each change. */
  onChange(listener) {
    this.#listeners.push(listener);
  }

  /** The value at a path of keys and numbers; undefined where nothing is set. */
  get(path) {
    return reach(this.#seen(this.#values, path), path);
  }

  /** The same in what is in force. */
  saved(path) {
    return reach(this.#seen(this.#saved, path), path);
  }

  /** What holds where nothing is set. */
  usual(path) {
    return reach(this.#defaults, path);
  }

  /** Sets it; undefined takes the key out, and sections that are empty then. */
  set(path, value) {
    // Whoever changes one of the cameras that are there by default has all of them written down.
    if (path[0] === CAMERAS && path.length > 1) this.#values = structuredClone(this.#seen(this.#values, path));
    if (value === undefined) this.#unset(path);
    else put(this.#values, path, value);
    for (const listener of this.#listeners) listener();
  }

  get changed() {
    return !same(this.#values, this.#saved);
  }

  /** How many settings differ. */
  get changes() {
    return differences(this.#values, this.#saved);
  }

  // Without any camera written down, there are those of the defaults.
  #seen(values, [first]) {
    if (first !== CAMERAS || values[CAMERAS]) return values;
    const usual = (this.#defaults?.[CAMERAS] ?? []).map(({ id, name, kind }) => ({ id, name, kind }));
    return { ...values, [CAMERAS]: usual };
  }

  #unset(path) {
    const holder = reach(this.#values, path.slice(0, -1));
    if (holder === undefined || holder === null) return;
    delete holder[path.at(-1)];
    const up = path.slice(0, -1);
    // A section that was not there before is not left behind; entries of lists are.
    if (up.length && typeof up.at(-1) === "string" && !Object.keys(holder).length && this.saved(up) === undefined) this.#unset(up);
  }
}

const reach = (values, path) => path.reduce((place, step) => place?.[step], values);

function put(values, path, value) {
  let place = values;
  path.slice(0, -1).forEach((step, at) => {
    place[step] ??= typeof path[at + 1] === "number" ? [] : {};
    place = place[step];
  });
  place[path.at(-1)] = value;
}

// Whatever the order of the keys.
const same = (a, b) => differences(a, b) === 0;

function differences(a, b) {
  const inner = (value) => value !== null && typeof value === "object" && !value.secret;
  if (!inner(a) || !inner(b)) return JSON.stringify(a) === JSON.stringify(b) ? 0 : 1;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].reduce((sum, key) => sum + differences(a[key], b[key]), 0);
}
