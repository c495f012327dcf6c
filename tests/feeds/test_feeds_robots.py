"""What a site's robots.txt lets us do, and how long we wait for our turn."""

from __future__ import annotations

import asyncio
import time

import pytest

from digest.feeds.polite import DAY, HOSTS, SOON, Manners
from digest.feeds.robots import MAX_BYTES, read_robots
from digest.model.feed import FeedFailure, Fetched

SITE = "https://news.example"


def may(rules: str, path: str = "/a/page") -> bool:
    return read_robots(rules.encode()).allows(SITE + path)


# --------------------------------------------------------------- the rules (RFC 9309)


def test_an_empty_file_allows_everything() -> None:
    assert may("")
    assert may("\ufeff# nothing\n")


def test_what_is_meant_for_all_is_meant_for_us() -> None:
    assert not may("User-agent: *\nDisallow: /a/")
    assert may("User-agent: *\nDisallow: /b/")


def test_who_speaks_to_us_by_name_is_heard_before_who_speaks_to_all() -> None:
    rules = "User-agent: *\nDisallow: /\n\nUser-agent: {}\nAllow: /"
    assert may(rules.format("Digest"))
    assert may(rules.format("digest/1.0"))
    assert not may(rules.format("digestive"))
    assert not may(rules.format("otherbot"))


def test_groups_of_others_do_not_count() -> None:
    assert may("User-agent: otherbot\nUser-agent: third\nDisallow: /")
    assert not may("User-agent: otherbot\nUser-agent: *\nDisallow: /")


def test_the_longest_rule_wins_and_patterns_are_known() -> None:
    rules = "User-agent: *\nDisallow: /a\nAllow: /a/p\nDisallow: /*.pdf$"
    assert may(rules, "/a/page")
    assert not may(rules, "/a/other")
    assert not may(rules, "/x/y.pdf")
    assert may(rules, "/x/y.pdf?z")


@pytest.mark.parametrize(
    ("asked", "delay"), [("", 1), ("0.2", 1), ("4", 4), ("86400", 10), ("nan", 1), ("soon", 1)]
)
def test_a_crawl_delay_counts_up_to_ten_seconds(asked: str, delay: float) -> None:
    assert read_robots(f"User-agent: *\nCrawl-delay: {asked}\n".encode()).delay == delay


def test_what_no_person_wrote_is_read_all_the_same() -> None:
    assert may("\x00\xff\nUser-agent\n: :\nDisallow\n" * 50)
    assert read_robots(bytes(range(256)) * 1000).allows(SITE)


@pytest.mark.parametrize(
    "rules",
    [
        "".join(f"user-agent: a{n}\n" for n in range(16_000))
        + "".join(f"allow:/{n}\n" for n in range(24_000)),
        "user-agent: *\n" + "disallow: /*a*a*a*a*a*a*a*a*a*a*a*a*b\n" * 12_000,
        "user-agent: *\ndisallow: /" + "*a" * 250_000,
    ],
    ids=["agents times rules", "wildcards", "one long pattern"],
)
def test_a_hostile_file_costs_little(rules: str) -> None:
    began = time.process_time()
    assert read_robots(rules.encode()).allows(SITE + "/" + "a" * 2000)
    assert time.process_time() - began < 5


