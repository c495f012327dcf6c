"""What systems and desks put around a text goes; what somebody wrote about such things stays."""

from __future__ import annotations

import time

import pytest

from digest.articles.boilerplate import tidy

SENTENCE = "Der erste Satz ist schon lang genug, um allein zu stehen."


@pytest.mark.parametrize(
    "line",
    [
        "The post My title appeared first on My site.",
        "The post My title first appeared on My site.",
        "This article originally appeared in The Paper.",
        "Originally published at site.example",
        "Der Beitrag Mein Titel erschien zuerst auf Meine Seite.",
        "Der Artikel „Mein Titel“ erschien zuerst auf Meine Seite.",
        "Dieser Artikel erschien ursprünglich bei der Zeitung.",
        "L\u2019article Mon titre est apparu en premier sur Mon site.",
        "La entrada Mi título se publicó primero en Mi sitio.",
        "El artículo Mi título apareció primero en Mi sitio.",
        "L'articolo Il mio titolo proviene da Il mio sito.",
        "L\u2019articolo Il mio titolo sembra essere il primo su Il mio sito.",
        "O post Meu título apareceu primeiro em Meu site.",
        "Het bericht Mijn titel verscheen eerst op Mijn site.",
        "Weiterlesen …",
        "Continue reading My title →",
        "[Weiterlesen]",
        "Hier geht’s weiter",  # noqa: RUF001
        "Lire la suite",
        "Leggi tutto »",
        "Seguir leyendo",
        "(more)",
        "[mehr]",
        "Foto: Ada / dpa",
        "(Bild: Ada Beispiel)",
        "Photo by Ada Example on a site",
        "© 2026 Ada",
        "Anzeige",
        "- Advertisement -",
        "ADVERTISEMENT: scroll to continue",
        "Story continues below advertisement",
        "Share this:",
        "Share on Facebook",
        "Click to share on Mastodon (Opens in new window)",
        "Klick, um auf Facebook zu teilen (Wird in neuem Fenster geöffnet)",
        "Facebook | X | WhatsApp | E-Mail",
        "Sign up for our weekly newsletter and never miss a thing",
        "Jetzt kostenlos abonnieren: unser Newsletter am Morgen",
        "Abonnieren Sie unseren Newsletter",
        "Inscrivez-vous à notre newsletter",
        "Get the best stories delivered to your inbox",
        "Follow us on Mastodon",
        "5 min read",
        "Lesezeit: 3 Minuten",
        "Stand: 12.03.2026, 10:04 Uhr",
        "Von Ada Beispiel und Bert Muster",
        "By Ada Example",
        "By: Ada Example, London",
        "https://site.example/artikel",
        "submitted by /u/ada [link] [comments]",
        "Comments URL: https://site.example/item?id=1",
        "Hosted on Something. See something.example/privacy for more information.",
    ],
)
def test_what_is_put_around_a_text_is_dropped(line: str) -> None:
    assert tidy(f"{SENTENCE}\n{line}") == SENTENCE
    assert tidy(f"{line}\n{SENTENCE}") == SENTENCE
    assert tidy(line) == ""


@pytest.mark.parametrize(
    "tail",
    [
        "Read more",
        "Mehr lesen",
        "[Weiterlesen auf der Seite]",
        "[mehr]",
        "Von Ada M. Beispiel.",
        "Von A.-B. Muster.[mehr]",
        "(Hafen, Schiffe)",
        "(abc)",
        "(dpa/xyz)",
        "Von Ada Muster (Hafen, Schiffe)",
        "(Foto: Ada)",
        "#hafen #schiffe #see",
        "The post My title appeared first on My site.",
    ],
)
def test_it_is_dropped_behind_a_sentence_too(tail: str) -> None:
    assert tidy(f"{SENTENCE} {tail}") == SENTENCE


@pytest.mark.parametrize(
    "head",
    [
        "BERLIN (dpa) -",
        "Frankfurt am Main (dpa/lhe) –",  # noqa: RUF001
        "Berlin/Paris (AFP) -",
        "LONDON, Oct 3 (Reuters) -",
        "WASHINGTON (AP) —",
        "PARIS, 3 oct 2026 (AFP) -",
        "NEW YORK —",
        "(dpa)",
        "dpa/abc -",
        "[Foto: Ada]",
        "Von Ada Beispiel |",
        "4 min read –",  # noqa: RUF001
    ],
)
def test_datelines_and_bylines_before_the_first_sentence_are_dropped(head: str) -> None:
    assert tidy(f"{head} {SENTENCE}") == SENTENCE


@pytest.mark.parametrize(
    "text",
    [
        "The post office appeared in many films.",
        "The story was first published in 1920 and is read today.",
        "People who read more live longer.",
        "Wir wollen mehr lesen und weniger streiten.",
        "Der Beitrag steigt im Januar.",
        "Anzeige gegen Unbekannt erstattet",
        "Foto und Film: eine lange Geschichte der Bilder in der Zeitung",
        "Von Anfang an war klar, dass es regnet.",
        "Das war klar. Von Berlin nach Paris fährt jetzt ein Zug.",
        "Die Agentur (AFP) - so sagt sie - weiß davon nichts.",
        "Wir teilen mit Facebook keine Daten.",
        "Share prices fell on Monday.",
        "By the time we arrived, it was over.",
        "Bild-Chefin tritt nach langem Streit zurück",
        "Foto: Warum wir alle zu viele machen, und was das mit uns macht.",
        "Newsletter sind wieder beliebt.",
        "He left. (He came back later, though.)",
        "NASA will es noch einmal versuchen.",
        "Er sagte: „Es reicht.“ (Und ging.)",
        "Get out of the house, into the sun.",
    ],
)
def test_sentences_about_such_things_are_kept(text: str) -> None:
    assert tidy(text) == text


def test_a_first_line_that_says_the_title_again_goes() -> None:
    assert tidy(f"Ein Titel\n{SENTENCE}", title="ein titel") == SENTENCE
    assert tidy("Ein Titel", title="Ein Titel") == "Ein Titel"


@pytest.mark.parametrize(
    "text",
    [
        "The post " * 7000,
        "AAA Bbb " * 8000,
        "(" * 60_000,
        ". Von Aa Bb " * 5000,
        "#a " * 20_000,
        "A" * 60_000,
        "AAA BBB CCC DDD EEE FFF GGG\n" * 2000,
        "Von Aa Bb Cc Dd, Ee Ff\n" * 2000,
        ("Der Beitrag " * 40 + "\n") * 120,
        ("facebook share on " * 25 + "\n") * 120,
        " " * 60_000 + "x",
    ],
    ids=range(11),
)
def test_no_text_takes_long(text: str) -> None:
    begun = time.perf_counter()
    tidy(text)
    assert time.perf_counter() - begun < 1.5  # 0.1 s where nothing else runs
