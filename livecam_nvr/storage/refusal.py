"""Says in words why the disk refused."""

import errno

_WORDS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EIO: "the disk reports an input/output error",
    errno.EROFS: "the disk is mounted read-only",
    errno.EACCES: "there is no permission to write",
    errno.EPERM: "there is no permission to write",
    errno.ENOENT: "the folder or file has vanished",
    errno.ESTALE: "the folder or file has vanished",
    errno.EEXIST: "a file stands where a folder should be",
    errno.ENOTDIR: "a file stands where a folder should be",
    errno.ENODEV: "the disk is gone",
    errno.ENXIO: "the disk is gone",
    errno.ELOOP: "it is a symbolic link and no recording",
    errno.ESPIPE: "it is a pipe and no recording",
    errno.EFBIG: "the file has grown larger than the disk's format allows",
}


def in_words(error: OSError, where: str) -> str:
    """What `error` means for the person who has to mend it, and where it happened."""
    words = _WORDS.get(error.errno or 0) or error.strerror or str(error)
    return f"{words} ({where})"
