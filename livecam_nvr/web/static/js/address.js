// Addresses of the service, wherever it is: at the root of a host, or below a prefix of a reverse proxy.

// Where the pages are: they lie in no folder. Not from document.baseURI: that keeps a name and password which
// somebody typed into the address bar, and then the browser fetches nothing.
const root = new URL(".", location.href);
const PAGES = new Set(["", "past", "system", "wall"]);

/** The whole address of a path of the service, which may begin with a slash. */
export const ours = (path) => new URL(`./${path.replace(/^[/\\]+/, "")}`, root).href;

/** The whole address of what is relative to this page, or is whole already. */
export const whole = (path) => new URL(path, location.href).href;

/** As `ours`, for a WebSocket. */
export const socketUrl = (path) => ours(path).replace(/^http/, "ws");

/** This page, to come back to. But for the wall, pages have no query of their own; what may stand there is a ticket. */
export const here = () => (location.pathname.slice(root.pathname.length) || "./") + wall(location.search) + location.hash;

// What a wall shows, out of a query; nothing else is passed on.
function wall(search) {
  const query = new URLSearchParams(search);
  const kept = ["cameras", "labels"].filter((name) => query.has(name)).map((name) => [name, query.get(name)]);
  return kept.length ? `?${new URLSearchParams(kept)}` : "";
}

/** Where somebody wanted to go who was sent to the sign-in: a page of ours and nothing else. */
export function wanted() {
  let path = new URLSearchParams(location.search).get("next") ?? "";
  if (root.pathname !== "/" && path.startsWith(root.pathname)) path = path.slice(root.pathname.length);
  const url = new URL(ours(path));
  const ourOwn = url.pathname.startsWith(root.pathname) && PAGES.has(url.pathname.slice(root.pathname.length));
  if (!ourOwn) return root.href;
  url.search = wall(url.search);
  url.hash ||= location.hash; // browsers carry it through a redirect
  return url.href;
}
