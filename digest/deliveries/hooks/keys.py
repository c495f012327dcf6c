"""Says which providers may post to us, and with what each of them proves who it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Provider(StrEnum):
    """Whom we know; the value is the last part of the address that is posted to."""

    SES = "ses"
    POSTMARK = "postmark"
    MAILGUN = "mailgun"
    SENDGRID = "sendgrid"
    BREVO = "brevo"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HookKeys:
    """What was agreed with each provider; None, or nothing but blanks, closes its door."""

    #: the ARN of the Amazon SNS topic that SES writes to; no secret, but the only one we believe
    ses_topic: str | None = None
    #: `user:password`, or the token of an `Authorization: Bearer` header
    postmark: str | None = None
    #: the HTTP webhook signing key
    mailgun: str | None = None
    #: the verification key of the signed event webhook: base64 of a DER public key
    sendgrid: str | None = None
    #: a bearer token, or `user:password`
    brevo: str | None = None

    def of(self, provider: Provider) -> str | None:
        """The key of this provider; None where it is not configured."""
        match provider:
            case Provider.SES:
                key = self.ses_topic
            case Provider.POSTMARK:
                key = self.postmark
            case Provider.MAILGUN:
                key = self.mailgun
            case Provider.SENDGRID:
                key = self.sendgrid
            case Provider.BREVO:
                key = self.brevo
        return (key or "").strip() or None

    def has(self, provider: Provider) -> bool:
        """Whether this provider may post to us."""
        return self.of(provider) is not None
