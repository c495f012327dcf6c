"""What the operator says: `Settings` from the environment, `Newsletter`s from newsletters.toml."""

from digest.settings.environment import Settings, read_settings, require_secret
from digest.settings.publications import read_newsletters

__all__ = ["Settings", "read_newsletters", "read_settings", "require_secret"]
