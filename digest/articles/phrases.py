"""Turns words that stand around articles, in many languages, into pieces of patterns.

`boilerplate` says where they count. Patterns are read without regard to case but for agencies,
places and names, whose case is what tells them.
"""

from __future__ import annotations


def _one_of(*phrases: str) -> str:
    return f"(?:{'|'.join(phrases)})"


#: what leads to the rest of an article
MORE = _one_of(
    r"continue reading", r"(?:read|learn|see|find out) more", r"read full", r"read on\b",
    r"read (?:the|it) (?:full|rest|whole|entire|complete|at)", r"keep reading", r"more details",
    r"full (?:story|article)", r"view (?:original|the full)", r"click here (?:to|for)",
    r"view full (?:article|post|story)",
    r"weiter ?lesen", r"mehr (?:lesen|dazu|erfahren|infos?)", r"jetzt (?:weiter)?lesen",
    r"lesen sie (?:hier )?(?:weiter|mehr|auch)", r"hier (?:weiter)?lesen",
    r"hier geht[\u2019']?s weiter",
    r"zum (?:ganzen |vollständigen )?(?:artikel|beitrag)", r"zur (?:vollständigen )?meldung",
    r"den (?:ganzen|vollständigen) (?:artikel|beitrag)",
    r"lire (?:la suite|plus|aussi|l[\u2019']article)", r"en savoir plus", r"continuer la lecture",
    r"leggi (?:tutto|anche|l[\u2019']articolo|di più)", r"continua a leggere",
    r"leer más", r"(?:seguir|sigue|continúa) leyendo", r"leia mais", r"continue lendo",
    r"lees (?:verder|meer)", r"czytaj (?:dalej|więcej)", r"läs (?:mer|vidare)", r"læs mere",
    r"les mer", r"lue lisää",
)  # fmt: skip
#: what blog software puts below an entry, up to the name of the site
FRAMES: tuple[str, ...] = (
    (
        r"The (?:post|article|story)\b.{0,300}?\b(?:first appeared|appeared first"
        r"|was first published) on\b"
    ),
    (
        r"This (?:post|article|story|piece|blog post|content|column)\b.{0,60}\b(?:first|originally)"
        r" (?:appeared|published|posted|ran)\b"
    ),
    r".{0,200}?\bwas originally published in .{1,80} on Medium\b",
    r"De[rn] (?:Beitrag|Artikel)\b.{0,300}?\berschien (?:zuerst|zunächst)\b",
    (
        r"Diese[rn]? (?:Beitrag|Artikel|Text)\b.{0,60}?\b(?:erschien|ist|wurde) (?:zuerst|zunächst"
        r"|ursprünglich)\b"
    ),
    (
        r"(?:L[\u2019']article|L[\u2019']billet|Cet article|Le billet)\b.{0,300}?\best (?:apparu"
        r" en premier|d[\u2019']abord apparu) sur\b"
    ),
    (
        r"(?:La (?:entrada|publicación|noticia)|El (?:artículo|post))\b.{0,300}?\b(?:se publicó"
        r"|apareció|aparece|fue publicad[oa]) (?:por primera vez|primero|originalmente) en\b"
    ),
    (
        r"(?:L[\u2019']articolo|Il post)\b.{0,300}?\b(?:proviene da|sembra essere il primo su"
        r"|è apparso (?:per la prima volta|prima) su)\b"
    ),
    (
        r"O (?:post|artigo|conteúdo)\b.{0,300}?\b(?:apareceu|aparece|foi publicado)"
        r" (?:primeiro|originalmente) (?:em|no|na)\b"
    ),
    r"Het bericht\b.{0,300}?\bverscheen eerst op\b",
    r"(?:Artykuł|Wpis)\b.{0,300}?\bpochodzi z serwisu\b",
    r"Inlägget\b.{0,300}?\bdök först upp på\b",
    r"submitted by\s.{0,100}\[link\]\s*\[comments\]",
)
#: buttons and headings without anything to them
BUTTONS = _one_of(
    "more", "comments?", "kommentare?", "commentaires?", "teilen", "share", "tweet", "merken",
    "drucken", "print", "partager", "compartir", "condividi", "share this", "teilen mit",
    "like this", "gefällt mir", "related", "verwandt", "ähnliche beiträge", "loading",
    "wird geladen", "like loading",
)  # fmt: skip
ADVERTISEMENTS = _one_of(
    "advertise?ments?", "anzeigen?", "werbung", "reklame", "publicité", "publicidad", "pubblicità",
    "sponsored(?: content)?", "annons", "mainos",
)  # fmt: skip
NETWORK = _one_of(
    "facebook", "twitter", "x", "linkedin", "xing", "whatsapp", "telegram", "pinterest", "reddit",
    "tumblr", "pocket", "flipboard", "mastodon", "bluesky", "threads", "instagram", "youtube",
    "e-?mail", "mail", "sms", "copy link", "link kopieren", "skype", "messenger", "signal",
    "threema",
)  # fmt: skip
#: what share buttons are made of
SHARE = _one_of(
    "share", "teilen", "tweet", "auf", "on", "via", "per", "click to", "klick(?:en)?,? um",
    "clique[rz]? (?:ici )?pour", "partager", "sur", "compartir", "en", "condividi", "su", "this",
    "post",
    "diesen", "beitrag", "artikel", "zu", "mit", "with", "to", "opens in new window",
    "wird in neuem fenster geöffnet", NETWORK,
)  # fmt: skip
SUBSCRIBE = _one_of(
    "sign up", "subscribe", "abonnieren?(?: sie| du| jetzt)?", "melden? (?:sie|dich)",
    "jetzt (?:kostenlos )?(?:abonnieren|anmelden|bestellen)", "inscrivez-vous", "abonnez-vous",
    "suscríbete", "iscriviti", "inscreva-se", "schrijf je in", "hier geht es zum", "jetzt zum",
)  # fmt: skip
FOLLOW = _one_of(
    r"follow (?:us|me|along)\b", r"folgen? (?:sie )?(?:uns|mir)\b", "suivez-nous", "seguici",
    "síguenos",
)  # fmt: skip
#: who made a picture, or where it comes from
CREDIT = _one_of(
    "fotos?", "bild(?:er|quelle|nachweis|rechte)?", "titelbild", "aufmacherbild", "symbolbild",
    "archivbild", "grafik", "photos?", "images?", "picture", "illustration", "screenshot",
    "quellen?", "sources?", "credits?", "(?:photo|image|picture)[ -]credits?",
    "crédits?(?: photo)?", "foto di", "immagine", "imagen", "foto de", "via", "©", r"\(c\)",
)  # fmt: skip
BY = (
    r"(?:Von|By|Par|Por|Di|Da|Door|Av|Text|Autor(?:in)?|Author|Written by|Geschrieben von"
    r"|Posted by)"
)
#: news agencies as they sign
AGENCY = (
    r"(?-i:(?:dpa|APA|AFP|AP|Reuters|rtr|sda|epd|KNA|SID|ANSA|EFE|Bloomberg|PTI|ANI|IANS|ots|UPI"
    r"|Xinhua|TASS|Lusa|Belga|ANP|NTB|dts|dapd|ddp|CNN|PA|CP|Europa Press|PAP|MTI)\b)"
)
_MONTH = r"janv\.?|févr\.?|mars|avril|mai|juin|juil\.?|août|sept\.?|oct\.?|nov\.?|déc\.?"
_PLACE_PART = (
    r"(?:[A-ZÄÖÜÉ][\w.'\u2019-]*|\d{1,4}\.?|a[nm]|der|den|im|bei|de|la|le|sur|del|di|du|en|el"
    rf"|{_MONTH})"
)
#: where and when: "BERLIN", "Frankfurt am Main", "LONDON, Oct 3", "PARIS, 3 oct 2026"
PLACE = rf"{_PLACE_PART}(?:[ ,/]{{1,2}}{_PLACE_PART}){{0,6}}"
_NAME_PART = (
    r"(?:[^\W\d_a-zß-öø-ÿ][\w.'\u2019-]*|v(?:on|an)(?: der)?|de|del|della|di|da|dos|zu|el|al|la|le)"
)
_NAME = rf"{_NAME_PART}(?: {_NAME_PART}){{1,4}}"
#: people by two to five words each
NAMES = rf"{_NAME}(?:(?:, | und | and | et | y | e | & |/){_NAME}){{0,3}}"
