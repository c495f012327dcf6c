"""Holds the mails of all our themes against the checkers that others wrote.

    npm install --prefix TOOLS vnu-jar html-validate axe-core caniemail@1
    python bench/looks.py TOOLS [--lint FILE.py]

Each theme, German and English, with 1, 8 and 40 articles, of ordinary and of hostile text: valid
HTML (vnu, html-validate), axe at 375 pixels in light and dark with what it could not decide about
contrast, no sideways scroll, what caniemail knows, SpamAssassin without the network (below 2.0),
and a lint of the raw bytes where one is named (every other complaint of it than a missing
signature counts: these mails are not signed). Exits with 1 where anything is found.
"""

# ruff: noqa: INP001, T201, S603, S607 -- a script that prints, and runs what is installed

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable

HERE: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE / "tests"), str(HERE / "tests" / "messages")]

from message_samples import ADDRESS, LINKS, PUBLIC_URL  # noqa: E402
from test_messages_built_in_themes import THEMES, made, of  # noqa: E402

from digest.messages.assemble import assemble  # noqa: E402
from digest.messages.mime import write_edition_message  # noqa: E402

#: what some programs lack, and why it may stand all the same
ALLOWED: Final = {
    "display:none": "the preheader; shown where it is not known, which is what it is for",
    "table-layout": "Outlook sizes tables by their attributes",
    "white-space": "a line breaks where it need not",
    "border-radius": "corners are square",
    "word-break": "long words break by their soft hyphens",
    "overflow-wrap": "the same",
    "overflow": "the preheader, hidden by other means too",
    "max-height": "the same",
    "max-width": "Outlook has a table of that width around it",
    "height": "pictures have the attribute",
    "<body> element": "its class is on a table too",
    "aria-hidden attribute": "for readers of screens that know it",
    "aria-label attribute": "the same",
    "role attribute": "the same",
    "lang attribute": "the same",
    "dir attribute": "left to right is the default",
    '<meta name="color-scheme">': "light where it is not known",
    "display:inline-block": "Outlook has a table for each card",
    "letter-spacing": "letters stand as they come",
    "font-weight": "bold is bold",
}
_SPAM: Final = 2.0
#: of axe: what WCAG asks; the landmarks of a page are the mail program's business
_RULES: Final = ("wcag2a", "wcag2aa", "wcag21aa", "wcag22aa")
_CANIEMAIL: Final = """
import {caniemail} from 'caniemail'; import fs from 'fs';
const clients = ['gmail.*', 'outlook.*', 'apple-mail.*', 'yahoo.*', 'gmx.*', 'web-de.*'];
const found = {};
for (const file of process.argv.slice(2)) {
  const html = fs.readFileSync(file, 'utf8').replace(/<style[^]*?<[/]style>/gi, '');
  for (const [client, said] of caniemail({clients, html}).issues.errors)
    for (const each of said) (found[each.title] ??= []).push(client);
}
console.log(JSON.stringify(found));
"""


def write(folder: Path) -> list[Path]:
    """All mails, as HTML and as messages."""
    found = []
    kinds = product(THEMES, ("de", "en"), (1, 8, 40), (False, True))
    for theme, language, count, hostile in kinds:
        edition = made(theme, count, language=language, hostile=hostile)
        html, text = assemble(edition, LINKS, address=ADDRESS)
        path = folder / f"{theme}-{language}-{count}{'-hostile' if hostile else ''}.html"
        path.write_text(html, "utf-8")
        message = write_edition_message(
            edition=edition,
            newsletter=of(theme),
            html=(html,),
            text=(text,),
            links=LINKS,
            to_address=ADDRESS,
            subscriber_ref=b"r" * 12,
            public_url=PUBLIC_URL,
        )
        path.with_suffix(".eml").write_bytes(message.data)
        found.append(path)
    return found


def said(command: list[str], where: Path) -> str:
    """What a checker says, in both streams."""
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def by_vnu(tools: Path, pages: list[Path]) -> list[str]:
    """Each line is an error."""
    jar = next((tools / "node_modules" / "vnu-jar").rglob("vnu.jar"))
    command = ["java", "-jar", str(jar), "--errors-only", "--filterpattern", ".*mso-.*"]
    return said([*command, *map(str, pages)], tools).splitlines()


