"""The one place where everything is put together: settings become an open `World`."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digest import __version__
from digest.deliveries.hooks.keys import HookKeys
from digest.deliveries.hooks.sendgrid import load_key
from digest.deliveries.outbox import OutboxTransport
from digest.deliveries.smtp import Relay, SmtpTransport
from digest.deliveries.transport import Transport
from digest.errors import SettingsError
from digest.feeds.fetch import Fetcher
from digest.jobs.binding import with_journal
from digest.jobs.world import World
from digest.messages.keys import Key, read_keys
from digest.messages.render import Renderer, builtin_templates
from digest.messages.theme_check import refuse_unlawful
from digest.model.newsletter import Newsletter
from digest.settings import Settings, read_newsletters, require_secret
from digest.store.engine import open_store
from digest.subscribers.links import Signer


def utc_now() -> datetime:
    """The time. Everybody else is told it."""
    return datetime.now(UTC)  # noqa: TID251 -- the one clock


def choose_transport(settings: Settings) -> Transport:
    """The relay, or a folder of .eml files where `DIGEST_OUTBOX` names one."""
    if settings.outbox:
        return OutboxTransport(Path(settings.outbox))
    return SmtpTransport(
        Relay(
            host=settings.smtp_host,
            port=settings.relay_port,
            username=settings.smtp_username,
            password=settings.smtp_password,
            security=settings.relay_security,
            connections=settings.smtp_connections,
        )
    )


def read_signing_keys(settings: Settings) -> tuple[Key, ...]:
    """The DKIM keys of the settings; none where the relay signs. Raises SettingsError."""
    if not settings.dkim_selector and not settings.dkim_key_file:
        return ()
    if not settings.dkim_selector or not settings.dkim_key_file:
        raise SettingsError(
            "DIGEST_DKIM_SELECTOR and DIGEST_DKIM_KEY_FILE belong together: set both, or none"
        )
    files = []
    for name in settings.dkim_key_file.split(","):
        path = Path(name.strip())
        try:
            files.append((str(path), path.read_bytes()))
        except OSError as problem:
            raise SettingsError(
                f"DIGEST_DKIM_KEY_FILE {path}: {problem.strerror}; `digest init --dkim` makes a key"
            ) from problem
    return read_keys(settings.dkim_selector, files)


def read_hook_keys(settings: Settings) -> HookKeys:
    """What providers sign their events with. Raises SettingsError for a key that is none."""
    if settings.hook_sendgrid and load_key(settings.hook_sendgrid) is None:
        raise SettingsError(
            "DIGEST_HOOK_SENDGRID is no public key: copy the verification key of the signed event"
            " webhook as it stands"
        )
    if settings.hook_ses_topic and not settings.hook_ses_topic.startswith("arn:"):
        raise SettingsError("DIGEST_HOOK_SES_TOPIC is no ARN: copy the topic's, arn:aws:sns:…")
    return HookKeys(
        ses_topic=settings.hook_ses_topic,
        postmark=settings.hook_postmark,
        mailgun=settings.hook_mailgun,
        sendgrid=settings.hook_sendgrid,
        brevo=settings.hook_brevo,
    )


def open_fetcher(*, allow_private: bool, public_url: str | None = None) -> Fetcher:
    """What polls feeds, with a name that a site's owner can look up."""
    who = f" (+{public_url})" if public_url else ""
    return Fetcher(allow_private=allow_private, user_agent=f"digest/{__version__}{who}")


def open_renderer(settings: Settings, newsletters: Sequence[Newsletter] = ()) -> Renderer:
    """What writes mail and pages, with the operator's own templates and themes.

    Raises TemplateFault where one of the newsletters has a theme that cannot be used.
    """
    beside = settings.newsletters_file.resolve().parent
    renderer = Renderer([settings.templates_dir, builtin_templates()], beside)
    for each in newsletters:
        renderer.check_theme(each)
        refuse_unlawful(renderer, each)
    return renderer


@asynccontextmanager
async def open_app(
    settings: Settings,
    newsletters: tuple[Newsletter, ...] | None = None,
    *,
    clock: Callable[[], datetime] = utc_now,
) -> AsyncIterator[World]:
    """Open everything that the settings name, and close it in order.

    `newsletters` stand in for the file. Raises SettingsError or StoreError with one line.
    """
    signer = Signer(require_secret(settings))
    known = read_newsletters(settings.newsletters_file) if newsletters is None else newsletters
    renderer = open_renderer(settings, known)
    store = await open_store(settings.database_url)
    transport = choose_transport(settings)
    try:
        async with open_fetcher(
            allow_private=settings.feed_allow_private, public_url=settings.public_url
        ) as fetcher:
            world = World(
                newsletters=known,
                store=store,
                renderer=renderer,
                signer=signer,
                transport=transport,
                fetcher=fetcher,
                public_url=settings.public_url,
                first_window=settings.first_window,
                uncertain=settings.uncertain,
                connections=settings.smtp_connections,
                rate=settings.smtp_rate,
                expiry=timedelta(hours=settings.smtp_expiry),
                keys=read_signing_keys(settings),
                hooks=read_hook_keys(settings),
                bounce_domain=settings.bounce_domain,
                bounce_mailbox=settings.bounce_mailbox,
                spool=settings.spool,
                proxies=settings.proxies,
                consent_network=settings.consent_network,
                operator=settings.operator,
                clock=clock,
                secret_bytes=secrets.token_bytes,
            )
            async with with_journal(world, settings.journal) as whole:
                yield whole
    finally:
        await transport.close()
        await store.close()
