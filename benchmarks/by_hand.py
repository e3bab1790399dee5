"""The same two pulled cameras wired by hand: one ffmpeg each, `tee` to a file and to the media server.

As a process (`python -m benchmarks.by_hand FOLDER URL...`) it starts the same media server as the service, and one
ffmpeg for each address, and runs until SIGTERM. It does no more than that: its own cost is not counted.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path

from benchmarks.bare_server import bare_server
from benchmarks.measure import own_ports
from livecam_nvr.config.models import Config
from livecam_nvr.core.ports import PublishTarget
from livecam_nvr.runtime.process import spawn


def command(url: str, target: PublishTarget, folder: Path) -> list[str]:
    """One camera's ffmpeg as somebody would write it who wants to watch and to record, and no more."""
    options = "".join(f":{key}={value}" for key, value in target.options)
    live = f"[f={target.format}:onfail=ignore{options}]{target.url}"
    files = f"[f=segment:segment_time=30:segment_atclocktime=1:strftime=1]{folder}/%Y%m%d_%H%M%S.mp4"
    # Without copytb, `tee` rounds the camera's times to the frame rate that its H.264 names.
    copied = ["-map", "0:v", "-c", "copy", "-copytb", "1", "-f", "tee", f"{live}|{files}"]
    return ["ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-i", url, *copied]


async def _run(folder: Path, urls: list[str]) -> None:
    ids = [f"cam{number}" for number in range(len(urls))]
    config = Config.model_validate(
        {
            "listen": own_ports(),
            "cameras": [{"id": i, "kind": "rtsp", "url": url} for i, url in zip(ids, urls, strict=True)],
            "data_dir": folder / "data",
            "media_server": {"download": False},
        }
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    config.data_dir.mkdir(parents=True)
    async with bare_server(config) as server:
        children = []
        try:
            for camera_id, url in zip(ids, urls, strict=True):
                (folder / camera_id).mkdir()
                server.stream_started(camera_id, "avc1.64001f")
                argv = command(url, server.publish_target(camera_id), folder / camera_id)
                children.append(await spawn(argv, name=f"ffmpeg of {camera_id}"))
            print(json.dumps(server.status().name), flush=True)
            await stop.wait()
        finally:
            await asyncio.gather(*(child.stop() for child in children))


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1]), sys.argv[2:]))
