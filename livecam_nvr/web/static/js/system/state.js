// How everything is: what is wrong, the disk, the cameras' last day, the service itself.

import { t, told } from "../texts.js";
import { make } from "../dom.js";
import { bytes } from "../format.js";
import { may } from "../session.js";
import * as api from "./api.js";
import { card, pair } from "./cards.js";
import { Coverage } from "./coverage.js";
import { HomeAssistant } from "./home_assistant.js";
import { moment, named } from "./words.js";

export class State {
  #alarms;
  #disk;
  #service;
  #homeAssistant;
  #cameras;
  #coverage;
  #versions;
  #told = "";

  constructor(place, who) {
    this.#alarms = make("div", { className: "alarms", role: "region" });
    this.#alarms.ariaLabel = t("system.alarms");
    this.#disk = make("div");
    this.#service = make("div");
    this.#homeAssistant = new HomeAssistant(who);
    this.#cameras = make("div", { className: "coverages" });
    this.#coverage = new Coverage(this.#cameras);
    this.#versions = make("dl", { className: "facts-list" });
    place.append(
      this.#alarms,
      make(
        "div",
        { className: "cards" },
        card("system.disk", this.#disk),
        card("system.service", this.#service),
        card("system.coverage", this.#cameras, "wide"),
        card("system.home_assistant", this.#homeAssistant.element),
      ),
    );
    if (may("admin")) {
      place.querySelector(".cards").append(card("system.versions", this.#versions), diagnosticsCard());
      this.#showVersions();
    }
  }

  status(status) {
    this.#showAlarms(status.alarms ?? [], status.cameras);
    this.#disk.replaceChildren(...disk(status));
    this.#service.replaceChildren(service(status));
    this.#homeAssistant.update(status.broker);
    this.#coverage.update(status.cameras);
  }

  close() {
    this.#homeAssistant.close();
    this.#coverage.close();
  }

  #showAlarms(alarms, cameras) {
    // What is announced is announced once, and not each minute again.
    const now = JSON.stringify(alarms.map(({ words, hint, since_utc_s }) => [words, hint, since_utc_s]));
    if (now === this.#told && this.#alarms.childElementCount) return;
    this.#told = now;
    this.#alarms.replaceChildren(alarms.length ? make("ul", {}, ...alarms.map((one) => alarm(one, cameras))) : well());
  }

  async #showVersions() {
    try {
      const found = await api.versions();
      this.#versions.replaceChildren(...Object.entries(found).flatMap(([what, which]) => pair(named(`system.version.${what}`, what), which || "–")));
    } catch (error) {
      this.#versions.replaceChildren(make("dd", { className: "bad" }, error.message));
    }
  }
}

// The service's own words where they are in this language, as they say more; else those for the kind of thing.
function inLanguage(kind, words) {
  const known = told(`complaint.${kind}`, words);
  return known === words ? told(`system.alarm.${kind}`, words) : known;
}

const well = () => make("p", { className: "well" }, make("i", { ariaHidden: "true" }, "✓"), t("system.all_well"));

function alarm({ severity, kind: sort, words, hint, camera_id: id, since_utc_s: since }, cameras) {
  const kind = make("span", { className: "unseen" }, t(`system.severity.${severity}`));
  const item = make("li", { className: severity }, make("i", { ariaHidden: "true" }, "!"), kind);
  const camera = cameras.find((one) => one.id === id)?.name ?? id;
  const said = inLanguage(sort, words);
  const text = make("div", {}, make("strong", {}, camera ? `${camera}: ${said}` : said));
  const advice = told(`complaint.${sort}_hint`, hint);
  if (advice && advice !== `complaint.${sort}_hint`) text.append(make("p", {}, advice));
  if (since) text.append(make("p", { className: "since" }, t("system.since", { when: moment(since) })));
  item.append(text);
  return item;
}

function disk(status) {
  const { disk: found, retention } = status;
  const used = found.total_bytes - found.free_bytes;
  const meter = make("meter", { min: 0, max: 1, value: found.total_bytes ? used / found.total_bytes : 0 });
  meter.dataset.level = found.level;
  meter.ariaLabel = t("system.disk_used");
  const facts = [
    ...pair(t("system.disk_free"), t("system.free_of", { free: bytes(found.free_bytes), total: bytes(found.total_bytes) })),
    ...pair(t("system.disk_path"), found.path || "–"),
  ];
  if (retention) {
    facts.push(...pair(t("system.held"), bytes(retention.bytes)));
    if (retention.oldest_utc_s) facts.push(...pair(t("system.oldest"), moment(retention.oldest_utc_s)));
    if (retention.bytes_per_day) facts.push(...pair(t("system.per_day"), bytes(retention.bytes_per_day)));
    if (retention.days_held !== null) facts.push(...pair(t("system.days_held"), days(retention.days_held)));
    if (retention.days_until_full !== null) facts.push(...pair(t("system.days_left"), days(retention.days_until_full)));
  }
  return [meter, make("dl", { className: "facts-list" }, ...facts)];
}

// Figures are as exact as such a forecast can be.
const days = (count) => (count < 2 ? t("system.hours", { count: Math.round(count * 24) }) : t("system.days", { count: Math.round(count) }));

function service(status) {
  const { media_server: server, clock, process } = status;
  const facts = [
    ...pair(t("system.version"), `livecam-nvr ${status.version}`),
    ...pair(t("system.started"), moment(status.started_utc_s)),
    ...pair(t("system.media_server"), server.state === "ready" ? program(server) : `${server.name}: ${t(`system.server.${server.state}`)}`),
    ...pair(t("system.clock"), t(clock.warning ? "system.clock_wrong" : "system.clock_right")),
  ];
  // It takes a few seconds until they are known.
  if (process?.cpu_percent != null) facts.push(...pair(t("system.cpu"), t("system.of_a_core", { percent: Math.round(process.cpu_percent) })));
  if (process?.memory_bytes) {
    const memory = t("system.in_processes", { memory: bytes(process.memory_bytes), count: process.processes });
    facts.push(...pair(t("system.memory"), memory));
  }
  return make("dl", { className: "facts-list" }, ...facts);
}

// Some versions begin with the name.
const program = ({ name, version }) => (version.toLowerCase().startsWith(name) ? version : `${name} ${version}`);

function diagnosticsCard() {
  const button = make("button", { type: "button", className: "main" }, t("system.diagnostics_get"));
  const said = make("p", { className: "said", role: "status" });
  button.addEventListener("click", async () => {
    if (button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    said.textContent = t("system.diagnostics_wait");
    try {
      const { blob, name } = await api.diagnostics();
      const link = make("a", { href: URL.createObjectURL(blob), download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
      said.textContent = t("system.diagnostics_done", { name });
    } catch (error) {
      said.textContent = error.message;
    } finally {
      button.ariaBusy = "false";
    }
  });
  return card("system.diagnostics", make("div", {}, make("p", { className: "soft" }, t("system.diagnostics_what")), button, said));
}
