"""Merges copies of an archive, each in a child that is killed at another step: `ROOT FOLDER`, ROOT is copied.

Prints a line for each copy: its folder, and what it was killed at (`done` for the last one, which was not).
"""

import os
import shutil
import signal
import sys
from pathlib import Path

from livecam_nvr.runtime.durable import sync_dir
from livecam_nvr.storage.files.repair import repair_file
from livecam_nvr.storage.merging.merge_file import merge, source

STEPS = ("fsync", "fdatasync", "pwrite", "rename", "unlink")


def killed_at(step: int) -> None:
    """From now on, this process is killed when it is about to do so many of the steps."""
    left = step

    def guarded(name: str):
        real = getattr(os, name)

        def call(*arguments, **options):
            nonlocal left
            if not left:
                print(name, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return real(*arguments, **options)

        return call

    for name in STEPS:
        setattr(os, name, guarded(name))


def work(root: Path) -> None:
    paths = sorted(str(path.relative_to(root)) for path in root.glob("cam0/*/*.mp4"))
    segments = [repair_file(root, path).segment for path in paths]
    sources = [source(root, segment) for segment in segments]
    merge(root, sources, 10, lambda _bytes: None)
    for path in paths:
        (root / path).unlink()
    sync_dir((root / paths[0]).parent)


def main() -> None:
    root, folder = map(Path, sys.argv[1:])
    for step in range(200):
        copy = folder / f"{step}"
        shutil.copytree(root, copy)
        print(copy, end=" ", flush=True)
        child = os.fork()
        if not child:
            killed_at(step)
            work(copy)
            print("done", flush=True)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not status:
            return


main()
