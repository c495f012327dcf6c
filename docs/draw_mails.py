# ruff: noqa: INP001, S603 -- a script, not a package; it runs the demo
"""Takes the pictures of the themes: the sample site's mail, wide and light beside narrow and dark.

    .venv/bin/python docs/draw_mails.py docs/pictures

It needs Debian's chromium. Each is written as theme-NAME.png.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

HERE = Path(__file__).resolve().parent.parent
PICTURES = HERE / "digest" / "demo" / "content" / "pictures"
THEMES = ("plain", "cards", "brief")
#: CSS pixels: how much of a mail is shown, and what lies between the two
HIGH, BETWEEN = 1560, 40
COLOURS = 128


def mail(theme: str) -> str:
    """The demo's edition in a theme."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "digest", "demo", "--once", "--theme", theme]
        subprocess.run([*command, "--out", folder], check=True, capture_output=True)
        return (Path(folder) / "edition.html").read_text("utf-8")


def from_disk(route: Route) -> None:
    """Answer for the sample site, which is gone."""
    name = Path(urlsplit(route.request.url).path).name
    known = next((each for each in PICTURES.glob("*.jpg") if each.name == name), None)
    if known is None:
        route.abort()
    else:
        route.fulfill(path=known)


def shot(browser: Browser, html: str, *, width: int, dark: bool) -> Image.Image:
    """The upper part of a mail."""
    context = browser.new_context(
        viewport={"width": width, "height": HIGH}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    page.route("**/*", from_disk)
    page.set_content(html, wait_until="networkidle")
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    context.close()
    return taken


def main(folder: Path) -> None:
    """Draw them all."""
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        for theme in THEMES:
            html = mail(theme)
            both = (
                shot(browser, html, width=680, dark=False),
                shot(browser, html, width=375, dark=True),
            )
            whole = Image.new("RGB", (both[0].width + both[1].width + BETWEEN, HIGH), "#9aa0a6")
            whole.paste(both[0], (0, 0))
            whole.paste(both[1], (both[0].width + BETWEEN, 0))
            small = whole.quantize(COLOURS, dither=Image.Dither.NONE)
            small.save(folder / f"theme-{theme}.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
