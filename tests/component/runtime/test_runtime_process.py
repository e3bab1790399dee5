import asyncio
import logging
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from support.service import alive
from support.waiting import PATIENCE_S, until

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.runtime.process import ChildProcess, bound, spawn

ROOT = Path(__file__).parents[3]
Start = Callable[..., Awaitable[ChildProcess]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Spawns a shell command, and ends what is left of it after the test."""
    made: list[ChildProcess] = []

    async def shell(command: str, **more: Any) -> ChildProcess:
        made.append(await spawn(["sh", "-c", command], name="child", **more))
        return made[-1]

    yield shell
    for child in made:
        await child.stop(signal.SIGKILL)


def number(line: str) -> int:
    return int(line.rsplit(maxsplit=1)[-1])


async def said(child: ChildProcess, what: str = "") -> str:
    """The first line that holds `what`."""
    await until(lambda: [line for line in child.last_lines if what in line], what=f"a line with {what!r}")
    return next(line for line in child.last_lines if what in line)


async def test_output_exit_status_and_reaping(start: Start) -> None:
    out = bytearray()
    lines: list[str] = []
    child = await start("printf 'one\\ntwo'; echo to-err >&2; exit 3", on_stdout=out.extend, on_line=lines.append)
    assert await child.wait() == 3
    assert child.returncode == 3
    assert out == b"one\ntwo"
    assert child.last_lines == lines == ["to-err"]
    assert not Path(f"/proc/{child.pid}").exists(), "it is reaped"


async def test_stdout_nobody_takes_joins_the_last_lines(start: Start) -> None:
    child = await start("echo out; printf 'no newline\\r'")
    assert await child.wait() == 0
    assert child.last_lines == ["out", "no newline"]


async def test_bytes_that_are_no_text_are_lines_too(start: Start) -> None:
    child = await start(r"printf 'caf\351\n' >&2")
    await child.wait()
    assert child.last_lines == ["caf\ufffd"]


async def test_the_last_lines_are_bounded_and_redacted(start: Start) -> None:
    lines: list[str] = []
    child = await start(
        'for n in $(seq 500); do echo "$n rtsp://me:se@cr/et@cam/x rtsp://me:secret@cam" >&2; done',
        on_line=lines.append,
    )
    await child.wait()
    assert len(child.last_lines) == 200
    assert child.last_lines[-1].startswith("500 rtsp://me:***@")
    assert len(lines) == 500
    assert not [line for line in (*lines, *child.last_lines) if "secret" in line]


async def test_a_line_without_end_does_not_grow_memory(start: Start) -> None:
    child = await start("head -c 3000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo after >&2; echo last >&2")
    await child.wait()
    assert [line[:5] for line in child.last_lines] == ["xxxxx", "after", "last"]
    assert len(child.last_lines[0]) == 2000


async def test_a_password_in_a_long_line_is_not_told_in_halves(start: Start) -> None:
    child = await start("head -c 1980 /dev/zero | tr '\\0' x >&2; echo rtsp://me:secretsecretsecretsecret@cam >&2")
    await child.wait()
    assert "secret" not in child.last_lines[0]


@pytest.mark.parametrize("executable", [False, None])
async def test_a_program_that_cannot_be_run_says_so(tmp_path: Path, executable: bool | None) -> None:
    program = tmp_path / "program"
    if executable is False:
        program.write_text("#!/bin/sh\n")
        program.chmod(stat.S_IRUSR)
    with pytest.raises(LivecamError, match="is not installed") as caught:
        await spawn([str(program)], name="x", on_stdout=lambda _chunk: None)
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert str(program) in caught.value.hint


async def test_a_machine_without_util_linux_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LivecamError, match="setpriv is not installed") as caught:
        await spawn(["/bin/true"], name="x")
    assert "util-linux" in caught.value.hint


async def test_stdin_is_empty_unless_asked_for(start: Start) -> None:
    out = bytearray()
    child = await start("cat; echo end", on_stdout=out.extend)
    child.write(b"ignored")
    child.close_stdin()
    assert child.write_backlog() == 0
    assert await child.wait() == 0
    assert out == b"end\n"


async def test_stdin_reaches_the_child_whole(start: Start) -> None:
    out = bytearray()
    child = await start("cat", stdin=True, on_stdout=out.extend)
    data = os.urandom(3_000_000)
    child.write(data)
    child.close_stdin()
    assert await child.wait() == 0
    assert out == data


async def test_what_the_child_does_not_take_is_the_backlog(start: Start) -> None:
    child = await start("exec sleep 600", stdin=True)
    child.write(bytes(4_000_000))
    assert 2_500_000 < child.write_backlog() < 4_000_000
    assert await child.stop(patience_s=PATIENCE_S) == -signal.SIGTERM


async def test_writing_to_a_dead_child_is_no_error(start: Start) -> None:
    child = await start("exit 0", stdin=True)
    for _ in range(3):
        child.write(bytes(100_000))
    await child.wait()
    child.write(b"more")
    child.close_stdin()
    assert child.write_backlog() == 0


async def test_file_descriptors_environment_and_folder(start: Start, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    try:
        child = await start(
            f"echo $WHAT in $(pwd) >/proc/self/fd/{writing}",
            pass_fds=(writing,),
            env={"WHAT": "thing", "PATH": os.environ["PATH"]},
            cwd=str(tmp_path),
        )
        await child.wait()
    finally:
        os.close(writing)
    with os.fdopen(reading) as pipe:
        assert pipe.read() == f"thing in {tmp_path}\n"


async def test_no_other_descriptor_is_inherited(start: Start) -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    try:
        child = await start("ls /proc/self/fd")
        await child.wait()
        assert str(writing) not in child.last_lines
    finally:
        os.close(reading)
        os.close(writing)


async def test_stop_asks_first(start: Start) -> None:
    child = await start("trap 'exit 5' USR1; echo ready; while :; do sleep 0.01; done")
    await said(child, "ready")
    assert (
        await child.stop(signal.SIGUSR1, PATIENCE_S) == 5
    )  # a shell cannot trap SIGINT where tests run in the background


async def test_stop_asks_by_stdin(start: Start) -> None:
    child = await start('read line; echo "got $line"; exit 7', stdin=True)
    assert await child.stop(b"q\n", PATIENCE_S) == 7
    assert child.last_lines == ["got q"]


async def test_what_ignores_all_requests_is_killed_and_that_is_logged(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    child = await start("trap '' TERM INT; echo ready; while :; do sleep 0.01; done")
    await said(child, "ready")
    with caplog.at_level(logging.WARNING):
        assert await child.stop(signal.SIGINT, patience_s=0.1) == -signal.SIGKILL
    assert not alive(child.pid)
    assert caplog.messages == [f"child (pid {child.pid}) did not stop when asked and is killed"]


async def test_a_stopped_process_is_ended_too(start: Start) -> None:
    child = await start("trap 'exit 1' TERM; echo ready; while :; do sleep 0.01; done")
    await said(child, "ready")
    child.send_signal(signal.SIGSTOP)
    assert await child.stop(patience_s=0.1) == -signal.SIGKILL


@pytest.mark.parametrize("end", ["wait", "exit 0", "exec >&- 2>&-; exit 0"])
async def test_grandchildren_end_with_it(start: Start, end: str) -> None:
    child = await start(f"(trap '' TERM; exec sleep 600) & echo pid $!; {end}")
    grandchild = number(await said(child, "pid"))
    assert alive(grandchild)
    await child.stop(patience_s=0.1)
    await until(lambda: not alive(grandchild), what="the grandchild's end")


async def test_stopping_again_or_after_its_death_is_harmless(start: Start) -> None:
    child = await start("exit 4")
    await child.wait()
    child.send_signal(signal.SIGTERM)
    assert [await child.stop(), await child.stop()] == [4, 4]
    other = await start("exec sleep 600")
    stops = [other.stop(patience_s=PATIENCE_S) for _ in range(2)]
    assert await asyncio.gather(*stops) == [-signal.SIGTERM] * 2
    assert await other.stop(b"q") == -signal.SIGTERM


async def test_a_stop_that_is_cancelled_leaves_nothing_behind(start: Start) -> None:
    child = await start("trap '' TERM; echo ready; while :; do sleep 0.01; done")
    await said(child, "ready")
    stopping = asyncio.create_task(child.stop(patience_s=600))
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    await until(lambda: not alive(child.pid))
    await child.stop()


async def test_many_children_die_at_once_each_with_its_own_status(start: Start) -> None:
    children = [await start(f"exit {n}") for n in range(20)]
    assert [await child.wait() for child in children] == list(range(20))


async def test_a_child_leads_its_own_group_and_ctrl_c_does_not_reach_it(start: Start) -> None:
    child = await start("exec sleep 600")
    assert os.getpgid(child.pid) == child.pid
    assert os.getsid(child.pid) == child.pid


async def test_a_child_dies_when_the_service_is_killed() -> None:
    script = ROOT / "tests/child_scripts/parent_of_a_sleeper.py"
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdout is not None
        line = await asyncio.to_thread(parent.stdout.readline)
        pid = int(line)
        await until(
            lambda: Path(f"/proc/{pid}/comm").read_text() == "sleep\n", "the child to be what it was to become"
        )
        parent.kill()
        await until(lambda: not alive(pid), "the kernel ends the child")


async def test_a_child_whose_parent_was_gone_too_early_to_notice_does_not_run(
    tmp_path: Path,
) -> None:
    for parent, runs in ((1, False), (os.getpid(), True)):
        ran = tmp_path / str(parent)
        done = await asyncio.to_thread(subprocess.run, bound(["touch", str(ran)], parent), check=False)
        assert ran.exists() is runs
        assert (done.returncode == 0) is runs
