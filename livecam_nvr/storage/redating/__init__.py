"""Gives recordings their true time, once the clock is right."""
