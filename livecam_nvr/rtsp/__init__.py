"""Media servers (MediaMTX, GStreamer) behind one small interface."""
