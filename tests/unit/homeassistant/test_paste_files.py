"""What people paste: it parses, and whatever it names is there under that name."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML, Node, SafeConstructor

from livecam_nvr.config.models import Config
from livecam_nvr.domain.access import SUB
from livecam_nvr.mqtt.discovery.announcements import CameraCard, NodeCard, announcements
from livecam_nvr.mqtt.topics import Topics

FOLDER = Path(__file__).parents[3] / "homeassistant"
DASHBOARD = FOLDER / "dashboards" / "livecam-nvr.yaml"
BLUEPRINTS = sorted((FOLDER / "blueprints" / "automation" / "livecam_nvr").glob("*.yaml"))
FRIGATE = FOLDER / "frigate" / "config.yaml"
GO2RTC = FOLDER / "go2rtc" / "go2rtc.yaml"
STEMS = {"camera_0", "camera_1", "livecam_nvr"}
"""What has to be replaced for other cameras; the dashboard's first lines name them."""

# As Home Assistant names an entity that has a device class and no name of its own.
NAME_OF_CLASS = {
    "connectivity": "Connectivity",
    "motion": "Motion",
    "problem": "Problem",
    "restart": "Restart",
}


class Input(str):
    """`!input NAME` of a blueprint."""

    __slots__ = ()


class _Constructor(SafeConstructor):
    """YAML as Home Assistant reads blueprints."""


def _input(constructor: SafeConstructor, node: Node) -> Input:
    return Input(constructor.construct_scalar(node))


_Constructor.add_constructor("!input", _input)


def read(path: Path) -> Any:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    return yaml.load(path.read_text())


