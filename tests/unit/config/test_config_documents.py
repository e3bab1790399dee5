"""The example and the reference know every field, its default and its bounds."""

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from pydantic import BaseModel, ByteSize
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from livecam_nvr.config import schema
from livecam_nvr.config.load import load_config
from livecam_nvr.config.models import CAMERA_KINDS, Config
from livecam_nvr.config.recording import WEEKDAYS, RetentionLimits, ScheduleRule

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "config.example.yaml"
REFERENCE = ROOT / "docs" / "ref" / "config.md"


def fields() -> Iterator[tuple[str, str, FieldInfo]]:
    """Section's heading, key, field: all of them."""
    for name, field in Config.model_fields.items():
        if schema.is_section(field.annotation):
            for key, inner in field.annotation.model_fields.items():
                yield name, key, inner
        else:
            yield "", name, field
    for model in CAMERA_KINDS.values():
        for key, inner in model.model_fields.items():
            yield "cameras", key, inner
    for name, section in (("retention", RetentionLimits), ("schedule", ScheduleRule)):
        for key, inner in section.model_fields.items():
            yield name, key, inner


def default(field: FieldInfo) -> str:
    value = field.default
    if field.default_factory is not dict and (value is PydanticUndefined or isinstance(value, BaseModel)):
        return "empty" if field.annotation is RetentionLimits else ""
    if isinstance(value, ByteSize):
        return "1GiB"
    if value == WEEKDAYS:
        return "every day"
    if value is None or value in ("", ()) or field.default_factory is dict:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


ALL = sorted({(section, key): field for section, key, field in fields()}.items())


def test_the_example_is_valid_and_says_the_defaults() -> None:
    config = load_config(EXAMPLE)
    plain = Config()
    assert config.cameras == plain.cameras
    assert config.node == plain.node
    assert config.listen == plain.listen
    assert config.mqtt == plain.mqtt
    assert config.recording == plain.recording.model_copy(update={"path": ROOT / "recordings"})
    assert config.media_server == plain.media_server
    assert config.encoding == plain.encoding
    assert config.data_dir == ROOT / "data"


def test_the_commented_out_cameras_of_the_example_are_valid_too(tmp_path: Path) -> None:
    text = re.sub(r"^  # (?=- id:|  \w+:|  # )", "  ", EXAMPLE.read_text(), flags=re.MULTILINE)
    file = tmp_path / "config.yaml"
    file.write_text(text)
    assert [c.kind for c in load_config(file).cameras] == ["test", "test", "rtsp", "v4l2", "picamera2", "file"]


@pytest.mark.parametrize(("place", "field"), ALL, ids=[".".join(filter(None, place)) for place, _ in ALL])
def test_the_example_mentions_every_field(place: tuple[str, str], field: FieldInfo) -> None:
    section, key = place
    text = EXAMPLE.read_text()
    if section in Config.model_fields:
        text = re.split(rf"^{section}:$", text, maxsplit=1, flags=re.MULTILINE)[1]
        text = re.split(r"^\w+:", text, maxsplit=1, flags=re.MULTILINE)[0]
    # An entry of a list is shown in one line.
    assert re.search(rf"^[ #-]*{key}:|[{{ ]{key}: ", text, flags=re.MULTILINE)


@pytest.mark.parametrize(("place", "field"), ALL, ids=[".".join(filter(None, place)) for place, _ in ALL])
def test_the_reference_lists_every_field_with_its_default_and_bounds(
    place: tuple[str, str], field: FieldInfo
) -> None:
    section, key = place
    text = REFERENCE.read_text()
    heading = rf"^## `{section}`$" if section else r"^## At the left margin$"
    part = re.split(r"^## ", re.split(heading, text, maxsplit=1, flags=re.MULTILINE)[1], flags=re.MULTILINE)[0]
    rows = [row for row in part.splitlines() if row.startswith(f"| `{key}` |")]
    assert rows, f"no row for {key}"
    for row in rows:
        shown = row.split("|")[2].strip()
        if expected := default(field):
            assert shown in {f"`{expected}`", expected}, row
        limits = schema.bounds(field)
        for number in re.findall(r"[\d.]+", limits) if " from " in limits else []:
            assert re.search(rf"(?<![\d.]){re.escape(number)}(?![\d.]\d)", row), row
        for word in schema.choices(field) if len(schema.choices(field)) > 1 else ():
            assert f"`{word}`" in row


def test_the_reference_names_no_field_that_is_not_there() -> None:
    known = {key for _, key in dict(ALL)}
    assert set(re.findall(r"^\| `(\w+)` \|", REFERENCE.read_text(), flags=re.MULTILINE)) <= known


def test_the_packaged_example_is_the_one_in_the_project_s_folder() -> None:
    packaged = resources.files("livecam_nvr.config") / "static" / "config.example.yaml"
    assert packaged.read_bytes() == EXAMPLE.read_bytes()
