// The service's HTTP API: the status as it changes, and what can be changed.

import { socketUrl } from "./address.js";
import { Backoff } from "./backoff.js";
import { ask, send } from "./http.js";
import { isStillIn } from "./session.js";

const POLL_MS = 2000;
const DEAD_MS = 12_000; // the service says something every 5 s

/** What is below a camera's address. */
export const camera = (id, what) => `api/cameras/${encodeURIComponent(id)}/${what}`;

/** Asks for recording on or off; returns what the recorder really does, or throws with words for people. */
export const setRecording = (id, on) => send(camera(id, "recording"), "POST", { on });

/** Asks for `{height}` or `{fps}`; returns what then runs, when it runs, or throws with words for people. */
export const setQuality = (id, wanted) => send(camera(id, "quality"), "POST", wanted);

/** Starts or stops a camera; returns `{enabled}` as it then is, or throws with words for people. */
export const setEnabled = (id, on) => send(camera(id, "enabled"), "POST", { on });

/** Ends what runs of a camera and starts it anew. */
export const restart = (id) => send(camera(id, "restart"), "POST", {});

/** Keeps the last seconds and the next ones; returns the clip, or throws with words for people. */
export const keepThat = (id) => send(camera(id, "keep"), "POST", {});

/** Lets go of a kept clip. */
export const release = (clipId) => send(`api/clips/${encodeURIComponent(clipId)}`, "DELETE");

/**
 * Calls `onStatus(status)` for each new status, over a WebSocket, or by asking where none comes through;
 * `onLost()` when the service does not answer.
 */
export function watchStatus(onStatus, onLost) {
  const backoff = new Backoff();
  let refused = 0;

  function connect() {
    const socket = new WebSocket(socketUrl("api/events"));
    let opened = false;
    let dead = setTimeout(over, DEAD_MS);
    socket.onmessage = (event) => {
      clearTimeout(dead);
      dead = setTimeout(over, DEAD_MS);
      opened = true;
      refused = 0;
      backoff.reset();
      onStatus(JSON.parse(event.data));
    };
    socket.onclose = over;

    async function over() {
      clearTimeout(dead);
      socket.onmessage = socket.onclose = null;
      socket.close();
      if (!(await isStillIn())) {
        onLost();
      } else if (!opened && ++refused >= 3) {
        await poll(); // something on the way lets no WebSocket through: ask until it may have changed
        refused = 0;
      }
      setTimeout(connect, backoff.next());
    }
  }

  async function poll() {
    for (let round = 0; round < 30; round += 1) {
      try {
        onStatus(await (await ask("api/status", { cache: "no-store", signal: AbortSignal.timeout(DEAD_MS) })).json());
      } catch {
        onLost();
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  connect();
}
