"""The room that understands mail that comes back: bytes in, a report out; it never does I/O."""

from digest.deliveries.reports.causes import cause_of
from digest.deliveries.reports.read import read_report

__all__ = ["cause_of", "read_report"]
