"""Turns what is common to all providers' events into `Event`s, each with one report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from digest.model.report import Cause, Failure, Report, ReportKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that a provider told us about one message to one address."""

    #: the provider's own id of it; the same event told again has the same
    id: str
    #: whom it is about, with a lower-case domain
    address: str
    #: when it happened, UTC; None where the provider does not say
    at: datetime | None
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Whoever posts this has not proved who he is. `reason` is one line without an address."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """What was posted cannot be understood. `reason` is one line without an address."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotNow:
    """We cannot tell at this moment: the provider is to try again. `reason` is one line."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Which event it is and about whom, before it is said what happened."""

    id: str
    address: str
    at: datetime | None
    #: values in which our own token may stand
    traces: tuple[str, ...]

    def failed(
        self, cause: Cause, *, status: str | None, text: str, kind: ReportKind = ReportKind.BOUNCE
    ) -> Event:
        """It did not arrive, for good (`BOUNCE`) or not yet (`DELAYED`)."""
        failure = Failure(address=self.address, cause=cause, status=status, text=text)
        return self._event(Report(kind=kind, failures=(failure,), genuine=True, traces=self.traces))

    def left(self) -> Event:
        """He used the provider's own way to unsubscribe: a wish, and no complaint."""
        return self._farewell(leaves=True, wish=True)

    def complained(self, *, leaves: bool = True) -> Event:
        """A complaint; with `leaves` one that wants nothing more of us."""
        return self._farewell(leaves=leaves, wish=False)

    def _farewell(self, *, leaves: bool, wish: bool) -> Event:
        return self._event(
            Report(
                kind=ReportKind.COMPLAINT,
                addresses=(self.address,),
                leaves=leaves,
                wish=wish,
                genuine=True,
                traces=self.traces,
            )
        )

    def told(self, kind: ReportKind) -> Event:
        """It arrived (`DELIVERED`), or a program answered (`AUTOREPLY`)."""
        return self._event(
            Report(kind=kind, addresses=(self.address,), genuine=True, traces=self.traces)
        )

    def _event(self, report: Report) -> Event:
        return Event(id=self.id, address=self.address, at=self.at, report=report)
