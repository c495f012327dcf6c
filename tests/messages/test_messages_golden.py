"""What our themes write, and what it looks like, was reviewed by eye, and stays so until renewed.

    DIGEST_RENEW=1 pytest tests/messages/test_messages_golden.py

writes the files anew; look at the difference, and at the pictures, before you keep them.
"""

from __future__ import annotations

import difflib
import os
from io import BytesIO
from pathlib import Path
from typing import Literal

import pytest
from browsing import browser, needs_chromium
from message_samples import ADDRESS, LINKS
from PIL import Image, ImageChops, ImageStat
from test_messages_built_in_themes import THEMES, made

from digest.messages.assemble import assemble

GOLDEN = Path(__file__).with_name("golden")
RENEW = bool(os.environ.get("DIGEST_RENEW"))
#: CSS pixels a picture keeps: enough to see what moved, too few to see how letters are drawn
_WIDE = 120
#: of 255, the mean difference of a pixel that fonts of another version make
_CLOSE = 9.0


@pytest.mark.parametrize("hostile", [False, True], ids=["ordinary", "hostile"])
@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("theme", THEMES)
def test_a_mail_is_written_as_it_was_reviewed(theme: str, language: str, *, hostile: bool) -> None:
    html, text = assemble(
        made(theme, 16 if hostile else 8, language=language, hostile=hostile),
        LINKS,
        address=ADDRESS,
    )
    name = f"{theme}-{language}-{'hostile' if hostile else 'ordinary'}"
    _compare(GOLDEN / f"{name}.html", html)
    if theme == "plain":  # the others say the same text
        _compare(GOLDEN / f"{name}.txt", text)


def _compare(path: Path, made_now: str) -> None:
    if RENEW:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(made_now.encode())
    kept = path.read_bytes().decode()
    if kept != made_now:
        told = difflib.unified_diff(
            kept.splitlines(), made_now.splitlines(), path.name, "now", lineterm="", n=1
        )
        pytest.fail("\n".join([*list(told)[:60], "DIGEST_RENEW=1 writes it anew"]))


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("theme", THEMES)
async def test_a_mail_looks_as_it_was_reviewed(
    theme: str, scheme: Literal["light", "dark"]
) -> None:
    html, _ = assemble(made(theme, 8), LINKS, address=ADDRESS)
    async with browser() as chromium:
        context = await chromium.new_context(color_scheme=scheme)
        page = await context.new_page()
        for width in (375, 680):
            await page.set_viewport_size({"width": width, "height": 900})
            await page.set_content(html, wait_until="commit")
            shot = Image.open(BytesIO(await page.screenshot(full_page=True))).convert("RGB")
            height = round(shot.height * _WIDE / shot.width)
            now = shot.resize((_WIDE, height), Image.Resampling.BOX)
            path = GOLDEN / f"{theme}-{scheme}-{width}.png"
            if RENEW:
                now.quantize(24).save(path, optimize=True)
            kept = Image.open(path).convert("RGB")
            assert abs(kept.height - now.height) <= kept.height * 0.06, f"{path.name}: longer"
            part = (0, 0, _WIDE, min(kept.height, now.height, 240))
            difference = ImageChops.difference(kept.crop(part), now.crop(part))
            mean = sum(ImageStat.Stat(difference).mean) / 3
            assert mean < _CLOSE, f"{path.name}: {mean:.1f}; DIGEST_RENEW=1 writes it anew"
        await context.close()
