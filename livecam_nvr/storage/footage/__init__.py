"""Reads what was recorded, as it lies in the files."""
