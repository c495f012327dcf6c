"""Digest turns a site's feeds into an email that people are glad to open."""

__version__ = "0.1.0"
