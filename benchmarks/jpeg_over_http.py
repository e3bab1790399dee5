"""A simple camera server as many run it on a Raspberry Pi: each picture becomes a JPEG, each viewer a thread.

As a process (`python -m benchmarks.jpeg_over_http PORT RAW_CLIP|rtsp://... ...`): `/cam0`, `/cam1` and so on are
endless multipart answers. ffmpeg takes the place of the camera library and makes the JPEGs. Pictures are handed
from the camera's thread to the viewers' through a condition; a viewer that is slow misses pictures.
"""

import re
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO

MARK = b"--PICTURE\r\n"
_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_QUALITY = "4"  # pictures of 1280x720 come to 60 to 100 kB each then, as with quality 85 of most JPEG libraries


class Camera:
    """One camera: its ffmpeg, and the newest picture."""

    def __init__(self, source: str) -> None:
        if source.startswith("rtsp:"):
            given = ["-rtsp_transport", "tcp", "-i", source]
        else:
            given = ["-re", "-stream_loop", "-1", "-i", source]
        encode = ["-map", "0:v", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", _QUALITY]
        argv = ["ffmpeg", "-nostdin", "-v", "error", *given, *encode, "-f", "mpjpeg", "-"]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE)
        self._picture = b""
        self._newer = threading.Condition()

    def run(self) -> None:
        """Takes picture by picture until ffmpeg ends."""
        assert self.process.stdout is not None
        while picture := read_picture(self.process.stdout):
            with self._newer:
                self._picture = picture
                self._newer.notify_all()

    def next(self) -> bytes:
        """The next picture that comes."""
        with self._newer:
            self._newer.wait()
            return self._picture


def read_picture(stream: IO[bytes]) -> bytes:
    """The next picture of ffmpeg's `mpjpeg`; empty at its end."""
    while line := stream.readline():
        if found := _LENGTH.match(line):
            while stream.readline().strip():
                pass
            return stream.read(int(found.group(1)))
    return b""


def _handler(cameras: list[Camera]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            camera = cameras[int(self.path.removeprefix("/cam"))]
            self.send_response(200)
            self.send_header("Cache-Control", "no-cache, private")
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=PICTURE")
            self.end_headers()
            try:
                while True:
                    picture = camera.next()
                    self.wfile.write(MARK)
                    self.send_header("Content-Type", "image/jpeg")
                    self.send_header("Content-Length", str(len(picture)))
                    self.end_headers()
                    self.wfile.write(picture)
                    self.wfile.write(b"\r\n")
            except ConnectionError:
                pass

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    cameras = [Camera(source) for source in sys.argv[2:]]
    try:
        for camera in cameras:
            threading.Thread(target=camera.run, daemon=True).start()
        server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _handler(cameras))
        server.daemon_threads = True
        server.serve_forever()
    finally:
        for camera in cameras:
            camera.process.kill()
            camera.process.wait()


if __name__ == "__main__":
    _main()
