"""What is written down besides the pictures, and what it says of the past."""
