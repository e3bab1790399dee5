"""USB cameras: what is plugged in, what it can do, and how ffmpeg is to open it."""
