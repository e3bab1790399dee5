"""Small files that remember what somebody chose."""
