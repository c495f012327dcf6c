"""Every deliberate error: one tree, one sentence each.

DigestError                 the root: its text is one line that says what, where and what to do
├── SettingsError           the environment, `.env` or `newsletters.toml` cannot be used as they are
├── UsageError              the command or request cannot mean anything; exit code 2
├── StoreError              the database cannot be used
│   ├── StoreTooNew         the database was written by a newer program than this one
│   └── StoreBusy           another process holds the database and did not let go in time
├── TemplateFault           a template cannot be found, parsed or rendered
├── AddressRefused          an address that we cannot or will not write to
├── LinkRefused             a signed link that is not ours, not for this purpose, or too old
├── RelayAway               the relay cannot be used now; no recipient is to blame
├── Stopped                 somebody asked to stop, and the work was broken off in order
└── LeaseLost               another worker took over; whoever raises this writes nothing more

An expected failure of a stranger (a feed that is down, a mailbox that refuses) is a value, not an
error: see `model.feed.FeedFailure` and `model.delivery.Outcome`.
"""


class DigestError(Exception):
    """The root of every deliberate error; `str()` is one line for a person."""

    exit_code = 1


class SettingsError(DigestError):
    """The environment, `.env` or `newsletters.toml` cannot be used as they are."""


class UsageError(DigestError):
    """The command or request cannot mean anything."""

    exit_code = 2


class StoreError(DigestError):
    """The database cannot be used."""


class StoreTooNew(StoreError):
    """The database was written by a newer program than this one."""


class StoreBusy(StoreError):
    """Another process holds the database and did not let go in time."""


class TemplateFault(DigestError):
    """A template cannot be found, parsed or rendered."""


class AddressRefused(DigestError):
    """An address that we cannot or will not write to."""


class LinkRefused(DigestError):
    """A signed link that is not ours, not for this purpose, or too old."""


class RelayAway(DigestError):
    """The relay cannot be used now; no recipient is to blame."""


class Stopped(DigestError):
    """Somebody asked to stop, and the work was broken off in order."""


class LeaseLost(DigestError):
    """Another worker took over; whoever raises this writes nothing more."""
