"""One thing that a check of a mail or a theme found: what, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: "ok": it was looked at and is well; "warning": readers may notice; "error": do not send it so
Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found, in English, each a line of plain text that may quote strangers."""

    level: Level
    what: str
    #: the part, the story or the file; empty where it is the whole
    where: str = ""
    #: empty where nothing need be done
    do: str = ""

    def as_json(self) -> dict[str, str]:
        """As `--json` prints it: level, what, where, do."""
        return {"level": self.level, "what": self.what, "where": self.where, "do": self.do}


def has_errors(findings: tuple[Finding, ...]) -> bool:
    """Whether anything was found with which a mail should not be sent."""
    return any(each.level == "error" for each in findings)
