"""Turns an entry's addresses into ones that a mail may link to, and tells when two are one page.

What readers get carries no tracking; what articles are known by never changes with what we learn
about tracking, or old ones would come again: `canonical` has a list of its own, which stays.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from digest.model.feed import Entry

_MAX_URL = 2000
# RFC 3986 has no place for these; the rest of what a publisher wrote stays as it is.
_UNSAFE = re.compile(
    r"[\x00-\x20\x7f-\x9f\"<>\\^`{|}\u2028\u2029\u200b-\u200f\u202a-\u202e\ufeff\ud800-\udfff]"
)
#: what `canonical` leaves out; changing it makes new articles of old ones
_TRACKING = re.compile(
    r"(?:utm_[^=]*|fbclid|gclid|dclid|msclkid|yclid|igshid|mc_cid|mc_eid|_hsenc|_hsmi|mkt_tok"
    r"|wt_mc|ocid|cmpid|at_medium|at_campaign|xtor|vero_id|oly_anon_id|oly_enc_id|ns_campaign"
    r"|ns_mchannel|ns_source|ns_linkname)(?:=|$)",
    re.IGNORECASE,
)
# Only what surely tracks: a name that some system of analysis made its own, ...
_FOLLOWS = re.compile(
    r"(?:amp;)*(?:utm_[^=]*|(?:fb|g|d|y|tw|tt)clid|msclkid|irclickid|gbraid|wbraid|gclsrc"
    r"|fb_(?:action_ids|action_types|source|ref)|igsh(?:id)?|li_fat_id|rdt_cid|s_kwcid"
    r"|mc_[ce]id|_hs(?:enc|mi)|__hs(?:fp|sc|tc)|mkt_tok|wt[._](?:mc(?:_\w+)?|zmc|cc\d|t|ga)"
    r"|ocid|cmpid|ncid|icid|maca|xtor|at_(?:medium|campaign\w*|custom\d|creation|variant|format"
    r"|link_\w+|ptr_\w+|bbc_team)|vero_(?:id|conv)|oly_(?:anon|enc)_id|ns_(?:campaign|mchannel"
    r"|source|linkname|fee)|(?:pk|mtm|piwik|matomo)_[a-z_]+|_ga|_gl|_openstat|guccounter"
    r"|guce_referr\w*|mibextid|s_cid|ref_src|__twitter_impression)(?:=|$)",
    re.IGNORECASE,
)
#: ... or one of many uses whose value says that the link was taken from a feed
_FROM_FEED = re.compile(
    r"(?:amp;)*(?:ref|referrer|referer|source|src|from|via|partner|emc|origin|campaign|cmp|ftag"
    r"|traffic_source|feature)=(?:rss|atom|feed|(?:rss|atom|feed)[-_.+][-\w.+]*|rss\d\w*"
    r"|[-\w.]*[-_.]rss)$|ftag=rss\w*$",
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


def untracked(url: str) -> str:
    """`url` without what only tells who came from where: in its query, and in its fragment.

    Everything else stays as its publisher wrote it: `?p=`, `?id=`, `?page=`, `#section`.
    """
    page, hash_, fragment = url.partition("#")
    path, mark, query = page.partition("?")
    if mark:
        query = "&".join(each for each in query.split("&") if not _is_tracking(each))
        page = f"{path}?{query}" if query else path
    if hash_ and fragment and all(_is_tracking(each) for each in fragment.split("&")):
        return page
    return page + hash_ + fragment


def _is_tracking(parameter: str) -> bool:
    return bool(_FOLLOWS.match(parameter) or _FROM_FEED.match(parameter))


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
