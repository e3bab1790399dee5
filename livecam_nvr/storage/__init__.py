"""Segment files on disk, the index derived from them, disk figures."""