def by_html_validate(tools: Path, pages: list[Path]) -> list[str]:
    """The rules are the standard ones, but for what a mail cannot do without."""
    off = (
        *("no-inline-style", "no-deprecated-attr", "attr-quotes", "doctype-style", "void-style"),
        *("no-implicit-close", "long-title", "no-trailing-whitespace"),
    )
    rules = {"root": True, "extends": ["html-validate:standard", "html-validate:a11y"]}
    settings = tools / "looks.json"
    settings.write_text(json.dumps(rules | {"rules": dict.fromkeys(off, "off")}))
    command = ["npx", "html-validate", "--config", str(settings), "--formatter", "json"]
    answer = said([*command, *map(str, pages)], tools)
    found = json.loads(answer[answer.index("[") : answer.rindex("]") + 1])
    return [f"{Path(e['filePath']).name}: {m['ruleId']}" for e in found for m in e["messages"]]


def by_axe(tools: Path, pages: list[Path]) -> list[str]:
    """In a real browser, 375 pixels wide, light and dark."""
    script = (tools / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
    found = []
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        for path, scheme in product(pages, ("light", "dark")):
            page = browser.new_page(
                viewport={"width": 375, "height": 800},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page.set_content(path.read_text("utf-8"), wait_until="commit")
            page.add_script_tag(content=script)
            told = page.evaluate(f"axe.run({{runOnly: {json.dumps(_RULES)}}})")
            wide = page.evaluate("document.documentElement.scrollWidth")
            open_ = [e["id"] for e in told["incomplete"] if e["id"] == "color-contrast"]
            bad = [*(each["id"] for each in told["violations"]), *open_]
            found += [f"{path.name} {scheme}: {each}" for each in bad]
            if wide > page.viewport_size["width"]:  # type: ignore[index]  # it was set above
                found.append(f"{path.name} {scheme}: {wide} pixels wide")
            page.close()
        browser.close()
    return found


def by_caniemail(tools: Path, pages: list[Path]) -> list[str]:
    """What a program lacks and no reason allows."""
    script = tools / "looks.mjs"
    script.write_text(_CANIEMAIL)
    told = json.loads(said(["node", str(script), *map(str, pages)], tools).splitlines()[-1])
    return [
        f"{title}: {', '.join(sorted(set(clients)))}"
        for title, clients in told.items()
        if title.removesuffix(" property") not in ALLOWED
    ]


def by_spamassassin(pages: list[Path]) -> list[str]:
    """Scores that are not below 2.0."""
    if shutil.which("spamassassin") is None:
        return ["spamassassin is not installed"]
    found = []
    for path in pages:
        answer = subprocess.run(
            ["spamassassin", "-L", "-t"],
            input=path.with_suffix(".eml").read_bytes(),
            capture_output=True,
            check=False,
        ).stdout.decode("utf-8", "replace")
        score = re.search(r"score=(-?[0-9.]+)", answer)
        if score is None or float(score[1]) >= _SPAM:
            found.append(f"{path.name}: {score[1] if score else 'no score'}")
    return found


def by_lint(lint: Path, pages: list[Path]) -> list[str]:
    """What the raw bytes do wrong; that they are not signed is known."""
    lines = said([sys.executable, str(lint), *(str(p.with_suffix(".eml")) for p in pages)], HERE)
    return [each for each in lines.splitlines() if each.startswith("   -") and "DKIM" not in each]


def main() -> None:
    """Ask them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tools", type=Path)
    parser.add_argument("--lint", type=Path)
    asked = parser.parse_args()
    tools, failed = asked.tools.resolve(), False
    with tempfile.TemporaryDirectory() as folder:
        pages = write(Path(folder))
        largest = max(pages, key=lambda each: each.stat().st_size)
        print(f"{len(pages)} mails, the largest {largest.name}: {largest.stat().st_size} octets")
        checks: dict[str, Callable[[], list[str]]] = {
            "vnu": lambda: by_vnu(tools, pages),
            "html-validate": lambda: by_html_validate(tools, pages),
            "axe": lambda: by_axe(tools, pages),
            "caniemail": lambda: by_caniemail(tools, pages),
            "spamassassin": lambda: by_spamassassin(pages),
        }
        if (lint := asked.lint) is not None:
            checks["lint"] = lambda: by_lint(lint, pages)
        for name, check in checks.items():
            begun = time.perf_counter()
            found = check()
            failed = failed or bool(found)
            print(f"{name:<14} {time.perf_counter() - begun:6.1f} s   {len(found)} found")
            for each in found[:20]:
                print(f"    {each}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
