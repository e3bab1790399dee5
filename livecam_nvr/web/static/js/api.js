// The service's HTTP API: the status as it changes, and what can be changed.

import { Backoff } from "./backoff.js";

const POLL_MS = 2000;

export const socketUrl = (path) => `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${path}`;

/** Whether the service answers at all. */
export async function isUp() {
  try {
    return (await fetch("/healthz", { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

/** Asks for recording on or off; returns what the recorder really does, or throws with words for people. */
export const setRecording = (cameraId, on) => post(cameraId, "recording", { on });

/** Asks for `{height}` or `{fps}`; returns what then runs, when it runs, or throws with words for people. */
export const setQuality = (cameraId, wanted) => post(cameraId, "quality", wanted);

/** Keeps the last seconds and the next ones; returns the clip, or throws with words for people. */
export const keepThat = (cameraId) => post(cameraId, "keep", {});

async function post(cameraId, what, body) {
  let response;
  try {
    response = await fetch(`/api/cameras/${encodeURIComponent(cameraId)}/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The service does not answer.");
  }
  const answer = await response.json();
  if (!response.ok) throw new Error([answer.error.message, answer.error.hint].filter(Boolean).join("; "));
  return answer;
}

/**
 * Calls `onStatus(status)` for each new status, over a WebSocket, or by asking where none comes through;
 * `onLost()` when the service does not answer.
 */
export function watchStatus(onStatus, onLost) {
  const backoff = new Backoff();
  let refused = 0;

  function connect() {
    const socket = new WebSocket(socketUrl("/api/events"));
    let opened = false;
    socket.onmessage = (event) => {
      opened = true;
      refused = 0;
      backoff.reset();
      onStatus(JSON.parse(event.data));
    };
    socket.onclose = async () => {
      if (!(await isUp())) {
        onLost();
      } else if (!opened && ++refused >= 3) {
        await ask(); // something on the way lets no WebSocket through: ask until it may have changed
        refused = 0;
      }
      setTimeout(connect, backoff.next());
    };
  }

  async function ask() {
    for (let round = 0; round < 30; round += 1) {
      try {
        onStatus(await (await fetch("/api/status", { cache: "no-store" })).json());
      } catch {
        onLost();
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  connect();
}
