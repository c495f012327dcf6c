"""Turns a link that asks for one change into a page with one button that says what will happen.

It changes nothing. What cannot be asked for leads to the settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.jobs import prefer
from digest.jobs.decide import WEEKS, Refusal, without
from digest.web.answer import world_of
from digest.web.reader import (
    is_active,
    pause_end,
    reader_page,
    settings_page,
    title_of_topic,
    words_of_return,
)
from digest.web.sections import next_edition, section

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.responses import Response

    from digest.jobs.prefer import Reader


def show_control(request: Request, reader: Reader) -> Response:
    """The page for `?do=…`, or the settings."""
    asked = request.query_params
    match asked.get("do"):
        case "frequency":
            return _ask_frequency(request, reader, asked.get("frequency", ""))
        case "pause":
            return _ask_pause(request, reader, asked.get("weeks", ""))
        case "less":
            return _ask_less(request, reader, asked.get("topic", ""))
        case "return":
            return _ask_return(request, reader)
        case "erase":
            return reader_page(request, reader, "control", do="erase")
        case _:
            return settings_page(request, reader)


def _ask_frequency(request: Request, reader: Reader, name: str) -> Response:
    newsletter = prefer.offer(world_of(request), reader.named)
    schedule = newsletter.schedule(name) if newsletter else None
    if newsletter is None or schedule is None or not is_active(reader.named):
        return settings_page(request, reader, refused=Refusal.FREQUENCY)
    if name == section(world_of(request), reader, reader.named).frequency:
        return settings_page(request, reader)
    now = world_of(request).clock()
    will = next_edition(newsletter, schedule, reader.named, now=now)
    return reader_page(request, reader, "control", do="frequency", frequency=name, will=will)


def _ask_pause(request: Request, reader: Reader, weeks: str) -> Response:
    chosen = int(weeks) if weeks in map(str, WEEKS) else 4
    until = pause_end(request, reader.named, str(chosen), None)
    if not is_active(reader.named):
        return settings_page(request, reader)
    return reader_page(request, reader, "control", do="pause", weeks=chosen, until=until)


def _ask_less(request: Request, reader: Reader, topic: str) -> Response:
    newsletter = prefer.offer(world_of(request), reader.named)
    rest = without(newsletter, reader.named.topics, topic)
    if newsletter is None or isinstance(rest, Refusal) or not is_active(reader.named):
        refused = rest if isinstance(rest, Refusal) else Refusal.TOPIC
        return settings_page(request, reader, refused=refused)
    if rest == reader.named.topics:
        return settings_page(request, reader)  # it is so already
    title = title_of_topic(newsletter, topic)
    return reader_page(
        request, reader, "control", do="less", topic=topic, topic_title=title, rest=rest
    )


def _ask_return(request: Request, reader: Reader) -> Response:
    if reader.named.id not in reader.returning:
        return settings_page(request, reader)
    asked = request.query_params
    newsletter = prefer.offer(world_of(request), reader.named)
    schedule = newsletter.schedule(asked.get("frequency", "")) if newsletter else None
    weeks = asked.get("weeks", "")
    return reader_page(
        request,
        reader,
        "control",
        do="return",
        words=words_of_return(request, reader.named),
        frequency=schedule.name if schedule else None,
        weeks=weeks if weeks in map(str, WEEKS) else None,
    )
