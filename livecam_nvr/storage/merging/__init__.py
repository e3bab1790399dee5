"""Merges finished files into longer ones."""
