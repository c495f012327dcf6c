"""Alembic asks for this file; `digest.store.migrate` runs the migrations itself."""
