"""The progress of a pass over many files, on a terminal and in a log."""

import io

from livecam_nvr.cli.pass_progress import PassProgress, line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Watch:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def shown(stream: io.StringIO, seconds: float, files: int = 1000) -> str:
    watch = Watch()
    progress = PassProgress(stream, watch)
    for done in range(files):
        progress(done, files)
        watch.now_s += seconds / files
    progress(files, files)
    progress.close()
    return stream.getvalue()


def test_a_line() -> None:
    assert line(0, 0, 0.0).startswith("[##############################] 100 %  0 of 0 files")
    assert line(500, 1000, 5.0) == "[###############...............]  50 %  500 of 1000 files, 100/s, 5 s left"
    assert line(10, 1_000_000, 1.0).endswith("10/s, 27.8 h left")
    assert line(100, 100_000, 10.0).endswith("10/s, 2.8 h left")
    assert line(100, 10_000, 10.0).endswith("10/s, 16 min left")


def test_what_is_quick_shows_nothing() -> None:
    assert shown(Terminal(), 0.9) == ""
    assert shown(io.StringIO(), 4.9) == ""


def test_a_bar_on_a_terminal() -> None:
    said = shown(Terminal(), 10.0)
    assert said.endswith("\n")
    assert said.count("\n") == 1
    assert 30 <= said.count("\r") <= 60, "drawn a few times a second, not for every file"
    assert "100 %  1000 of 1000 files" in said.rpartition("\r")[2]


def test_lines_in_a_log() -> None:
    lines = shown(io.StringIO(), 16.0).splitlines()
    assert len(lines) == 3
    assert "\r" not in "".join(lines)
    assert " 31 %" in lines[0]
