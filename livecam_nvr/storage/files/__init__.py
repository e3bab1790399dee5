"""What a recorded file is, and how it is written, finished and repaired."""
