"""Turns a page with a style sheet into one whose every element carries its own style.

The only door to premailer. It reads the project's and the operator's templates, into which feeds
put text alone; it never loads anything, from the network or from files.
"""

from __future__ import annotations

import logging
import re
from typing import Final

import cssutils  # type: ignore[import-untyped]  # ships no types
from lxml import etree  # type: ignore[import-untyped]  # ships no types
from premailer import Premailer

_SHEET: Final = re.compile(r"<style\b[^>]*>(.*?)</style", re.DOTALL | re.IGNORECASE)
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_AT_RULE: Final = re.compile(r"@[^\s({;]*")
_INDENT: Final = re.compile(r"\s*\n\s*")
_BASIC_ATTRIBUTES: Final = ["align", "valign", "bgcolor", "width", "height"]

cssutils.log.setLevel(logging.CRITICAL)  # it reports every property newer than CSS 2.1


def inline(html: str) -> str:
    """Return `html` with the rules of its <style> elements moved into style attributes.

    What cannot be inlined stays in <style>: @media rules and :hover, both with `!important`, so
    that they win over the attributes. Comments stay. Raises ValueError at HTML that is none, and
    at any other @-rule: cssutils fetches an @import even where premailer may use no network.
    """
    for sheet in _SHEET.findall(html):
        for rule in _AT_RULE.findall(_COMMENT.sub("", sheet)):
            if rule.lower() != "@media":
                raise ValueError(f"{rule} in a style sheet: only @media can stand there")
    try:
        return _transformed(html)
    except etree.LxmlError as error:
        raise ValueError(f"not HTML that can be read: {error}") from error


def _transformed(html: str) -> str:
    page = Premailer(
        html,
        allow_network=False,
        strip_important=False,  # the default takes the !important out of @media rules
        keep_style_tags=False,  # what stays is what could not be inlined
        align_floating_images=False,
        disable_basic_attributes=_BASIC_ATTRIBUTES,  # it would overwrite width="556" with "100%"
        disable_validation=True,
    ).transform(pretty_print=False)
    return _SHEET.sub(lambda match: _INDENT.sub("", match.group(0)), str(page))
