"""Turns an entry's addresses into ones that a mail may link to, and tells when two are one page."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from digest.model.feed import Entry

_MAX_URL = 2000
# RFC 3986 has no place for these; the rest of what a publisher wrote stays as it is.
_UNSAFE = re.compile(
    r"[\x00-\x20\x7f-\x9f\"<>\\^`{|}\u2028\u2029\u200b-\u200f\u202a-\u202e\ufeff\ud800-\udfff]"
)
_TRACKING = re.compile(
    r"(?:utm_[^=]*|fbclid|gclid|dclid|msclkid|yclid|igshid|mc_cid|mc_eid|_hsenc|_hsmi|mkt_tok"
    r"|wt_mc|ocid|cmpid|at_medium|at_campaign|xtor|vero_id|oly_anon_id|oly_enc_id|ns_campaign"
    r"|ns_mchannel|ns_source|ns_linkname)(?:=|$)",
    re.IGNORECASE,
)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def web_url(url: str | None) -> str | None:
    """`url`, made fit to be linked to, or None.

    None unless it is an absolute http or https address without credentials.
    """
    if not url or len(url) > _MAX_URL:
        return None
    cleaned = _UNSAFE.sub(lambda match: quote(match[0], errors="replace"), url.strip())
    try:
        parts = urlsplit(cleaned)
        usable = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return cleaned if usable and "%" not in parts.netloc else None


def link_of(entry: Entry) -> str | None:
    """Where the entry leads: its link, else its guid if that is an address; None without either."""
    return web_url(entry.link) or web_url(entry.guid)


def canonical(url: str, *, fragment: bool = False) -> str:
    """What two spellings of one page have in common: no scheme, no tracking, host in lower case.

    `url` comes from `web_url`. The fragment is kept if asked for, where it tells entries apart.
    """
    parts = urlsplit(url)
    host = parts.netloc.lower().removesuffix(_DEFAULT_PORTS[parts.scheme])
    query = "&".join(each for each in parts.query.split("&") if not _TRACKING.match(each))
    page = f"{host}{parts.path or '/'}" + (f"?{query}" if query else "")
    return f"{page}#{parts.fragment}" if fragment and parts.fragment else page
