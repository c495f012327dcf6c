"""Turns entries, which are untrusted, into articles: plain text with a stable identity."""
