"""Newsletters, articles and editions that the tests of this room write about."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digest.messages.render import Renderer, builtin_templates
from digest.model.article import Article, Image
from digest.model.edition import Draft, Edition, LeftOut, Section, Written
from digest.model.message import Links
from digest.model.newsletter import FeedSource, Newsletter, Schedule, Sender

if TYPE_CHECKING:
    from collections.abc import Sequence

MADE_AT = datetime(2026, 11, 23, 6, 0, 4, tzinfo=UTC)
NONCE = "0123456789abcdef0123456789abcdef"
PUBLIC_URL = "https://news.example.org"
TOKEN = "tok-4711-AbC_d"
ADDRESS = "erika.mustermann@example.net"

LINKS = Links(
    unsubscribe=f"{PUBLIC_URL}/unsubscribe/{TOKEN}",
    preferences=f"{PUBLIC_URL}/preferences/pref-0815",
    view=f"{PUBLIC_URL}/archive/ki-news/7",
    archive=f"{PUBLIC_URL}/archive/ki-news",
)

#: what strangers write into titles
HOSTILE = (
    "Ein \"Titel\" mit 'Zeichen' & <Klammern>",
    "Erste Zeile\r\nBcc: victim@example.net\r\n\r\nzweite",
    "Trenner\u2028Absatz\u2029Zeile\x85Ende",
    "Null\x00Byte und \x0b senkrechter \x0c Vorschub \x1b[31m",
    "{{ 7*7 }} {% raise %} {# still #} ${x} {{{dreifach}}}",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "Raketen 🚀👩‍🚀🏳️‍🌈 und Flaggen 🇩🇪",
    "Donaudampfschifffahrtsgesellschaft" * 9,
    "عنوان بالعربية عن الذكاء الاصطناعي",
    "Null\u200bbreite\u200d und \u202eumgekehrt\u202c",
    "=?utf-8?q?verkleidet?=",
    "Lone \ud800 surrogate",
    "",
    "   ",
    "--0123456789abcdef--",
    "]]></style><!-- --> <![endif]-->",
)

_TITLES = (
    "Stadtwerke speichern Sommerwärme in einem alten Kiesteich",
    "Warum kleine Sprachmodelle auf dem Telefon plötzlich genügen",
    "Ein Chip, der nur rechnet, wenn sich etwas ändert",
    "Bibliothek verleiht jetzt auch Messgeräte",
    "Bundesnetzagentur ordnet Frequenzen für Gewerbegebiete neu",
    "Forschende bringen Robotern bei, um Hilfe zu bitten",
    "Offene Landkarten helfen beim Katastrophenschutz",
    "Was ein Rechenzentrum trinkt",
)
_EXCERPTS = (
    """Aus einer Baugrube wird ein Wärmespeicher: Im Sommer füllt ihn die Sonne, im Winter heizt er
    dreihundert Wohnungen. Die Rechnung geht auf, sagt der Versorger, wenn der Deckel dicht
    bleibt.""",
    """Die neue Generation kommt mit einem Bruchteil des Speichers aus. Drei Aufgaben, an denen sich
    zeigt, wo das reicht, und eine, an der es noch immer scheitert.""",
    """Statt jedes Bild ganz zu verarbeiten, meldet der Sensor nur, was sich bewegt. Das spart Strom
    und macht Kameras möglich, die jahrelang mit einer Knopfzelle auskommen.""",
    """Oszilloskop, Wärmebildkamera, Feinstaubsensor: Wer einen Ausweis hat, darf sie zwei Wochen
    mit nach Hause nehmen. Die Warteliste ist lang.""",
)


def article(number: int, **changes: Any) -> Article:
    """An ordinary article; `changes` make it another one."""
    facts: dict[str, Any] = {
        "id": 100 + number,
        "key": f"key-{number}",
        "url": f"https://www.example.com/2026/11/meldung-{number}.html",
        "title": f"{_TITLES[number % len(_TITLES)]}",
        "excerpt": _EXCERPTS[number % len(_EXCERPTS)],
        "image": Image(
            url=f"https://www.example.com/bilder/{number}.jpg",
            alt=f"Bild {number}: ein Teich vor einer Siedlung",
            width=1200,
            height=675,
        ),
        "author": ("Jana Sommer", "Ole Petersen", None)[number % 3],
        "categories": (("Energie",), ("Sprachmodelle", "KI"), ("Hardware",), ())[number % 4],
        "published_at": MADE_AT - timedelta(minutes=53 * number),
        "first_seen_at": MADE_AT,
        "words": 300 + 170 * (number % 5),
        "source": ("Technikblatt", "Küstenbote")[number % 2],
        "section": None,
    }
    return Article(**(facts | changes))


def newsletter(**changes: Any) -> Newsletter:
    """An ordinary newsletter; `changes` make it another one."""
    facts: dict[str, Any] = {
        "slug": "ki-news",
        "title": "Die besten KI-News",
        "description": "Was die künstliche Intelligenz heute bewegt.",
        "sender": Sender(name="IT-Redaktion Müller", address="news@example.org"),
        "reply_to": "redaktion@example.org",
        "language": "de",
        "timezone": "Europe/Berlin",
        "theme": "plain",
        "address": "Beispiel GmbH, Musterstr. 1, 10115 Berlin",
        "imprint_url": "https://www.example.org/impressum",
        "feeds": (FeedSource(url="https://www.example.com/feed"),),
        "schedules": (Schedule(name="daily", cron="0 7 * * *"),),
        "limit": 40,
    }
    return Newsletter(**(facts | changes))


def draft(articles: Sequence[Article], **changes: Any) -> Draft:
    """A draft that holds these articles, in sections by their own."""
    names = dict.fromkeys(each.section for each in articles)
    facts: dict[str, Any] = {
        "sections": tuple(
            Section(title=name, articles=tuple(a for a in articles if a.section == name))
            for name in names
        ),
        "left_out": (),
        "subject": articles[0].title,
        "preheader": " · ".join(each.title for each in articles[1:4]),
    }
    return Draft(**(facts | changes))


def ordinary(count: int) -> Draft:
    """A draft of `count` articles; from six on, the last two are vacancies."""
    jobs = 2 if count > 5 else 0
    return draft(
        [
            article(number, section="Stellenangebote" if number >= count - jobs else None)
            for number in range(count)
        ]
    )


def left_out(number: int) -> LeftOut:
    return LeftOut(article=article(number), reason="limit")


def renderer(*folders: Path) -> Renderer:
    return Renderer([*folders, builtin_templates()])


def own_theme(folder: Path, name: str, old: str, new: str) -> None:
    """Put the built-in theme into a folder, with one thing changed."""
    theme = folder / "editions" / "plain"
    shutil.copytree(builtin_templates() / "editions" / "plain", theme)
    text = (theme / name).read_text("utf-8")
    assert old in text
    (theme / name).write_text(text.replace(old, new), "utf-8")


def edition(
    chosen: Draft,
    *,
    language: str = "de",
    of: Newsletter | None = None,
    nonce: str = NONCE,
    by: Renderer | None = None,
) -> Edition:
    """The edition that is written from a draft."""
    made = of or newsletter()
    written = (by or renderer()).render_edition(
        chosen,
        made,
        number=12,
        made_at=MADE_AT,
        language=language,
        nonce=nonce,
        public_url=PUBLIC_URL,
    )
    return written_as(written, of=made, language=language, nonce=nonce)


def written_as(
    written: Written,
    *,
    of: Newsletter | None = None,
    language: str = "de",
    nonce: str = NONCE,
) -> Edition:
    """The edition that has been written so."""
    return Edition(
        id=7,
        newsletter=(of or newsletter()).slug,
        schedule="daily",
        number=12,
        made_at=MADE_AT,
        language=language,
        nonce=nonce,
        written=written,
    )
