"""Journeys: from the store through the rooms and back. Jobs join what must not know each other."""
