"""Where the recordings lie: the right disk, one service at a time, its figures."""
