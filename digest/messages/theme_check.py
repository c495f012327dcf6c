"""Turns a theme into findings: what it cannot mean, what mail programs lack, what may not be sent.

It writes a sample with everything in it and looks at what came out. What would break the law or
one-click is `unlawful`, and refused at the start of the service.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from digest.errors import TemplateFault
from digest.messages.cascade import Screen, elements, read_mail, styles
from digest.messages.check_contrast import drawn
from digest.messages.checks import check_mail, in_order
from digest.messages.theme_css import check_css
from digest.messages.theme_samples import LINKS, OFFER, try_theme
from digest.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digest.messages.render import Renderer
    from digest.messages.theme_samples import Tried
    from digest.model.newsletter import Newsletter

_SCREENS: Final = (Screen(width=680, dark=False), Screen(width=680, dark=True))
#: contrast and CSS pixels below which nobody reads a text that the law wants to be read
_SEEN: Final = (2.0, 9.0)
_ACTIVE: Final = ("script", "iframe", "object", "embed", "form", "input", "button", "link", "base")
#: words that mark an advertisement (for Germany: UWG section 5a(4))
_MARKS: Final = ("anzeige", "werbung", "advertisement", "sponsored", "gesponsert")
#: CSS pixels: what is no larger is there to be counted
_DOT: Final = 2
_EXPRESSION: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_STATEMENT: Final = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_QUOTED: Final = 80


def check_theme(renderer: Renderer, newsletter: Newsletter) -> tuple[Finding, ...]:
    """All findings about the newsletter's theme, in German and in English, the gravest first."""
    theme = newsletter.theme
    found: list[Finding] = [*_unknown(renderer, theme)]
    css = _EXPRESSION.sub("1", _STATEMENT.sub("", renderer.source_of(theme, "style.css")))
    found += check_css(css, "style.css")
    for language in ("de", "en"):
        try:
            tried = try_theme(renderer, newsletter, language)
        except TemplateFault as fault:
            found.append(Finding(level="error", what=str(fault), where=theme))
            break
        found += _unlawful(tried, newsletter)
        found += (each for each in check_mail(tried.mail, language="en") if each.level != "ok")
    return in_order(list(dict.fromkeys(found)))


def refuse_unlawful(renderer: Renderer, newsletter: Newsletter) -> None:
    """Raise TemplateFault for an operator's theme that would break the law or one-click.

    A theme all of whose files are ours is believed: tests have looked at it.
    """
    if renderer.places.is_ours(newsletter.theme):
        return
    tried = try_theme(renderer, newsletter, newsletter.language)
    for each in _unlawful(tried, newsletter):
        raise TemplateFault(f"theme {newsletter.theme}: {each.where}: {each.what}: {each.do}")


def _unknown(renderer: Renderer, theme: str) -> Iterator[Finding]:
    """Names that nobody fills in, also in branches that the sample does not take."""
    for part in ("subject.txt", "body.txt", "body.html", "style.css"):
        for name, line in renderer.unknown_names(theme, part):
            what = f"{name}: no theme gets that"
            yield _error(what, f"{part}:{line}", "docs/theming.md has all names")


def _unlawful(tried: Tried, newsletter: Newsletter) -> Iterator[Finding]:
    tree = read_mail(tried.mail.html)
    yield from _without_way_out(tried, tree)
    yield from _without_sender(tried, tree, newsletter)
    yield from _without_mark(tried, tree)
    yield from _active(tree)
    yield from _spying(tree)


def _without_way_out(tried: Tried, tree: Any) -> Iterator[Finding]:
    """RFC 8058 is about the header; people look for the link (GDPR article 7(3))."""
    do = 'show <a href="{{ slot.unsubscribe }}"> with words of its own, between the mail marks'
    links = [each for each in tree.iter("a") if each.get("href") == LINKS.unsubscribe]
    seen = _seen(tree)
    if not links:
        yield _error("no link to unsubscribe, or its address was changed", "body.html", do)
    elif not any(" ".join(each.text_content().split()) in seen for each in links):
        yield _error("the link to unsubscribe cannot be seen", "body.html", do)
    if LINKS.unsubscribe not in tried.mail.text.split():
        what = "no address to unsubscribe, or it was changed"
        yield _error(what, "body.txt", "write {{ slot.unsubscribe }} on a line of its own")


