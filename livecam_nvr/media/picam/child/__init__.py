"""The child process of a Raspberry Pi camera. Stands alone: the system's Python (3.9 or later) runs it.

It imports nothing of the rest of the project, because picamera2 is a package of the system's Python, which knows
neither the project's environment nor its language level. See `control` for how it is talked to.
"""
