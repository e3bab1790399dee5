// The service's own facts in the header: disk, broker, media server, and on request what it costs.

import * as disk from "../disk.js";
import { make } from "../dom.js";
import * as format from "../format.js";
import { number, t } from "../texts.js";

/** Lists them, and touches only what differs. */
export function showFacts(list, status, withCost) {
  const { broker, media_server: server } = status;
  const ready = server.state === "ready";
  const facts = [
    disk.fact(status.disk),
    [
      broker.connected ? "" : broker.configured ? "bad" : "off",
      broker.connected ? "MQTT" : t(broker.configured ? "live.mqtt_lost" : "live.mqtt_none"),
      broker.fault?.message ?? broker.address,
    ],
    [
      ready ? "" : server.name === "none" ? "off" : "bad",
      ready ? "RTSP" : `RTSP: ${server.state}`,
      server.fault && !ready ? server.fault.message : `${server.name} ${server.version}`,
    ],
  ];
  if (withCost && status.process?.memory_bytes) facts.push(cost(status.process));
  const known = JSON.stringify(facts);
  if (list.dataset.known === known) return;
  list.dataset.known = known;
  list.replaceChildren(...facts.map(([kind, text, title]) => make("li", { className: kind, title }, text)));
}

function cost({ cpu_percent: percent, memory_bytes: memory, processes }) {
  const share = percent === null ? "–" : number(percent, percent < 10 ? 1 : 0);
  const text = t("live.cost", { percent: share, memory: format.bytes(memory) });
  return ["", text, t("live.cost_title", { count: processes })];
}
