"""A newsletter: a publication that people subscribe to, as `newsletters.toml` describes it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who the mail comes from: a display name and an address with an ASCII domain."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """The part after the @, in lower case."""
        return self.address.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSource:
    """A feed of a newsletter; `section` names the part of the edition its articles stand in."""

    url: str
    section: str | None = None
    #: the feed carries teasers only: the text is taken from each article's page
    full_text: bool = False
    #: obey the site's robots.txt for everything but the feed itself; false where the site is ours
    robots: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A rhythm that a reader may choose: its name, and a cron line in the newsletter's zone."""

    name: str
    cron: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A part of a newsletter's news that a reader may choose, and how its articles are known."""

    #: lower-case letters, digits and hyphens: what links and records name
    name: str
    title: str
    #: categories of articles, compared without regard to case
    categories: tuple[str, ...] = ()
    #: words and phrases in titles and excerpts, whole and without regard to case
    words: tuple[str, ...] = ()
    #: sections of the newsletter whose articles belong to it
    sections: tuple[str, ...] = ()


#: what no topic is about, as a choice
OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsletter:
    """A publication that people subscribe to."""

    slug: str
    title: str
    description: str
    sender: Sender
    reply_to: str | None
    language: str
    #: an IANA name; schedules are read in it
    timezone: str
    theme: str
    #: name and postal address for the imprint of each mail
    address: str
    imprint_url: str | None
    feeds: tuple[FeedSource, ...]
    #: the first is the default
    schedules: tuple[Schedule, ...]
    #: how many articles one edition may hold
    limit: int
    #: what a reader may choose from; empty: there is no choice
    topics: tuple[Topic, ...] = ()

    @property
    def default_schedule(self) -> Schedule:
        """The rhythm of a reader who chose none."""
        return self.schedules[0]

    def schedule(self, name: str) -> Schedule | None:
        """The rhythm of that name, or None."""
        return next((each for each in self.schedules if each.name == name), None)

    def choose(self, names: Collection[str]) -> tuple[str, ...]:
        """These topics as a choice: only what is offered, in alphabetical order.

        Empty means everything, for somebody who names nothing that we offer or all of it.
        """
        offered = {each.name for each in self.topics} | {OTHER} if self.topics else set()
        chosen = offered & set(names)
        return () if chosen == offered else tuple(sorted(chosen))

    def takes_in_others_than(self, schedule: Schedule) -> tuple[str, ...]:
        """The frequencies whose lack makes a reader this rhythm's; none but for the default one.

        Whoever chose a rhythm that is no longer offered reads the default: nobody is left out.
        """
        if schedule != self.default_schedule:
            return ()
        return tuple(each.name for each in self.schedules)

    @property
    def list_id(self) -> str:
        """The List-Id without its angle brackets, the same for ever (RFC 2919)."""
        return f"{self.slug}.{self.sender.domain}"
