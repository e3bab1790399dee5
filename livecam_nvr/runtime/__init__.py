"""Clock, child processes and their supervision, logs; knows no cameras."""
