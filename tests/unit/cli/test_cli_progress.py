import io

from livecam_nvr.cli.progress import ProgressBar, bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar() -> None:
    assert bar(1_000_000, 2_000_000) == "[###############...............]  50 %  1.0 of 2.0 MB"
    assert bar(3_000_000, 2_000_000).startswith("[##############################] 100 %")
    assert bar(1_500_000, None) == "1.5 MB"
    assert bar(0, 0) == "0.0 MB"


def test_a_terminal_gets_one_line_that_changes_and_ends() -> None:
    stream = Terminal()
    progress = ProgressBar(stream)
    for have in range(0, 1001, 10):
        progress(have * 1000, 1_000_000)
    progress.close()
    progress.close()
    said = stream.getvalue()
    assert said.count("\n") == 1
    assert said.endswith("\n")
    assert "100 %" in said.rsplit("\r", 1)[1]


def test_a_log_gets_a_line_for_every_tenth() -> None:
    stream = io.StringIO()
    progress = ProgressBar(stream)
    for have in range(1001):
        progress(have * 1000, 1_000_000)
    progress.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 10
    assert " 10 %" in lines[0]
    assert "100 %" in lines[-1]
