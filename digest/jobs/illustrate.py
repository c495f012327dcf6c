"""Gives articles the pictures that their newsletter shows: the sites' own, ours, or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from digest.jobs.world import World
from digest.messages.pictures import served_in, served_name
from digest.model.article import Article, Image
from digest.model.newsletter import Newsletter
from digest.store import pictures
from digest.store.engine import Connection


async def illustrate(
    connection: Connection,
    world: World,
    newsletter: Newsletter,
    found: Sequence[Article],
    *,
    linked: bool = False,
) -> list[Article]:
    """The same articles with the pictures that a mail shows; it asks no site.

    Where we serve pictures and hold none of an article, it has none; with `linked`, for the
    operator's own eyes, the site's.
    """
    match newsletter.pictures:
        case "linked":
            return list(found)
        case "none":
            return [replace(each, image=None) for each in found]
        case "served":
            urls = {each.image.url for each in found if each.image}
            held = await pictures.find(connection, urls)
            ours = {url: _ours(world, each) for url, each in held.items()}
            return [_with(each, ours, linked=linked) for each in found]


async def keep_told(
    connection: Connection, world: World, markup: Iterable[str], *, now: datetime
) -> None:
    """Keep for ever the pictures of ours that an edition shows anywhere."""
    sign = partial(world.signer.mark, "served")
    told = {digest for each in markup for digest in served_in(each, sign)}
    await pictures.tell(connection, told, now=now)


def count_linked(world: World, newsletter: Newsletter, found: Iterable[Article]) -> int:
    """How many of these show a site's own picture, though the newsletter serves pictures."""
    if newsletter.pictures != "served":
        return 0
    ours = f"{world.public_url}/pictures/"
    return sum(not each.image.url.startswith(ours) for each in found if each.image)


def _ours(world: World, held: pictures.Held) -> Image:
    name = served_name(held.digest, partial(world.signer.mark, "served"))
    url = f"{world.public_url}/pictures/{name}"
    return Image(url=url, alt="", width=held.width, height=held.height)


def _with(article: Article, ours: dict[str, Image], *, linked: bool) -> Article:
    image = article.image
    if image is None:
        return article
    mine = ours.get(image.url)
    if mine is None:
        return article if linked else replace(article, image=None)
    return replace(article, image=replace(mine, alt=image.alt))
