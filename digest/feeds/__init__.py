"""Turns addresses of feeds into entries: guarded, conditional, bounded; never into articles."""
