import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.waiting import PATIENCE_S, until

from livecam_nvr.runtime.usage import Running, Sample, UsageMeter, family, parse_stat, sample, usage

LINE = "42 (a (b) c d) S 7 42 42 0 -1 4194304 1 2 3 4 250 50 60 70 20 0 3 0 1234 1000000 500 18446744073709551615"


def test_a_name_with_blanks_and_brackets_does_not_confuse_it() -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    assert parse_stat(LINE) == Running(parent=7, started_ticks=1234, cpu_s=300 / ticks)


@pytest.mark.parametrize("text", ["", "42 (short) S 7", "42 (x) S seven" + " 0" * 30])
def test_what_is_no_such_line_is_refused(text: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        parse_stat(text)


def test_a_family_is_one_process_and_all_below_it() -> None:
    parents = {1: 0, 10: 1, 11: 10, 12: 11, 20: 1}
    processes = {pid: Running(parent, pid, 0.0) for pid, parent in parents.items()}
    assert sorted(family(processes, 10)) == [10, 11, 12]
    assert family(processes, 99) == {}
    circle = {1: Running(2, 1, 0.0), 2: Running(1, 1, 0.0)}
    assert sorted(family(circle, 1)) == [1, 2]


def test_percent_is_of_one_core_and_between_two_looks() -> None:
    before = Sample(100.0, {(1, 1): 5.0, (2, 1): 3.0, (3, 1): 50.0}, 10)
    now = Sample(105.0, {(1, 1): 6.0, (2, 1): 3.5, (4, 9): 1.0}, 20)
    found = usage(before, now)
    # One second, half a second, and all of what is new; what has ended is not counted.
    assert (found.cpu_percent, found.memory_bytes, found.processes) == (50.0, 20, 3)
    assert usage(None, now).cpu_percent is None
    assert usage(now, now).cpu_percent is None


def test_another_process_with_an_old_pid_counts_from_its_beginning() -> None:
    found = usage(Sample(0.0, {(7, 1): 90.0}, 0), Sample(10.0, {(7, 2): 2.0}, 0))
    assert found.cpu_percent == 20.0


def test_a_child_that_works_is_counted_with_its_memory() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "held = bytearray(30_000_000)\nprint('!', flush=True)\nwhile True: pass"],
        stdout=subprocess.PIPE,
    ) as child:
        try:
            assert child.stdout is not None
            child.stdout.readline()
            before = sample(os.getpid())
            deadline = time.monotonic() + PATIENCE_S
            while time.monotonic() < deadline:
                now = sample(os.getpid())
                mine = [who for who in now.cpu_s if who[0] == child.pid]
                if now.cpu_s[mine[0]] - before.cpu_s[mine[0]] > 0.2:
                    break
        finally:
            child.kill()
    found = usage(before, now)
    assert found.processes >= 2
    assert found.cpu_percent is not None
    assert found.cpu_percent / 100 * (now.at_s - before.at_s) > 0.2, "at least what the child has used"
    assert 30_000_000 < now.memory_bytes < 2_000_000_000
    assert sample(child.pid).cpu_s == {}


def test_where_memory_may_not_be_read_in_detail_it_is_what_is_resident(tmp_path: Path) -> None:
    (tmp_path / "42").mkdir()
    (tmp_path / "42" / "stat").write_text(LINE)
    (tmp_path / "42" / "statm").write_text("1000 200 100 1 0 50 0")
    (tmp_path / "43").mkdir()  # it ended while it was looked at
    assert sample(42, tmp_path).memory_bytes == 200 * os.sysconf("SC_PAGE_SIZE")


async def test_the_meter_has_figures_soon_and_stops() -> None:
    meter = UsageMeter(every_s=0.05)
    assert meter.status().cpu_percent is None
    meter.start()
    await until(lambda: meter.status().cpu_percent is not None, "figures")
    assert meter.status().processes >= 1
    await meter.stop()
    await meter.stop()
