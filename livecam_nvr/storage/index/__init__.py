"""The index derived from the files, and its comparison with them."""
