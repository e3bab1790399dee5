"""Pure values and decisions; imports nothing of the project and no library."""
