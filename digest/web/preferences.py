"""Turns the signed link of a reader into the page with his settings, and what he sends into them.

GET and HEAD never change anything, because scanners open every link: a link that asks for a change
leads to a page with one button.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from digest.jobs import forget, move, prefer, spool
from digest.jobs.decide import Form, Refusal, offered
from digest.web.answer import field, language_of, page, read_form, world_of
from digest.web.controls import show_control
from digest.web.reader import (
    is_active,
    pause_end,
    reader_page,
    settings_page,
    title_of_topic,
    token_of,
    words_of_move,
    words_of_return,
)

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.datastructures import FormData

    from digest.model.subscriber import Subscription

_DOOR: Final = "web"
_UNPROCESSABLE: Final = 422
_Act = Callable[["Request", "FormData"], Awaitable[Response]]


def add_preferences(web: FastAPI) -> None:
    """Add the page behind the link to a reader's settings."""
    web.add_route("/preferences/{token}", show_preferences, methods=["GET"])
    web.add_route("/preferences/{token}", change_preferences, methods=["POST"])


async def show_preferences(request: Request) -> Response:
    """What can be chosen and what is; or, for a link that asks for one change, its one button."""
    reader = await prefer.look(world_of(request), token_of(request))
    return show_control(request, reader)


async def change_preferences(request: Request) -> Response:
    """The choice is taken; one that we do not offer leaves things as they are, and is said."""
    form = await read_form(request)
    # somebody who wanted to leave while the database was away, and wants something else now
    await spool.apply(world_of(request))
    act = _ACTS.get(field(form, "do") or "save")
    if act is None:
        return await _as_it_is(request, refused=Refusal.UNKNOWN)
    return await act(request, form)


async def _save(request: Request, form: FormData) -> Response:
    shown = "topics" in form
    ticked = tuple(each for each in form.getlist("topic") if isinstance(each, str))
    filled = Form(
        frequency=field(form, "frequency"),
        topics=ticked if shown else None,
        hour=_text(form, "hour"),
        language=field(form, "language"),
        timezone=_text(form, "timezone"),
    )
    done = await prefer.save(world_of(request), token_of(request), filled, door=_DOOR)
    if isinstance(done, Refusal):
        return await _as_it_is(request, refused=done)
    return await _as_it_is(request, told="all topics" if shown and not ticked else "saved")


async def _frequency(request: Request, form: FormData) -> Response:
    before = await prefer.look(world_of(request), token_of(request))
    wanted = Form(frequency=field(form, "frequency") or "")
    done = await prefer.save(world_of(request), token_of(request), wanted, door=_DOOR)
    undo = {"do": "frequency", "frequency": before.named.frequency}
    return await _done(request, form, done, told="frequency", undo=undo)


async def _pause(request: Request, form: FormData) -> Response:
    world, token = world_of(request), token_of(request)
    found = (await prefer.look(world, token)).named
    until = pause_end(request, found, field(form, "weeks"), field(form, "until"))
    if isinstance(until, Refusal):
        return await _as_it_is(request, refused=until)
    done = await prefer.pause(world, token, until=until, door=_DOOR)
    return await _done(request, form, done, told="pause", undo={"do": "resume"})


async def _resume(request: Request, form: FormData) -> Response:
    done = await prefer.pause(world_of(request), token_of(request), until=None, door=_DOOR)
    return await _done(request, form, done, told="resume")


async def _less(request: Request, form: FormData) -> Response:
    world, topic = world_of(request), field(form, "topic") or ""
    before = (await prefer.look(world, token_of(request))).named
    done = await prefer.less(world, token_of(request), topic, door=_DOOR)
    title = title_of_topic(prefer.offer(world, before), topic)
    undo = {"do": "save", "topics": "shown", "topic": before.topics or _all_topics(request, before)}
    return await _done(request, form, done, told="less", undo=undo, topic_title=title)


def _all_topics(request: Request, found: Subscription) -> tuple[str, ...]:
    newsletter = prefer.offer(world_of(request), found)
    return tuple(sorted(offered(newsletter))) if newsletter else ()


async def _return(request: Request, form: FormData) -> Response:
    world, token = world_of(request), token_of(request)
    found = (await prefer.look(world, token)).named
    weeks, until = field(form, "weeks"), field(form, "until")
    end = pause_end(request, found, weeks, until) if weeks or until else None
    if isinstance(end, Refusal):
        return await _as_it_is(request, refused=end)
    done = await prefer.come_back(
        world,
        token,
        frequency=field(form, "frequency"),
        until=end,
        words=words_of_return(request, found),
        language=language_of(request, prefer.offer(world, found)),
        door=_DOOR,
    )
    return await _done(request, form, done, told="return")


async def _leave(request: Request, _: FormData) -> Response:
    await prefer.leave_all(world_of(request), token_of(request), door=_DOOR)
    return await _as_it_is(request, told="left")


async def _move(request: Request, form: FormData) -> Response:
    world, token, address = world_of(request), token_of(request), field(form, "address") or ""
    reader = await prefer.look(world, token)
    if not is_active(reader.named):
        return await _as_it_is(request, refused=Refusal.GONE)
    newsletter = prefer.offer(world, reader.named)
    language = language_of(request, newsletter)
    words = words_of_move(language)
    await move.ask(world, token, address=address, words=words, language=language, door=_DOOR)
    # the same, whatever we know of that address: nobody finds out here who reads what
    return reader_page(request, reader, "moving", address=address)


async def _export(request: Request, _: FormData) -> Response:
    world = world_of(request)
    found = (await prefer.look(world, token_of(request))).named
    held = await forget.export_person(world, subscriber_id=found.subscriber.id)
    text = json.dumps(held, ensure_ascii=False, indent=2) + "\n"
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
    return Response(text, media_type="application/json", headers=headers)


async def _erase(request: Request, _: FormData) -> Response:
    world = world_of(request)
    reader = await prefer.look(world, token_of(request))
    await forget.erase_person(world, subscriber_id=reader.named.subscriber.id, door=_DOOR)
    return page(request, "erased", newsletter=prefer.offer(world, reader.named))


_ACTS: Final[dict[str, _Act]] = {
    "save": _save,
    "frequency": _frequency,
    "pause": _pause,
    "resume": _resume,
    "less": _less,
    "return": _return,
    "leave": _leave,
    "move": _move,
    "export": _export,
    "erase": _erase,
}


def _text(form: FormData, name: str) -> str | None:
    """The text of a field, which may be empty; None where the form did not have it."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else None


async def _done(
    request: Request,
    form: FormData,
    done: Subscription | Refusal,
    *,
    told: str,
    undo: dict[str, Any] | None = None,
    **facts: Any,
) -> Response:
    """What came of one change: a page of its own, or the settings where it was made there."""
    if isinstance(done, Refusal):
        return await _as_it_is(request, refused=done)
    reader = await prefer.look(world_of(request), token_of(request))
    if field(form, "at") == "settings":
        return settings_page(request, reader, told=told)
    return reader_page(request, reader, "done", told=told, undo=undo, **facts)


async def _as_it_is(
    request: Request, *, told: str | None = None, refused: Refusal | None = None
) -> Response:
    reader = await prefer.look(world_of(request), token_of(request))
    status = 200 if refused is None else _UNPROCESSABLE
    return settings_page(request, reader, told=told, refused=refused, status=status)
