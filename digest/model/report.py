"""A report: what others tell us later about a message that we sent, such as that it bounced."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReportKind(StrEnum):
    """What a mail that came back, or a provider's event, is."""

    #: a message could not be delivered, for good or after long trying
    BOUNCE = "bounce"
    #: a message is late; somebody goes on trying
    DELAYED = "delayed"
    #: a reader, or whoever guards his mailbox, complains (ARF, RFC 5965)
    COMPLAINT = "complaint"
    #: a program answered for a reader: away, ticket opened, read receipt
    AUTOREPLY = "autoreply"
    #: a message arrived
    DELIVERED = "delivered"
    #: a mail from a person, or none that we understand
    NOT_BOUNCE = "not_bounce"


class Cause(StrEnum):
    """Why a message was refused, and by that who is meant."""

    #: there is no such mailbox (5.1.1), or the domain says that it takes no mail (5.1.10)
    GONE = "gone"
    #: the mailbox was there and takes no mail any more: disabled, moved, malformed (5.2.1, 5.1.6)
    CLOSED = "closed"
    #: there is no such domain, or nobody who takes mail for it (5.1.2)
    NOWHERE = "nowhere"
    #: refused for good, and nobody says why (a bare 550)
    REFUSED = "refused"
    #: the mailbox is full
    FULL = "full"
    #: a trouble that may pass, or that did not pass in time: network, load, greylisting
    PASSING = "passing"
    #: we may not send so fast (4.7.x)
    PACE = "pace"
    #: the sender is not welcome: policy, reputation, authentication (5.7.x)
    BLOCKED = "blocked"
    #: the message is not welcome: its size or its form (5.2.3, 5.3.4, 5.6.x)
    MESSAGE = "message"
    #: we said something that the server did not understand (5.5.x): our own fault
    PROTOCOL = "protocol"

    @property
    def hard(self) -> bool:
        """True when it is certain that this address takes no mail; all else is soft."""
        return self in (Cause.GONE, Cause.CLOSED, Cause.NOWHERE)

    @property
    def ours(self) -> bool:
        """True when it is about us and what we send: no reader is meant, and others are met too."""
        return self in (Cause.PACE, Cause.BLOCKED, Cause.MESSAGE, Cause.PROTOCOL)

    def outweighs(self, other: Cause) -> bool:
        """True when it says more of one delivery than what is known of it.

        What is certain says more than what is not, and what is about the reader more than what is
        about us.
        """
        return (self.hard and not other.hard) or (other.ours and not self.ours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One recipient that a report names, and why."""

    #: as the report writes it, the address that we wrote to where it tells both; lower-case domain
    address: str
    cause: Cause
    #: RFC 3463, "5.1.1"; None where there was none
    status: str | None
    #: what the server said, one line
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A mail or an event, understood. It changes nothing by itself."""

    kind: ReportKind
    #: who did not get it, one entry an address; empty for all kinds but a bounce or a delay
    failures: tuple[Failure, ...] = ()
    #: other people that it is about: who complained, who is away, who got it
    addresses: tuple[str, ...] = ()
    #: a complaint that asks us to stop (ARF `abuse` and `opt-out`, a provider's unsubscribe)
    leaves: bool = False
    #: it wishes to leave and complains of nothing: one newsletter is left, no address is closed
    wish: bool = False
    #: it has the form of a report: empty or daemon's return path, or a report part. What has not
    #: cannot change anything, whatever token it carries
    genuine: bool = False
    #: values in which our own token may stand: recipients, envelope ids, the returned header
    traces: tuple[str, ...] = ()
