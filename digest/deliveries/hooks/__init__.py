"""Turns what mail providers post to us into events; it never asks a network and never acts."""
