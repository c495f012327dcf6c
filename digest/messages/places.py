"""Turns a template's name into its file: which folder has it, and what stands in for it.

A theme is looked for as a folder beside newsletters.toml first, then below `editions` in each
folder of templates, file by file. It looks at files and opens none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from digest.errors import TemplateFault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: what a theme needs to have itself, or a folder is none
BODY: Final = "body.html"
#: what the theme `plain` says for one that says nothing itself
_LENT: Final = ("subject.txt", "body.txt")
_EDITION: Final = re.compile(r"editions/([a-z0-9][a-z0-9_-]{0,39})/([a-z]+\.(?:txt|html|css|toml))")


class Places:
    """Where templates may be. The first of `folders` that has one wins; `beside` holds themes."""

    def __init__(self, folders: Sequence[Path], beside: Path | None = None) -> None:
        self.folders = tuple(folders)
        self.beside = beside

    def find(self, name: str) -> Path | None:
        """The file of a template, or None where there is none.

        Raises TemplateFault for a file that leads out of the folder that it stands in.
        """
        edition = _EDITION.fullmatch(name)
        if edition is None:
            apart = {"", ".", ".."} & set(name.split("/"))
            other = not apart and not name.startswith("editions/") and "\\" not in name
            return self._below(name) if other else None
        theme, part = edition.groups()
        found = self._own(theme, part) or self._below(name)
        if found is None and part in _LENT and self.find(f"editions/{theme}/{BODY}"):
            return self._below(f"editions/plain/{part}")
        return found

    def themes(self) -> dict[str, Path]:
        """The folder of each theme by its name, in alphabetical order; its own before ours."""
        found: dict[str, Path] = {}
        for folder in reversed(self.folders):
            found |= {page.parent.name: page.parent for page in folder.glob(f"editions/*/{BODY}")}
        if self.beside is not None:
            own = (page.parent for page in self.beside.glob(f"*/{BODY}"))
            found |= {each.name: each for each in own if self._own(each.name, BODY)}
        known = {name: path for name, path in found.items() if self.find(f"editions/{name}/{BODY}")}
        return dict(sorted(known.items()))

    def is_ours(self, theme: str) -> bool:
        """Whether all files of a theme are the program's own, which are in the last folder."""
        ours = self.folders[-1].resolve()
        parts = (BODY, "body.txt", "subject.txt", "style.css", "look.toml")
        files = (self.find(f"editions/{theme}/{part}") for part in parts)
        return all(each is None or each.resolve().is_relative_to(ours) for each in files)

    def _own(self, theme: str, part: str) -> Path | None:
        """A file of a theme beside newsletters.toml; a folder without a body is no theme."""
        if self.beside is None or not (self.beside / theme / BODY).is_file():
            return None
        if not _EDITION.fullmatch(f"editions/{theme}/{part}"):
            return None
        path = self.beside / theme / part
        return _inside(path, self.beside / theme) if path.is_file() else None

    def _below(self, name: str) -> Path | None:
        for folder in self.folders:
            if (folder / name).is_file():
                return _inside(folder / name, folder)
        return None


def _inside(path: Path, folder: Path) -> Path:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise TemplateFault(f"{path}: leads out of its folder: put the file itself there")
    return path
