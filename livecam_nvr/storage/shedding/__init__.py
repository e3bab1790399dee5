"""What the archive holds, and its deletion."""
