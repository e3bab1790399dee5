"""One child process: started so that it cannot outlive the service, drained, and ended politely or not."""

import asyncio
import contextlib
import fcntl
import logging
import os
import shutil
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.redact import redact

_log = logging.getLogger(__name__)

_F_SETPIPE_SZ = 1031  # Linux fcntl(2); fcntl.F_SETPIPE_SZ is missing from typeshed's older stubs
_PIPE_BYTES = 1 << 20  # the most that an unprivileged process may ask for (/proc/sys/fs/pipe-max-size)
_LAST_LINES = 200
_LONGEST_LINE = 2000
_LONGEST_REST = 1 << 16


class _Stdout(asyncio.Protocol):
    """Takes stdout from a pipe of our own: asyncio's subprocess pipes cost another turn of the loop a chunk."""

    def __init__(self, take: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        self._take = take
        self._on_end = on_end

    def data_received(self, data: bytes) -> None:
        self._take(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._on_end()


class _Protocol(asyncio.SubprocessProtocol):
    def __init__(self, on_line: Callable[[str], None] | None, parts: int) -> None:
        self.exited = asyncio.Event()
        self.lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._on_line = on_line
        self._open_parts = parts
        self._rest = {1: b"", 2: b""}
        self._cut = {1: False, 2: False}

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        *lines, rest = (self._rest[fd] + data).split(b"\n")
        if lines and self._cut[fd]:  # the end of a line whose beginning was told already
            del lines[0]
            self._cut[fd] = False
        if self._cut[fd]:
            rest = b""
        elif len(rest) > _LONGEST_REST:  # a child that never ends its line must not grow our memory
            lines.append(rest)
            rest, self._cut[fd] = b"", True
        self._rest[fd] = rest
        for line in lines:
            self._line(line)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """All pipes are at their end and the child is reaped."""
        for rest in self._rest.values():
            self._line(rest)
        self._rest = {1: b"", 2: b""}
        self.part_ended()

    def part_ended(self) -> None:
        """The child is reaped, or a pipe of our own is at its end; when all are, it is over."""
        self._open_parts -= 1
        if not self._open_parts:
            self.exited.set()

    def _line(self, raw: bytes) -> None:
        line = redact(raw.decode("utf-8", "replace").rstrip("\r"))[:_LONGEST_LINE]
        if line:
            self.lines.append(line)
            if self._on_line is not None:
                self._on_line(line)


class ChildProcess:
    """A running child. Make one with `spawn`; whoever spawned it calls `stop()` or awaits `wait()`."""

    def __init__(
        self,
        name: str,
        transport: asyncio.SubprocessTransport,
        protocol: _Protocol,
        stdout: asyncio.ReadTransport | None,
    ) -> None:
        self.name = name
        self._transport = transport
        self._protocol = protocol
        self._stdout = stdout
        self.pid = transport.get_pid()
        self._stopped = False

    @property
    def returncode(self) -> int | None:
        """Exit status; negative signal number if a signal ended it; None while it runs."""
        return self._transport.get_returncode()

    @property
    def last_lines(self) -> list[str]:
        """What it said last (stderr, and stdout if nobody else takes that), redacted, at most 200 lines."""
        return list(self._protocol.lines)

    def write(self, data: bytes) -> None:
        """Sends bytes to its stdin (if it has one); a dead child is not an error here."""
        stdin = self._transport.get_pipe_transport(0)
        if isinstance(stdin, asyncio.WriteTransport) and not stdin.is_closing():
            stdin.write(data)

    def close_stdin(self) -> None:
        """Tells it that no more input comes (after what was written)."""
        stdin = self._transport.get_pipe_transport(0)
        if isinstance(stdin, asyncio.WriteTransport):
            stdin.close()

    def write_backlog(self) -> int:
        """Bytes written to its stdin that it has not taken yet."""
        stdin = self._transport.get_pipe_transport(0)
        return stdin.get_write_buffer_size() if isinstance(stdin, asyncio.WriteTransport) else 0

    async def wait(self) -> int:
        """Returns its exit status when it has exited and its pipes are drained."""
        await self._protocol.exited.wait()
        code = self.returncode
        return code if code is not None else -1

    def send_signal(self, number: int) -> None:
        """Signals the whole process group; a group that is gone is not an error."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def stop(self, ask: bytes | int = signal.SIGTERM, patience_s: float = 2.0) -> int:
        """Ends it: asks (bytes on stdin, or a signal), then SIGTERM, then SIGKILL; always reaps. Idempotent."""
        if self._stopped:  # its number may belong to somebody else by now: no more signals
            return await self.wait()
        try:
            if not self._protocol.exited.is_set():
                await self._persuade(ask, patience_s)
        finally:
            # Also on cancellation, and for grandchildren that hold a pipe open: nothing is left behind.
            self._stopped = True
            self.send_signal(signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                self._transport.close()
            if self._stdout is not None:
                self._stdout.close()
        return await self.wait()

    async def _persuade(self, ask: bytes | int, patience_s: float) -> None:
        if isinstance(ask, bytes):
            self.write(ask)
        else:
            self.send_signal(ask)
        if await self._exits_within(patience_s):
            return
        if ask != signal.SIGTERM:
            self.send_signal(signal.SIGTERM)
            if await self._exits_within(0.5):
                return
        _log.warning("%s (pid %d) did not stop when asked and is killed", self.name, self.pid)
        self.send_signal(signal.SIGKILL)
        # asyncio may miss the exit status of a process whose transport is closed while it dies.
        await self._exits_within(1.0)

    async def _exits_within(self, seconds: float) -> bool:
        try:
            # Not wait_for: that of Python 3.11 swallows a cancellation that comes together with the exit.
            async with asyncio.timeout(seconds):
                await self._protocol.exited.wait()
        except TimeoutError:
            return False
        return True


async def spawn(
    argv: Sequence[str],
    *,
    name: str,
    on_stdout: Callable[[bytes], None] | None = None,
    on_line: Callable[[str], None] | None = None,
    stdin: bool = False,
    pass_fds: Sequence[int] = (),
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> ChildProcess:
    """Starts `argv`, as it is, as leader of its own process group, killed by the kernel if the service dies.

    Args:
        argv: Program and arguments.
        name: For the log.
        on_stdout: Takes stdout in chunks as they come, on the loop. Without it stdout's lines join `last_lines`.
        on_line: Takes each line of stderr, redacted.
        stdin: Whether `write` will be used; else stdin is empty.
        pass_fds: File descriptors it inherits.
        env: Its whole environment; the service's own if None.
        cwd: Its working directory.

    Raises:
        LivecamError: UNAVAILABLE if the program is not there or cannot be executed.
    """
    command = bound([_found(argv[0], argv[0]), *argv[1:]], os.getpid())
    loop = asyncio.get_running_loop()
    protocol = _Protocol(on_line, parts=1 if on_stdout is None else 2)
    stdout: asyncio.ReadTransport | None = None
    writing = asyncio.subprocess.PIPE
    if on_stdout is not None:
        reading, writing = os.pipe()
        enlarge(reading)
        stdout, _ = await loop.connect_read_pipe(
            lambda: _Stdout(on_stdout, protocol.part_ended), os.fdopen(reading, "rb", buffering=0)
        )
    try:
        transport, _ = await loop.subprocess_exec(
            lambda: protocol,
            *command,
            stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
            stdout=writing,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=tuple(pass_fds),
            env=dict(env) if env is not None else None,
            cwd=cwd,
            start_new_session=True,
        )
    except BaseException:
        if stdout is not None:
            stdout.close()
        raise
    finally:
        if stdout is not None:
            os.close(writing)
    to_child = transport.get_pipe_transport(0)
    if to_child is not None and not (pipe := to_child.get_extra_info("pipe")).closed:  # it may have exited by now
        enlarge(pipe.fileno())
    return ChildProcess(name, transport, protocol, stdout)


def bound(argv: Sequence[str], parent: int) -> list[str]:
    """The command that becomes `argv` and is killed when the process `parent`, which starts it, dies.

    setpriv (util-linux, on every Debian) sets the parent-death signal and then becomes the program: no code of
    ours runs between fork and exec, which would be unsafe in a process with threads. The signal is sent when the
    *thread* that forked ends; asyncio forks on the loop's thread, which lives as long as the service. A parent
    that was gone before the signal was set sends none (prctl(2)): a shell looks for that first.

    Raises:
        LivecamError: UNAVAILABLE if there is no setpriv.
    """
    still_there = '[ "$PPID" = "$0" ] && exec "$@"'
    setpriv = [_found("setpriv", "util-linux"), "--pdeathsig", "KILL", "--"]
    return [*setpriv, "/bin/sh", "-c", still_there, str(parent), *argv]


def _found(program: str, package: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise LivecamError(
            ErrorKind.UNAVAILABLE, f"{program} is not installed", f"install {package}, then start again"
        )
    return path


def enlarge(fd: int) -> None:
    """Makes a pipe as large as it may be: fewer and larger reads, and a short pause of ours stalls no child."""
    with contextlib.suppress(OSError):  # one user's pipes may be large only up to a sum (pipe(7))
        fcntl.fcntl(fd, _F_SETPIPE_SZ, _PIPE_BYTES)
