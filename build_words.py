"""Compiles the catalogues (digest/words/locales) when a wheel or an editable install is built."""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def compile_words(root: Path) -> list[Path]:
    """Write a .mo beside each .po under `root` and return the written files."""
    written = []
    for source in sorted(root.glob("digest/words/locales/*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        with source.open("rb") as po:
            catalogue = read_po(po)
        with target.open("wb") as mo:
            write_mo(mo, catalogue)
        written.append(target)
    return written


class WordsHook(BuildHookInterface[Any]):
    """Hatchling's door to `compile_words`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 -- hatchling's signature
        """Compile before the files are collected."""
        compile_words(Path(self.root))