def test_what_lies_behind_half_a_megabyte_is_not_read() -> None:
    padding = "# padding\n" * (MAX_BYTES // 10 + 1)
    assert may(padding + "User-agent: *\nDisallow: /")


# --------------------------------------------------------------- whose turn it is


class Stand:
    """A site's robots.txt, a clock, and who waited."""

    def __init__(self, *answers: Fetched | FeedFailure) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.at = 0.0
        self.waited: list[float] = []
        self.manners = Manners(self.ask, now=lambda: self.at, pause=self.pause)

    async def ask(self, url: str) -> Fetched | FeedFailure:
        self.asked.append(url)
        await asyncio.sleep(0)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def pause(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.at += seconds

    async def wait(self, url: str = SITE + "/a/page", *, robots: bool = True) -> str | None:
        return await self.manners.wait(url, robots=robots)


def file(text: str) -> Fetched:
    return Fetched(body=text.encode(), url=SITE, content_type=None, etag=None, last_modified=None)


async def test_one_host_is_asked_once_a_second() -> None:
    stand = Stand(file(""))
    assert [await stand.wait() for _ in range(3)] == [None] * 3
    assert stand.waited == [1, 1]
    stand.at += 10
    await stand.wait()
    assert stand.waited == [1, 1]


async def test_pages_that_are_asked_at_once_come_in_turn_after_one_look_at_the_rules() -> None:
    stand = Stand(file("User-agent: *\nCrawl-delay: 3"))
    turns: list[float] = []

    async def note(seconds: float) -> None:
        turns.append(seconds)

    stand.manners = Manners(stand.ask, now=lambda: 0.0, pause=note)
    await asyncio.gather(*(stand.wait() for _ in range(4)))
    assert turns == [3, 6, 9]
    assert stand.asked == [SITE + "/robots.txt"]


async def test_hosts_do_not_wait_for_each_other() -> None:
    stand = Stand(file(""))
    for host in ("a", "b", "c"):
        await stand.wait(f"https://{host}.example/")
    assert stand.waited == []


async def test_nobody_waits_for_this_computer() -> None:
    stand = Stand(file(""))
    for _ in range(3):
        await stand.wait("http://127.0.0.1:8080/feed")
    assert stand.waited == []


async def test_a_refusal_names_its_reason() -> None:
    stand = Stand(file("User-agent: *\nDisallow: /a"))
    assert await stand.wait() == "robots.txt of news.example asks robots not to read this"
    assert await stand.wait(robots=False) is None


@pytest.mark.parametrize("status", [301, 401, 403, 404, 410, 451])
async def test_where_there_is_no_such_file_everything_is_allowed(status: int) -> None:
    stand = Stand(FeedFailure(reason=f"HTTP {status}", status=status))
    assert await stand.wait() is None
    stand.at += DAY - 5
    await stand.wait()
    assert len(stand.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 503, None])
async def test_where_nobody_can_say_nothing_is_allowed_for_now(status: int | None) -> None:
    stand = Stand(FeedFailure(reason="HTTP 503 Later", status=status), file(""))
    assert await stand.wait() == "robots.txt cannot be had: HTTP 503 Later"
    assert await stand.wait() is not None
    assert len(stand.asked) == 1
    stand.at += SOON
    assert await stand.wait() is None


async def test_rules_are_good_for_a_day() -> None:
    stand = Stand(file("User-agent: *\nDisallow: /"), file(""))
    assert await stand.wait() is not None
    stand.at += DAY - 1
    assert await stand.wait() is not None
    stand.at += 2
    assert await stand.wait() is None


async def test_only_so_many_hosts_are_remembered() -> None:
    stand = Stand(file(""))
    for n in range(HOSTS + 50):
        await stand.wait(f"https://h{n}.example/")
    assert len(stand.manners._hosts) == HOSTS
    await stand.wait("https://h0.example/")
    assert len(stand.asked) == HOSTS + 51


async def test_the_file_itself_is_asked_for_once() -> None:
    stand = Stand(file("Sitemap: https://news.example/map.xml"), file("another"))
    await stand.wait()
    answer = await stand.manners.robots_txt(SITE + "/robots.txt")
    assert answer == file("Sitemap: https://news.example/map.xml")
    assert (len(stand.asked), stand.waited) == (1, [])


async def test_a_long_file_is_not_kept() -> None:
    long = file("# padding\n" * 10_000)
    stand = Stand(long)
    await stand.wait()
    assert await stand.manners.robots_txt(SITE + "/robots.txt") == long
    assert len(stand.asked) == 2
