"""The thinking room: which articles make an edition, when, and under what name."""
