"""The room that hands messages over and says how each attempt ended."""
