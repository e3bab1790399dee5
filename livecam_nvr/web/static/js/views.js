// Which cameras are shown: all, or one; by buttons, keys and the address's #fragment.

const ALL = "";

export class Views {
  #nav;
  #onChange;
  #ids = [];

  constructor(nav, onChange) {
    this.#nav = nav;
    this.#onChange = onChange;
    addEventListener("hashchange", () => this.#apply());
    addEventListener("keydown", (event) => this.#key(event));
  }

  /** The one camera that is shown alone, or "" for all. */
  get current() {
    const hash = location.hash.slice(1);
    return this.#ids.find((id) => encodeURIComponent(id) === hash || id === hash) ?? ALL;
  }

  /** The cameras there are. */
  update(cameras) {
    const ids = cameras.map((camera) => camera.id);
    if (ids.join() === this.#ids.join()) return;
    this.#ids = ids;
    const all = cameras.length === 2 ? "Dual" : "All";
    const buttons = [[ALL, all, 0], ...cameras.map((camera, at) => [camera.id, camera.name, at + 1])];
    this.#nav.hidden = cameras.length < 2;
    this.#nav.replaceChildren(...buttons.map(([id, name, key]) => this.#button(id, name, key)));
    this.#apply();
  }

  #button(id, name, key) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.dataset.view = id;
    if (key < 10) {
      button.title = `${name} (key ${key})`;
      button.setAttribute("aria-keyshortcuts", String(key));
    }
    button.addEventListener("click", () => this.#go(id));
    return button;
  }

  #go(id) {
    history.replaceState(null, "", id ? `#${encodeURIComponent(id)}` : location.pathname);
    this.#apply();
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !/^[0-9]$/.test(event.key)) return;
    if (event.target.closest?.("select, input")) return; // there, a digit looks for a choice
    const at = Number(event.key);
    if (at === 0) this.#go(ALL);
    else if (at <= this.#ids.length) this.#go(this.#ids[at - 1]);
  }

  #apply() {
    for (const button of this.#nav.children) {
      button.setAttribute("aria-pressed", String(button.dataset.view === this.current));
    }
    this.#onChange(this.current);
  }
}
