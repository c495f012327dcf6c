"""The whole service on loopback with nothing to configure, for a first look."""
