"""What `run --demo` refuses to open to everybody."""

from pathlib import Path

import pytest

from livecam_nvr.access.store import AccessStore
from livecam_nvr.cli.demo import demand_demo
from livecam_nvr.cli.main import main
from livecam_nvr.config.load import load_config
from livecam_nvr.domain.access import Role


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECAM_NVR_HOME", str(tmp_path))


def test_test_cameras_may_be_shown(tmp_path: Path) -> None:
    config = load_config(home=tmp_path)
    demand_demo(config)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "recordings" / "cam0").mkdir(parents=True)
    (tmp_path / "recordings" / ".livecam-nvr").mkdir()
    demand_demo(config)


def test_another_camera_is_named_even_if_it_is_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yaml").write_text(
        "cameras:\n- {id: a, kind: test}\n- {id: front, kind: rtsp, url: 'rtsp://u:hunter2@h/', enabled: false}\n"
    )
    assert main(["run", "--demo"]) == 2
    said = capsys.readouterr().err
    assert "front is no test camera (its kind is rtsp)" in said
    assert "hunter2" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def test_an_installation_with_users_is_not_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with AccessStore(tmp_path / "data" / "access") as store:
        store.add_token("script", Role.VIEWER, None)
        demand_demo(load_config(home=tmp_path))
        store.add_user("anna", "wide blue rooftop 7", Role.ADMIN, None)
    assert main(["--demo"]) == 1
    assert f"there are users in {tmp_path / 'data'}" in capsys.readouterr().err


def test_nor_what_others_have_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "recordings" / "bedroom").mkdir(parents=True)
    assert main(["--demo"]) == 1
    assert "has recordings of bedroom" in capsys.readouterr().err
