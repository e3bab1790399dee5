"""Has the kernel write a file without making it durable: the costly part of a sync comes once for many files.

Each `fdatasync` of a file that has grown is a commit of the file system's journal, some 25 kB on ext4. If the
pages of all files are written first, their new blocks are part of one commit, and the others' syncs find it done.
"""

import ctypes
import errno
import os

_BEFORE, _WRITE, _AFTER = 1, 2, 4
# Where there is no such call, or not for this kind of file, the sync that follows does it all.
_UNKNOWN = {errno.EINVAL, errno.ESPIPE, errno.ENOSYS, errno.EOPNOTSUPP}

_call = getattr(ctypes.CDLL(None, use_errno=True), "sync_file_range", None)
if _call is not None:
    _call.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    _call.restype = ctypes.c_int


def write_out(fd: int) -> None:
    """Writes all changed pages of a file and waits for that (sync_file_range(2)); blocks.

    A sync has to follow: neither the file's size nor its blocks' places are durable yet.

    Raises:
        OSError: The disk refuses. It has to be heeded: the sync that follows would not tell it again.
    """
    if _call is None or _call(fd, 0, 0, _BEFORE | _WRITE | _AFTER) == 0:
        return
    number = ctypes.get_errno()
    if number not in _UNKNOWN:
        raise OSError(number, os.strerror(number))
