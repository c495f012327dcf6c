"""A newsletter: a publication that people subscribe to, as `newsletters.toml` describes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from digest.model.follow import FOLLOWS_ONLY
from digest.model.look import Look
from digest.model.policy import Approval, Ranking, SearchEngine, SectionRule, Sponsor, Support


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
    #: how much its articles count beside those of others; 1 is usual
    weight: float = 1.0
    #: take only what a topic of the newsletter is about
    only_topics: bool = False


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
    #: addresses of feeds whose articles belong to it
    feeds: tuple[str, ...] = ()
    #: words and phrases that speak against it
    without: tuple[str, ...] = ()
    #: how much some of the words, categories and feeds say; 1 where nothing is said here
    weights: Mapping[str, float] = field(default_factory=dict)
    #: how much they have to say together
    needs: float = 1.0
    #: how much the topic counts for an article's rank
    weight: float = 1.0


Pictures = Literal["linked", "served", "none"]

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
    ranking: Ranking = field(default_factory=Ranking)
    #: in the order in which sections follow upon the main one; others come behind them
    sections: tuple[SectionRule, ...] = ()
    #: how long reading one mail may take; None: as long as it takes
    minutes: int | None = None
    #: how old an article may be that found no room and comes in the next edition instead
    leftovers: timedelta = timedelta(hours=48)
    sponsors: tuple[Sponsor, ...] = ()
    #: how many sponsors one edition may have
    sponsor_limit: int = 1
    support: Support | None = None
    #: where one may look further for each story; empty: no such links
    search: tuple[SearchEngine, ...] = ()
    #: None: nobody looks at a draft before it goes out
    approval: Approval | None = None
    #: whether readers may ask for news like an article
    follow: bool = True
    #: what the operator says about the theme's colours, fonts and logo
    look: Look = field(default_factory=Look)
    #: where readers' programs get pictures: from the sites that show them, from us, or not at all
    pictures: Pictures = "linked"

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
        return (*(each.name for each in self.schedules), FOLLOWS_ONLY)

    def section_rule(self, title: str | None) -> SectionRule | None:
        """What the operator says about a section, or None."""
        return next((each for each in self.sections if each.title == title), None)

    @property
    def list_id(self) -> str:
        """The List-Id without its angle brackets, the same for ever (RFC 2919)."""
        return f"{self.slug}.{self.sender.domain}"
