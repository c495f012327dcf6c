"""Makes an edition with everything that a theme may have to tell, to try a theme on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from digest.messages.assemble import assemble
from digest.messages.checks import Mail
from digest.model.article import Article, Image
from digest.model.edition import Draft, Edition, LeftOut, Section
from digest.model.message import Links
from digest.model.newsletter import Topic
from digest.model.policy import SearchEngine, SectionRule, Sponsor, Support

if TYPE_CHECKING:
    from digest.messages.render import Renderer
    from digest.model.newsletter import Newsletter

PUBLIC_URL: Final = "https://news.example.org"
ADDRESS: Final = "erika.mustermann@example.net"
LINKS: Final = Links(
    unsubscribe=f"{PUBLIC_URL}/unsubscribe/sample-u",
    preferences=f"{PUBLIC_URL}/preferences/sample-p",
    view=f"{PUBLIC_URL}/archive/sample/1",
    archive=f"{PUBLIC_URL}/archive/sample",
)
#: what the sample advertisement is called
OFFER: Final = "Probemonat im Rechenzentrum"
_MADE_AT: Final = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
_NONCE: Final = "7e" * 16
#: titles of one kind and another: short, long, and what strangers try
_TITLES: Final = (
    "Ein Speicher aus Sand heizt das Freibad bis in den Winter",
    "Was das neue Sprachmodell der Hochschule anders macht als die großen",
    "Kurz notiert",
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenfabrikation",
    '{{ 7*7 }} <script>alert(1)</script> & "Zeichen"',
    "خبر قصير عن الذكاء الاصطناعي",
    "Roboter lernen, um Hilfe zu bitten",
    "Die Bibliothek verleiht jetzt Messgeräte",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A theme's mail with everything in it, and what its advertisement alone says."""

    mail: Mail
    offer_html: str
    offer_text: str


def try_theme(renderer: Renderer, newsletter: Newsletter, language: str) -> Tried:
    """Write the sample in the newsletter's theme. Raises TemplateFault."""
    full = _with_everything(newsletter)
    draft = _draft(full)
    sheet = renderer.render_sheet(
        [draft],
        full,
        number=12,
        made_at=_MADE_AT,
        language=language,
        nonce=_NONCE,
        public_url=PUBLIC_URL,
        rarer=newsletter.schedules[-1].name,
    )
    written = renderer.lay_out(draft, sheet, full, nonce=_NONCE)
    edition = Edition(
        id=1,
        newsletter=full.slug,
        schedule=full.default_schedule.name,
        number=12,
        made_at=_MADE_AT,
        language=language,
        nonce=_NONCE,
        written=written,
    )
    html, text = assemble(edition, LINKS, address=ADDRESS)
    offer = sheet.pieces.get("sponsors")
    return Tried(
        mail=Mail(
            subject=written.subject,
            preheader=written.preheader,
            html=html,
            text=text,
            links=LINKS,
            public_url=PUBLIC_URL,
        ),
        offer_html=offer.html if offer else "",
        offer_text=offer.text if offer else "",
    )


def _with_everything(newsletter: Newsletter) -> Newsletter:
    return replace(
        newsletter,
        follow=True,
        topics=(Topic(name="sample", title="Energie", words=("energie",)),),
        search=(SearchEngine(name="Suche", url="https://search.example/?q={query}"),),
        sections=(SectionRule(title="Bücher", text="Ein Buch.", url="https://book.example/"),),
        sponsors=(
            Sponsor(title=OFFER, text="Vier Wochen ohne Vertrag.", url="https://ad.example/"),
        ),
        sponsor_limit=1,
        support=Support(text="Diese Seite unterstützen", url="https://support.example/"),
    )


def _draft(newsletter: Newsletter) -> Draft:
    stories = tuple(_article(number) for number in range(14))
    return Draft(
        sections=(
            Section(title=None, articles=stories[:11]),
            Section(title="Stellen", articles=stories[11:]),
        ),
        left_out=(LeftOut(article=_article(20), reason="limit"),),
        subject=f"{stories[0].title} (+13)",
        preheader=stories[1].title,
        also={1: (_article(30),)},
        earlier={1: _article(40)},
        lead=f"Guten Morgen von {newsletter.title}.\n\nHeute ist viel los.",
    )


def _article(number: int) -> Article:
    where = f"https://www.example.com/{number}.html"
    picture = Image(
        url=f"https://www.example.com/{number}.jpg", alt="Ein Bild", width=1200, height=675
    )
    return Article(
        id=number + 1,
        key=f"sample-{number}",
        url=where,
        title=_TITLES[number % len(_TITLES)],
        excerpt="Ein Satz sagt, worum es geht. Ein zweiter sagt, was daraus folgt, und für wen.",
        image=picture if number % 3 else None,
        author="Jana Sommer" if number % 2 else None,
        categories=("Energie",) if number % 2 else (),
        published_at=_MADE_AT - timedelta(hours=number * 5),
        first_seen_at=_MADE_AT,
        words=300,
        source=("Technikblatt", "Küstenbote")[number % 2],
        section=None,
        topics=("sample",) if number % 2 else (),
        comments_url=f"{where}#comments" if number % 2 else None,
        comments=7 if number % 4 == 1 else None,
    )
