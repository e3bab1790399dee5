"""A data folder that cannot be."""

from pathlib import Path

import pytest

from livecam_nvr.app import Service
from livecam_nvr.config.models import Config
from livecam_nvr.domain.errors import ErrorKind, LivecamError


async def test_a_data_folder_that_cannot_be_made_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    config = Config.model_validate(
        {"recording": {"path": str(tmp_path / "recordings")}, "data_dir": str(tmp_path / "data")}
    )
    service = Service(config)
    with pytest.raises(LivecamError) as caught:
        await service.start()
    await service.stop()
    assert caught.value.kind is ErrorKind.DISK
    assert caught.value.message.endswith(f"a file stands where a folder should be ({tmp_path}/data)")
    assert "data_dir" in caught.value.hint
    assert not (tmp_path / "recordings").exists()  # nothing was started
