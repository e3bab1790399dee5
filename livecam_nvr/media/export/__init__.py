"""Makes one ordinary MP4 file out of recorded footage."""
