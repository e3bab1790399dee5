"""Drawing into planar frames with padded lines, as the Pi gives them, in the Python that has numpy."""

import json
import subprocess
from pathlib import Path

import livecam_nvr.media.picam

_DRAW = """
import json, sys
sys.path.insert(0, sys.argv[1])
import numpy
from child.drawing import Painter
width, height, stride = 64, 48, 96
frame = numpy.full((height * 3 // 2, stride), 200, numpy.uint8)
painter = Painter((width, height), "YUV420", [[(0.5, 0.5), (1, 0.5), (1, 1), (0.5, 1)]], None)
painter.paint(frame)
flat = frame[height:].reshape(-1, stride // 2)
u, v = flat[: height // 2], flat[height // 2 :]
triangle = numpy.full((height * 3 // 2, width), 200, numpy.uint8)
Painter((width, height), "NV12", [[(0, 0), (1, 0), (0, 1)]], None).paint(triangle)
star = numpy.full((height * 3 // 2, width), 200, numpy.uint8)
corners = [(0.5, 0), (0.8, 1), (0, 0.4), (1, 0.4), (0.2, 1)]  # a pentagram, drawn in one line
Painter((width, height), "NV12", [corners], None).paint(star)
titled = numpy.full((height * 3 // 2, stride), 200, numpy.uint8)
Painter((width, height), "YUV420", [], "name").paint(titled)
print(json.dumps({
    "luma": [int(frame[0, 0]), int(frame[40, 10]), int(frame[40, 63]), int(frame[24, 32]), int(frame[40, 64])],
    "u": [int(u[0, 0]), int(u[12, 16]), int(u[23, 31]), int(u[23, 32])],
    "v": [int(v[0, 0]), int(v[12, 16]), int(v[23, 31]), int(v[11, 16])],
    "triangle": [int(triangle[2, 2]), int(triangle[45, 60]), int(triangle[48, 2]), int(triangle[70, 60])],
    "star": [int(star[26, 32]), int(star[2, 2])],
    "titled": [int(titled[0, 0]), int(titled[47, 0]), int(titled[48, 0]), int(titled[0, 64])],
}))
"""


def test_planes_with_padded_lines(virtual_cameras):
    folder = str(Path(livecam_nvr.media.picam.__file__).parent)
    done = subprocess.run(
        ["python3", "-c", _DRAW, folder], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["luma"] == [200, 200, 16, 16, 200]  # the last one lies in the padding
    assert found["u"] == [200, 128, 128, 200]
    assert found["v"] == [200, 128, 128, 200]
    assert found["triangle"] == [16, 200, 128, 200]
    assert found["star"] == [16, 200], "its middle, which its line runs around twice, is hidden too"
    assert found["titled"] == [16, 200, 128, 200]
