"""The room of the bounce mailbox: reads mails and moves them aside; never deletes, never writes."""

from digest.deliveries.mailbox.address import read_address
from digest.deliveries.mailbox.port import Aside, Mailbox, open_mailbox
from digest.deliveries.mailbox.stuck import Stuck

__all__ = ["Aside", "Mailbox", "Stuck", "open_mailbox", "read_address"]
