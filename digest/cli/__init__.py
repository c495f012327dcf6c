"""The operator's door: one module a family of commands, each a thin wrapper around a job."""
