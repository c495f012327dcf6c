"""Turns drafts into a sheet, a kind and its facts into a notice, a name into a page.

An edition is rendered once for everybody: what is personal stays a slot, each story's card is cut
out of the frame, and a plan says which pieces a selection has. Nothing here knows a reader.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from digest.errors import TemplateFault
from digest.messages import marks, plain
from digest.messages.contents import tell_all
from digest.messages.cut import check_pieces, cut, tidy
from digest.messages.inline import inline
from digest.messages.layout import SIZE, lay_out, size_of
from digest.messages.look import appear, read_theme_look
from digest.messages.planning import make_plan
from digest.messages.sheet import Facts, make_sheet, read_facts, wanted_pieces
from digest.messages.templates import Templates, builtin_templates
from digest.model.look import Look
from digest.model.message import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from digest.messages.contents import Contents
    from digest.messages.look import Appearance
    from digest.messages.places import Places
    from digest.model.article import Article
    from digest.model.edition import Draft, Written
    from digest.model.layout import Plan, Sheet
    from digest.model.newsletter import Newsletter

__all__ = ["SIZE", "Renderer", "builtin_templates", "size_of"]

#: characters of a subject or preheader
_SUBJECT: Final = 150
_PREHEADER: Final = 200

#: octets of "/archive/…/123456789?topics=…&amp;in=de", without names
_VIEW: Final = 40

#: all that a file of a theme may name, beside what it sets itself
_KNOWN: Final = frozenset(
    (
        "newsletter", "home_url", "number", "made_at", "timezone", "rarer", "topic_titles", "look",
        "slot", "contents", "subject", "preheader", "marks", "style", "language", "direction",
        "languages", "_", "gettext", "ngettext",
    )
)  # fmt: skip

_INDENT: Final = re.compile(r"\n[ \t\n]+")


class Renderer:
    """Everything that is made from templates. The first of `folders` that has one wins."""

    def __init__(self, folders: Sequence[Path], beside: Path | None = None) -> None:
        """`beside`: the folder of newsletters.toml, in which a folder may be a theme."""
        self._templates = Templates(folders, beside)

    def render_sheet(
        self,
        drafts: Sequence[Draft],
        newsletter: Newsletter,
        *,
        number: int,
        made_at: datetime,
        language: str,
        nonce: str,
        public_url: str,
        rarer: str | None = None,
        beside: Sequence[Article] = (),
    ) -> Sheet:
        """Render all pieces of an edition in its newsletter's theme, once.

        `drafts` are all its distinct selections, `beside` articles that only single readers get.
        `rarer` names the schedule to offer readers to whom this one is too much.
        `nonce` is 32 hexadecimal digits drawn after the articles were read. Raises TemplateFault.
        """
        facts = Facts(
            nonce=nonce,
            number=number,
            made_at=made_at,
            public_url=public_url,
            rarer=rarer,
            # all topics by name, and commas between
            view=_VIEW + len(newsletter.slug) + sum(1 + len(t.name) for t in newsletter.topics),
        )
        contents = tell_all(
            drafts,
            newsletter,
            number=number,
            made_at=made_at,
            language=language,
            slot=marks.slot(nonce, "number"),
            public_url=public_url,
            beside=beside,
        )
        html, text = self._pieces(newsletter, contents, facts, language=language)
        return make_sheet(html, text, contents, facts, language=language)

    def plan_edition(self, draft: Draft, sheet: Sheet, newsletter: Newsletter) -> Plan:
        """Plan a selection: what of its sheet stands where.

        Where the HTML would pass 90,000 octets, less is told of each story. Raises TemplateFault,
        and ValueError where the sheet holds no card of one of its articles.
        """
        subject = plain.shorten(plain.tame(draft.subject), _SUBJECT)
        preheader = plain.shorten(plain.tame(draft.preheader), _PREHEADER)
        values = _values(newsletter, read_facts(sheet))
        values |= {"subject": subject, "preheader": preheader}
        values |= {"look": self._appear(newsletter)}
        name = f"editions/{newsletter.theme}/subject.txt"
        said = plain.one_line(self._say(name, sheet.language, values))
        return make_plan(
            draft,
            sheet,
            newsletter,
            subject=plain.shorten(said, _SUBJECT),
            preheader=preheader,
        )

    def lay_out(self, draft: Draft, sheet: Sheet, newsletter: Newsletter, *, nonce: str) -> Written:
        """Write one selection of a sheet. Raises TemplateFault."""
        return lay_out(sheet, self.plan_edition(draft, sheet, newsletter), nonce=nonce)

    def source_of(self, theme: str, part: str) -> str:
        """A file of a theme as its author wrote it; empty where there is none."""
        return self._templates.read(f"editions/{theme}/{part}") or ""

    def unknown_names(self, theme: str, part: str) -> list[tuple[str, int]]:
        """What a file of a theme names that no theme gets, each with its line."""
        return self._templates.unknown_names(f"editions/{theme}/{part}", _KNOWN)

    def render_edition(
        self,
        draft: Draft,
        newsletter: Newsletter,
        *,
        number: int,
        made_at: datetime,
        language: str,
        nonce: str,
        public_url: str,
        rarer: str | None = None,
    ) -> Written:
        """Write an edition of one selection: its sheet, its plan and its layout at once."""
        sheet = self.render_sheet(
            [draft],
            newsletter,
            number=number,
            made_at=made_at,
            language=language,
            nonce=nonce,
            public_url=public_url,
            rarer=rarer,
        )
        return lay_out(sheet, self.plan_edition(draft, sheet, newsletter), nonce=nonce)

    def check_theme(self, newsletter: Newsletter) -> None:
        """Raise TemplateFault unless the newsletter's theme is whole and its look can be read."""
        for part in ("subject.txt", "body.txt", "body.html", "style.css"):
            self._templates.find(f"editions/{newsletter.theme}/{part}")
        self._appear(newsletter)

    @property
    def places(self) -> Places:
        """Where templates are looked for."""
        return self._templates.places

    def themes(self) -> tuple[str, ...]:
        """The names of all themes that a newsletter may have."""
        return self._templates.themes()

    def render_notice(self, kind: str, *, language: str, **context: Any) -> Notice:
        """Write a service mail from the folder `notices/<kind>`. Raises TemplateFault."""
        folder = f"notices/{kind}"
        subject = plain.one_line(self._say(f"{folder}/subject.txt", language, context))
        context["subject"] = plain.shorten(subject, _SUBJECT)
        return Notice(
            kind=kind,
            subject=context["subject"],
            html=self._say(f"{folder}/body.html", language, context),
            text=tidy(self._say(f"{folder}/body.txt", language, context)),
        )

    def render_page(self, name: str, *, language: str, **context: Any) -> str:
        """Write the page `pages/<name>.html`. Raises TemplateFault."""
        return self._say(f"pages/{name}.html", language, context)

    def _appear(self, newsletter: Newsletter) -> Appearance:
        """What the newsletter's theme looks like by the theme's own words and the operator's."""
        where = f"editions/{newsletter.theme}/look.toml"
        try:
            own = read_theme_look(self._templates.read(where) or "")
            appear(Look(), own)
        except ValueError as error:
            raise TemplateFault(f"{where}: {error}: mend the theme") from error
        try:
            return appear(newsletter.look, own)
        except ValueError as error:
            raise TemplateFault(f"newsletter {newsletter.slug}: look: {error}") from error

    def _say(self, name: str, language: str, context: dict[str, Any]) -> str:
        return self._templates.render(name, language=language, context=context)

    def _pieces(
        self, newsletter: Newsletter, contents: Contents, facts: Facts, *, language: str
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The pieces of the HTML and of the text, by their marks' names."""
        theme, nonce = f"editions/{newsletter.theme}", facts.nonce
        slot = marks.slots(nonce)
        values = _values(newsletter, facts)
        values |= {"slot": slot, "contents": contents, "look": self._appear(newsletter)}
        values |= {name: slot[name] for name in ("subject", "preheader")}
        style = Markup(self._say(f"{theme}/style.css", language, values))  # noqa: S704 -- no feed's text is in it
        found = []
        for name, html in ((f"{theme}/body.html", True), (f"{theme}/body.txt", False)):
            marked = {"marks": marks.Marks(nonce, html=html), "style": style}
            said = self._say(name, language, values | marked)
            if html:
                said = _INDENT.sub("\n", _inlined(said, name))
            pieces = cut(said, nonce=nonce, html=html, where=name)
            wanted = wanted_pieces(contents)
            check_pieces(pieces, wanted=wanted, nonce=nonce, html=html, where=name)
            found.append(pieces)
        return found[0], found[1]


def _values(newsletter: Newsletter, facts: Facts) -> dict[str, Any]:
    """What every template of a theme gets."""
    return {
        "newsletter": _tamed(newsletter),
        "home_url": f"{facts.public_url.rstrip('/')}/{newsletter.slug}",
        "number": facts.number,
        "made_at": facts.made_at,
        "timezone": newsletter.timezone,
        "rarer": facts.rarer,
        "topic_titles": {each.name: plain.tame(each.title) for each in newsletter.topics},
    }


def _tamed(newsletter: Newsletter) -> Newsletter:
    """The newsletter with texts that are as safe to show as a feed's."""
    return replace(
        newsletter,
        title=plain.tame(newsletter.title),
        description=plain.tame(newsletter.description),
        address=plain.tame(newsletter.address),
    )


def _inlined(page: str, name: str) -> str:
    try:
        return inline(page)
    except ValueError as error:
        raise TemplateFault(f"{name}: {' '.join(str(error).split())}: mend the theme") from error
