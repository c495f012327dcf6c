"""Pictures are drawn in a process that may be ended: none of them takes anybody else with it."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from digest.jobs import making
from digest.jobs.making import Maker
from digest.model.picture import NoPicture, Redrawn


def picture() -> bytes:
    out = BytesIO()
    Image.new("RGB", (300, 200), "teal").save(out, "PNG")
    return out.getvalue()


def maker_does(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """What it does instead of drawing."""
    program = f"from digest.jobs import making; making.redraw = {line}; making.serve()"
    monkeypatch.setattr(making, "PROGRAM", program)


async def test_one_process_draws_them_all() -> None:
    async with Maker() as maker:
        assert isinstance(await maker.make(picture()), Redrawn)
        process = maker._process
        assert await maker.make(b"") == NoPicture(reason="it is no picture (JPEG, PNG, WebP, GIF)")
        assert isinstance(await maker.make(picture()), Redrawn)
        assert maker._process is process
    assert maker._process is None


async def test_one_that_takes_for_ever_is_given_up_and_the_next_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Maker() as maker:
        with monkeypatch.context() as patch:
            maker_does(patch, "lambda data: [0 for _ in iter(int, 1)]")
            patch.setattr(making, "SECONDS", 0.3)
            late = await maker.make(picture())
        assert late == NoPicture(reason="drawing it took longer than 0.3 s")
        assert isinstance(await maker.make(picture()), Redrawn)


@pytest.mark.parametrize("line", ["lambda data: bytes(8 << 30)", "lambda data: os._exit(11)"])
async def test_one_that_falls_over_is_no_picture(
    monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    async with Maker() as maker:
        with monkeypatch.context() as patch:
            maker_does(patch, f"(os := __import__('os')) and ({line})")
            made = await maker.make(picture())
        assert made == NoPicture(reason="it cannot be drawn: whoever drew it fell over")
        assert isinstance(await maker.make(picture()), Redrawn)
