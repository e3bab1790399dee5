"""Cameras: the ffmpeg graph, its fragments, the hub that hands them on, pictures."""