def leaves(found: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """All values that hold no others, each with the keys that lead to it."""
    if isinstance(found, dict):
        for key, value in found.items():
            yield from leaves(value, *path, str(key))
    elif isinstance(found, list):
        for value in found:
            yield from leaves(value, *path)
    else:
        yield path, found


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def announced() -> dict[str, dict[str, Any]]:
    """The default cameras' entities by the ids that Home Assistant gives them, with their `key` and `called`."""
    config = Config()
    cameras = [CameraCard(camera.id, camera.name, camera.kind, (480, 720), 60) for camera in config.cameras]
    topics = Topics(config.mqtt.base_topic, config.mqtt.discovery_prefix, config.node.id)
    found = {}
    for payload in announcements(topics, NodeCard(config.node.name, "1"), cameras).values():
        device = json.loads(payload)
        for key, component in device["components"].items():
            called = component.get("name", NAME_OF_CLASS.get(component.get("device_class")))
            words = f"{device['device']['name']} {called or ''}"
            found[f"{component['platform']}.{slug(words)}"] = {**component, "key": key, "called": called}
    return found


ENTITIES = announced()


def named_entities(text: str) -> set[str]:
    domains = "|".join(sorted({entity_id.split(".")[0] for entity_id in ENTITIES}))
    return set(re.findall(rf"\b(?:{domains})\.[a-z0-9_]+\b", text))


def test_every_entity_of_the_dashboard_is_announced_and_switched_on() -> None:
    named = named_entities(json.dumps(read(DASHBOARD)))
    assert len(named) > 30
    missing = {entity_id for entity_id in named if entity_id not in ENTITIES}
    assert not missing
    assert not [entity_id for entity_id in named if not ENTITIES[entity_id].get("enabled_by_default", True)]


def test_the_integration_calls_them_the_same() -> None:
    """So that it makes the same ids, for those who never had MQTT."""
    words = json.loads((FOLDER / "custom_components" / "livecam_nvr" / "translations" / "en.json").read_text())
    for entity_id, component in ENTITIES.items():
        # The camera has its device's name, and what MQTT refuses only MQTT tells.
        if component["key"] not in ("camera", "refused"):
            translated = words["entity"][component["platform"]][component["key"]]["name"]
            assert translated == component["called"], entity_id


def test_three_words_adapt_the_dashboard() -> None:
    text = DASHBOARD.read_text()
    assert all(f"#   {stem} " in text for stem in STEMS)
    for entity_id in named_entities(json.dumps(read(DASHBOARD))):
        assert any(entity_id.split(".")[1].startswith(stem) for stem in STEMS), entity_id


def test_both_cameras_have_the_same_cards() -> None:
    views = {view["path"]: view for view in read(DASHBOARD)["views"]}
    first = json.dumps(views["camera-0"])
    assert first.replace("camera_0", "camera_1").replace("Camera 0", "Camera 1").replace(
        "camera-0", "camera-1"
    ) == json.dumps(views["camera-1"])


def test_its_cards_are_built_in_and_its_ways_lead_somewhere() -> None:
    dashboard = read(DASHBOARD)
    kinds = {value for path, value in leaves(dashboard) if path[-1] == "type"}
    assert not [kind for kind in kinds if "custom" in kind]
    views = {f"/livecam-nvr/{view['path']}" for view in dashboard["views"]}
    ways = {value for path, value in leaves(dashboard) if path[-1] in ("navigation_path", "back_path")}
    assert ways
    assert ways <= views


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_a_blueprint_asks_for_what_it_uses(path: Path) -> None:
    blueprint = read(path)
    about = blueprint.pop("blueprint")
    assert about["domain"] == "automation"
    assert re.fullmatch(r"\d+\.\d+\.\d+", about["homeassistant"]["min_version"])
    inputs = {}
    for name, found in about["input"].items():
        inputs |= found.get("input", {name: found})
    assert all({"name", "selector"} <= found.keys() for found in inputs.values())
    assert {value for _, value in leaves(blueprint) if isinstance(value, Input)} == inputs.keys()
    assert {"triggers", "actions"} <= blueprint.keys()
    # The names of before 2024.10.
    assert not {"trigger", "action", "condition"} & blueprint.keys()
    assert not [where for where, _ in leaves(blueprint) if "platform" in where or "service" in where]


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_a_blueprint_offers_our_entities_by_either_way(path: Path) -> None:
    offered: dict[str, list[dict[str, str]]] = {}
    for found in read(path)["blueprint"]["input"].values():
        for rule in found.get("selector", {}).get("entity", {}).get("filter", []):
            if "integration" in rule:
                offered.setdefault(rule["integration"], []).append(
                    {key: value for key, value in rule.items() if key != "integration"}
                )
    assert offered["mqtt"] == offered["livecam_nvr"]
    for rule in offered["mqtt"]:
        assert [
            entity_id
            for entity_id, component in ENTITIES.items()
            if component["platform"] == rule["domain"]
            and component.get("device_class") == rule.get("device_class", component.get("device_class"))
        ], rule


def test_the_disk_message_says_what_the_sensor_tells() -> None:
    told = ENTITIES["binary_sensor.livecam_nvr_disk_problem"]["json_attributes_template"]
    text = (FOLDER / "blueprints" / "automation" / "livecam_nvr" / "notify_on_disk_problem.yaml").read_text()
    asked = set(re.findall(r"state_attr\(problem, '(\w+)'\)", text))
    assert asked == {"reason", "hint", "level"}
    assert all(f"'{attribute}'" in told for attribute in asked)


def addresses(path: Path) -> list[re.Match[str]]:
    """Our RTSP addresses in it: user, password, port and path."""
    found = [str(value) for _, value in leaves(read(path)) if "livecam-host" in str(value)]
    assert found
    matches = [re.fullmatch(r"rtsp://(\w+):([^@/]+)@livecam-host:(\d+)/(\w+)", address) for address in found]
    assert None not in matches, found
    return [match for match in matches if match]


@pytest.mark.parametrize(
    ("path", "token"),
    [(FRIGATE, "{FRIGATE_LIVECAM_TOKEN}"), (GO2RTC, "${LIVECAM_TOKEN}")],
    ids=["frigate", "go2rtc"],
)
def test_rtsp_addresses_are_ours(path: Path, token: str) -> None:
    config = Config()
    ids = {camera.id for camera in config.cameras}
    for match in addresses(path):
        user, password, port, stream = match.groups()
        assert password == token
        assert int(port) == config.listen.rtsp_port
        assert stream.removesuffix(SUB) in ids
        assert f"token add --name {user} " in path.read_text()


def test_frigate_detects_on_streams_that_there_are() -> None:
    config = read(FRIGATE)
    streams = config["go2rtc"]["streams"]
    for camera in config["cameras"].values():
        for source in camera["ffmpeg"]["inputs"]:
            assert source["path"].removeprefix("rtsp://127.0.0.1:8554/") in streams
            assert source["roles"] == ["detect"]
        assert set(camera["live"]["streams"].values()) <= streams.keys()
        assert camera["record"]["enabled"] is False


def test_the_readme_lists_every_entity() -> None:
    text = (FOLDER / "README.md").read_text()
    rows = {
        cells[2]: cells for line in text.splitlines() if len(cells := [c.strip() for c in line.split("|")]) == 6
    }
    for entity_id, component in ENTITIES.items():
        name = entity_id.split(".")[1]
        stem = next(stem for stem in STEMS if name.startswith(stem))
        row = rows[f"`{component['platform']}.{name.replace(stem, '…')}`"]
        assert ("off at first" in row[4]) is (not component.get("enabled_by_default", True)), row


def test_what_the_readme_links_to_is_there() -> None:
    found = re.findall(r"\]\((?!https?:)([^)#]+)", (FOLDER / "README.md").read_text())
    assert not [link for link in found if not (FOLDER / link).exists()]


def test_pictures_are_there_and_small() -> None:
    text = (FOLDER / "README.md").read_text()
    pictures = re.findall(r"images/[\w-]+\.png", text)
    assert pictures
    for picture in pictures:
        assert (FOLDER / picture).stat().st_size < 250_000, picture
    assert {Path(picture).name for picture in pictures} == {p.name for p in (FOLDER / "images").iterdir()}