def _without_sender(tried: Tried, tree: Any, newsletter: Newsletter) -> Iterator[Finding]:
    do = "write {{ newsletter.address }} where it can be read"
    address = "".join(newsletter.address.split())
    if address not in "".join("".join(_seen(tree)).split()):
        yield _error("the postal address cannot be seen", "body.html", do)
    if address not in "".join(tried.mail.text.split()):
        yield _error("the postal address is missing", "body.txt", do)


def _without_mark(tried: Tried, tree: Any) -> Iterator[Finding]:
    do = 'write {{ _("Advertisement") }} above each of contents.sponsors, where it can be read'
    piece = " ".join(read_mail(tried.offer_html or "<p></p>").text_content().split()).lower()
    seen = " ".join(_seen(tree)).lower()
    if OFFER.lower() in seen and not any(each in piece and each in seen for each in _MARKS):
        yield _error("an advertisement is not marked as one", "body.html", do)
    if OFFER in tried.offer_text and not any(e in tried.offer_text.lower() for e in _MARKS):
        yield _error("an advertisement is not marked as one", "body.txt", do)


def _active(tree: Any) -> Iterator[Finding]:
    for each in elements(tree):
        refreshes = each.tag == "meta" and (each.get("http-equiv") or "").lower() == "refresh"
        if each.tag in _ACTIVE or refreshes:
            yield _error(f"<{each.tag}> runs, loads or asks", "body.html", "take it out")
        for name, value in each.attrib.items():
            scheme = "".join(value.split()).lower()
            leads = name in ("href", "src", "action") and re.match(
                r"(javascript|vbscript|data):", scheme
            )
            if name.lower().startswith("on") or leads:
                what = f'{name}="{value[:_QUOTED]}" runs in a mail'
                yield _error(what, "body.html", "take it out")


def _spying(tree: Any) -> Iterator[Finding]:
    """Pictures that nobody sees tell somebody who reads (for Germany: TDDDG section 25)."""
    do = "take it out: who reads what is nobody's business"
    hidden = [_hidden(tree, screen) for screen in _SCREENS]
    for each in tree.iter("img"):
        sizes = [each.get(side, "") for side in ("width", "height")]
        dot = any(size.isdecimal() and int(size) <= _DOT for size in sizes)
        if dot or all(each in of_screen for of_screen in hidden):
            yield _error(
                f"a picture that nobody sees: {each.get('src', '')[:_QUOTED]}", "body.html", do
            )
    for element in elements(tree):
        if "url(" in (element.get("style") or "").lower() or element.get("background"):
            yield _error("a background is loaded from elsewhere", "body.html", do)
            return
    if any("url(" in (each.text or "").lower() for each in tree.iter("style")):
        yield _error("a style sheet loads something", "style.css", do)


def _hidden(tree: Any, screen: Screen) -> set[Any]:
    """The elements that are not shown on a screen, with all that is in them."""
    declared = styles(tree, screen)
    found: set[Any] = set()
    for each in elements(tree):
        said = declared[each]
        none = said.get("display") == "none" or said.get("visibility") == "hidden"
        if none or said.get("opacity") == "0" or each.getparent() in found:
            found.add(each)
    return found


def _seen(tree: Any) -> list[str]:
    """The texts that can be read, in light and in dark alike."""
    least, smallest = _SEEN
    both: list[list[str]] = []
    for screen in _SCREENS:
        shown = (
            each.text
            for each in drawn(tree, screen)
            if each.ink.size >= smallest and (each.contrast is None or each.contrast >= least)
        )
        both.append(list(shown))
    light, dark = both
    return [each for each in light if each in set(dark)]


def _error(what: str, where: str, do: str) -> Finding:
    return Finding(level="error", what=what, where=where, do=do)
