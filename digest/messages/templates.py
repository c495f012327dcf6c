"""Turns a template's name, a language and values into text: the one jinja2 environment a language.

Mail and the reader's pages share it. The first folder that has a template wins, so an operator's
own come before the built-in ones. Everything is escaped but what ends in .txt; what a template
does not get, it cannot say (undefined names are faults).
"""

from __future__ import annotations

import re
import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from jinja2 import (
    BaseLoader,
    Environment,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.meta import find_undeclared_variables
from jinja2.nodes import Name
from jinja2.sandbox import ImmutableSandboxedEnvironment

from digest import words
from digest.errors import TemplateFault
from digest.messages.hyphens import soften
from digest.messages.lines import beside, underlined, wrap
from digest.messages.places import Places

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence


def builtin_templates() -> Path:
    """Return the folder of the program's own templates: in a wheel, or beside the package."""
    package = Path(__file__).resolve().parent.parent
    carried = package / "_templates"
    return carried if carried.is_dir() else package.parent / "templates"


class Templates:
    """The templates of some folders, the first of which wins, and of themes beside them."""

    def __init__(self, folders: Sequence[Path], beside: Path | None = None) -> None:
        self.places = Places(folders, beside)
        self._environments: dict[str, Environment] = {}

    def find(self, name: str) -> None:
        """Raise TemplateFault unless template `name` is there; it is not read."""
        if self.places.find(name) is None:
            raise TemplateFault(self._missing(name))

    def themes(self) -> tuple[str, ...]:
        """The names of all themes of editions, in alphabetical order."""
        return tuple(self.places.themes())

    def read(self, name: str) -> str | None:
        """The text of the file `name` as it stands, or None where it is in no folder."""
        found = self.places.find(name)
        if found is None:
            return None
        try:
            return found.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TemplateFault(_fault(str(found), error)) from error

    def unknown_names(self, name: str, known: Collection[str]) -> list[tuple[str, int]]:
        """What a template names beside what is `known`, each with the line where it first does."""
        source = self.read(name) or ""
        environment = self._environment(words.languages()[0])
        try:
            tree = environment.parse(source)
            found = find_undeclared_variables(tree) - set(known)
        except TemplateSyntaxError:
            return []  # rendering says it better
        # what is set in a block counts as unknown behind it, and is not
        found -= {each.name for each in tree.find_all(Name) if each.ctx == "store"}
        found -= set(environment.globals)
        lines = [(each, re.search(rf"\{{[{{%][^}}]*\b{each}\b", source)) for each in sorted(found)]
        return [(each, source.count("\n", 0, m.end()) + 1 if m else 1) for each, m in lines]

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
            self._environments[language] = _environment(self.places, language)
        return self._environments[language]

    def _missing(self, name: str) -> str:
        folders = ", ".join(str(folder) for folder in self.places.folders)
        return f"template {name} is in none of {folders}: add it, or name another theme"

    def _where(self, error: Exception, name: str) -> str:
        """The file and line of the template in which an error arose."""
        places = self.places
        folders = tuple(str(each) for each in (*places.folders, places.beside) if each)
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


class _Loader(BaseLoader):
    """Reads templates where `Places` finds them."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def get_source(
        self,
        environment: Environment,  # noqa: ARG002 -- jinja2's signature
        template: str,
    ) -> tuple[str, str, Callable[[], bool]]:
        """The text, its file, and whether that is still the newest. Raises TemplateNotFound."""
        path = self._places.find(template)
        if path is None:
            raise TemplateNotFound(template)
        text, read = path.read_text(encoding="utf-8"), path.stat().st_mtime_ns

        def is_new() -> bool:
            try:
                return self._places.find(template) == path and path.stat().st_mtime_ns == read
            except (OSError, TemplateFault):
                return False

        return text, str(path), is_new


def _environment(places: Places, language: str) -> Environment:
    # strangers' themes come as folders: a template says what mail looks like, and runs nothing
    made = ImmutableSandboxedEnvironment(
        loader=_Loader(places),
        undefined=StrictUndefined,
        autoescape=escapes,
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
