"""Turns a template's name, a language and values into text: the one jinja2 environment a language.

Mail and the reader's pages share it. The first folder that has a template wins, so an operator's
own come before the built-in ones. Everything is escaped but what ends in .txt; what a template
does not get, it cannot say (undefined names are faults).
"""

from __future__ import annotations

import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
)

from digest import words
from digest.errors import TemplateFault
from digest.messages.hyphens import soften
from digest.messages.lines import beside, underlined, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def builtin_templates() -> Path:
    """Return the folder of the program's own templates: in a wheel, or beside the package."""
    package = Path(__file__).resolve().parent.parent
    carried = package / "_templates"
    return carried if carried.is_dir() else package.parent / "templates"


class Templates:
    """The templates of some folders, the first of which wins."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._environments: dict[str, Environment] = {}

    def find(self, name: str) -> None:
        """Raise TemplateFault unless template `name` is there; it is not read."""
        if not any((folder / name).is_file() for folder in self._folders):
            raise TemplateFault(self._missing(name))

    def themes(self) -> tuple[str, ...]:
        """The names of all themes of editions, in alphabetical order."""
        found = (page.parent.name for f in self._folders for page in f.glob("editions/*/body.html"))
        return tuple(sorted(set(found)))

    def read(self, name: str) -> str | None:
        """The text of the file `name` as it stands, or None where it is in no folder."""
        found = next((f / name for f in self._folders if (f / name).is_file()), None)
        if found is None:
            return None
        try:
            return found.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TemplateFault(_fault(str(found), error)) from error

    def render(self, name: str, *, language: str, context: dict[str, Any]) -> str:
        """Return the text of template `name`. Raises TemplateFault with its file and line."""
        try:
            return self._environment(language).get_template(name).render(context)
        except TemplateNotFound as error:
            raise TemplateFault(self._missing(str(error.name or name))) from error
        except TemplateSyntaxError as error:
            where = f"{error.filename or name} line {error.lineno}"
            raise TemplateFault(_fault(where, error)) from error
        except Exception as error:  # a template may raise anything
            raise TemplateFault(_fault(self._where(error, name), error)) from error

    def _environment(self, language: str) -> Environment:
        if language not in self._environments:
            self._environments[language] = _environment(self._folders, language)
        return self._environments[language]

    def _missing(self, name: str) -> str:
        folders = ", ".join(str(folder) for folder in self._folders)
        return f"template {name} is in none of {folders}: add it, or name another theme"

    def _where(self, error: Exception, name: str) -> str:
        """The file and line of the template in which an error arose."""
        folders = tuple(str(folder) for folder in self._folders)
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if frame.filename.startswith(folders):
                return f"{frame.filename} line {frame.lineno}"
        return name


def _fault(where: str, error: Exception) -> str:
    reason = " ".join(str(error).split()) or type(error).__name__
    return f"{where}: {reason}: mend the template"


def escapes(name: str | None) -> bool:
    """Return whether a template's values are escaped: all but those of .txt, also x.html.j2."""
    return name is None or not name.endswith(".txt")


def _environment(folders: Sequence[Path], language: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(folders, encoding="utf-8"),
        undefined=StrictUndefined,
        autoescape=escapes,  # noqa: S701 -- on for all but .txt; tests prove it
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=True,  # an operator edits a theme while the service runs
    )
    made.policies["ext.i18n.trimmed"] = True
    install: Callable[..., None] = made.install_gettext_translations  # type: ignore[attr-defined]  # the extension's
    install(words.translations(language), newstyle=True)
    made.globals |= {
        "language": words.closest(language),
        "direction": words.direction(language),
        "languages": words.languages(),
    }
    made.filters |= {
        "day": partial(_say, words.format_day, language),
        "time": partial(_say, words.format_time, language),
        "day_time": partial(_say, words.format_day_time, language),
        "short": partial(_say, words.format_short, language),
        "number": partial(words.format_number, language=language),
        "rhythm": partial(words.say_rhythm, language=language),
        "wrap": wrap,
        "beside": beside,
        "underlined": underlined,
        "hyphens": partial(soften, language=language),
        "at_home": _at_home,
    }
    return made


def _say(write: Callable[..., str], language: str, at: Any, timezone: str) -> str:
    return write(at, language, timezone)


def _at_home(at: Any, timezone: str) -> Any:
    """A moment's date in a zone, to compare days with."""
    return at.astimezone(ZoneInfo(timezone)).date()
