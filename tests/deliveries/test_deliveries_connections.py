"""How connections are kept, ended and secured, with a scripted relay and with a real server."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from scripted_relay import Act, Script, hang_up, pause, reset, scripted, silence

from digest.deliveries.smtp import Relay, SmtpTransport
from digest.deliveries.transport import Transport
from digest.errors import LeaseLost, RelayAway, SettingsError
from digest.model.delivery import Bounced, Deferred, Sent, Uncertain
from digest.model.message import Message

# aiosmtpd knows TLS by STARTTLS alone, and so thinks that our logins over implicit TLS are bare.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

CERTIFICATES = Path(__file__).parent / "certificates"
AUTHORITY = CERTIFICATES / "authority.pem"


def message(rcpt_to: str = "anna@example.org") -> Message:
    data = f"Subject: x\r\nTo: {rcpt_to}\r\n\r\n.\r\n..dots\r\nend\r\n".encode()
    return Message(mail_from="bounce+1@example.org", rcpt_to=rcpt_to, data=data)


async def yes() -> bool:
    return True


@asynccontextmanager
async def connected(port: int, **settings: Any) -> AsyncIterator[SmtpTransport]:
    defaults = {"security": "none", "connections": 1, "local_hostname": "sender.example"}
    where = {"host": "127.0.0.1", "port": port, "timeout": 5.0, "dot_timeout": 5.0}
    transport = SmtpTransport(Relay(**{**defaults, **where, **settings}))
    try:
        yield transport
    finally:
        await transport.close()


async def until_not(still: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while still():  # noqa: ASYNC110 -- what the server knows raises no event
            await asyncio.sleep(0.002)


# Kept connections.


async def test_a_kept_connection_carries_the_next_message() -> None:
    async with scripted() as relay, connected(relay.port) as transport:
        for number in range(5):
            assert isinstance(await transport.send(message(f"{number}@x.org"), yes), Sent)
        assert (relay.connections, len(relay.mails), relay.said("RSET")) == (1, 5, 0)
        assert relay.said("EHLO") == 1


async def test_there_are_never_more_connections_than_allowed() -> None:
    async with scripted({"DOT": (pause(0.005), "250 ok")}) as relay:
        async with connected(relay.port, connections=3) as transport:
            sends = [transport.send(message(f"{number}@x.org"), yes) for number in range(20)]
            outcomes = await asyncio.gather(*sends)
        assert {type(outcome) for outcome in outcomes} == {Sent}
        assert (relay.peak, relay.connections, len(set(relay.mails))) == (3, 3, 20)


async def test_close_takes_leave_on_every_kept_connection() -> None:
    async with (
        scripted({"DOT": (pause(0.01), "250 ok")}) as relay,
        connected(relay.port, connections=2) as transport,
    ):
        await asyncio.gather(*(transport.send(message(), yes) for _ in range(2)))
        await transport.close()
        await transport.close()
        await until_not(lambda: relay.open)
        assert (relay.connections, relay.said("QUIT")) == (2, 2)


async def test_a_connection_carries_so_many_messages_and_no_more() -> None:
    async with scripted() as relay:
        async with connected(relay.port, messages=2) as transport:
            for _ in range(5):
                assert isinstance(await transport.send(message(), yes), Sent)
        assert (relay.connections, relay.said("QUIT"), relay.peak) == (3, 3, 1)


async def test_an_idle_connection_leaves_by_itself() -> None:
    async with scripted() as relay, connected(relay.port, idle=0.03) as transport:
        assert isinstance(await transport.send(message(), yes), Sent)
        assert relay.open == 1
        await until_not(lambda: relay.open)
        assert relay.said("QUIT") == 1
        assert isinstance(await transport.send(message(), yes), Sent)
        assert relay.connections == 2


async def test_a_connection_that_works_now_and_then_stays() -> None:
    async with scripted() as relay, connected(relay.port, idle=0.5) as transport:
        for _ in range(3):
            assert isinstance(await transport.send(message(), yes), Sent)
            await asyncio.sleep(0.3)
        assert (relay.connections, relay.said("QUIT")) == (1, 0)


async def test_a_kept_connection_that_fails_after_mail_is_a_relay_that_is_away() -> None:
    async with scripted({"RCPT 2": hang_up}) as relay, connected(relay.port) as transport:
        assert isinstance(await transport.send(message(), yes), Sent)
        with pytest.raises(RelayAway, match="after RCPT TO"):
            await transport.send(message(), yes)
        assert relay.connections == 1


async def test_a_relay_that_does_not_answer_quit_is_left_all_the_same() -> None:
    async with scripted({"QUIT": hang_up}) as relay, connected(relay.port) as transport:
        await transport.send(message(), yes)
        await transport.close()
        assert relay.said("QUIT") == 1


@pytest.mark.parametrize(
    "stale",
    [hang_up, reset, ("421 4.4.2 too many messages", hang_up), "421 bye", "452 4.5.3 enough", "?"],
)
async def test_a_kept_connection_that_fails_at_mail_is_replaced_unseen(
    stale: Act | tuple[Act, ...],
) -> None:
    async with scripted({"MAIL 2": stale}) as relay, connected(relay.port) as transport:
        for _ in range(3):
            assert isinstance(await transport.send(message(), yes), Sent)
        assert (relay.connections, len(relay.mails)) == (2, 3)


async def test_a_kept_connection_is_replaced_once_and_not_for_ever() -> None:
    async with (
        scripted({"MAIL 1": "250 ok", "MAIL": "451 no"}) as relay,
        connected(relay.port) as transport,
    ):
        assert isinstance(await transport.send(message(), yes), Sent)
        with pytest.raises(RelayAway, match="MAIL FROM was answered 451"):
            await transport.send(message(), yes)
        assert (relay.connections, relay.said("MAIL")) == (2, 3)


@pytest.mark.parametrize(
    "meanwhile", ["421 4.4.2 idle too long", "550 5.1.1 no such user", "250 ok", hang_up, reset]
)
async def test_an_idle_connection_that_stirs_is_never_used_again(meanwhile: Act) -> None:
    async with (
        scripted({"DOT 1": ("250 ok", pause(0.02), meanwhile)}) as relay,
        connected(relay.port) as transport,
    ):
        assert isinstance(await transport.send(message(), yes), Sent)
        await asyncio.sleep(0.06)
        assert isinstance(await transport.send(message("b@example.org"), yes), Sent)
        assert (relay.connections, relay.said("MAIL"), len(relay.mails)) == (2, 2, 2)


@pytest.mark.parametrize("answer", ["500 what", "421 bye", hang_up])
async def test_a_relay_that_cannot_rset_gets_a_new_connection(answer: Act) -> None:
    script = {"RCPT 1": "550 5.1.1 no", "RSET": answer}
    async with scripted(script) as relay, connected(relay.port) as transport:
        assert isinstance(await transport.send(message(), yes), Bounced)
        assert isinstance(await transport.send(message("b@example.org"), yes), Sent)
        assert (relay.connections, len(relay.mails)) == (2, 1)


# A relay that is not there.


async def test_a_closed_port_is_a_relay_that_is_away() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        async with connected(port) as transport:
            with pytest.raises(RelayAway, match="check DIGEST_SMTP_HOST"):
                await transport.send(message(), yes)


async def test_a_host_that_cannot_exist_is_a_relay_that_is_away() -> None:
    async with connected(25, host="x" * 64 + ".example") as transport:
        with pytest.raises(RelayAway, match=r"x{64}\.example:25"):
            await transport.send(message(), yes)


async def test_a_relay_that_comes_back_is_used_again() -> None:
    async with scripted({"GREETING 1": "421 not yet"}) as relay, connected(relay.port) as transport:
        with pytest.raises(RelayAway, match="421 not yet"):
            await transport.send(message(), yes)
        assert isinstance(await transport.send(message(), yes), Sent)


# A real server.


class Mailbox:
    """An aiosmtpd handler that answers by the recipient's name."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, list[str], bytes]] = []
        self.logins: list[tuple[str, bytes]] = []

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name for it
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if address.startswith("gone"):
            return "550 5.1.1 no such user"
        if address.startswith("busy"):
            return "450 4.2.1 later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(  # noqa: N802 -- aiosmtpd's name for it
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append((str(envelope.mail_from), envelope.rcpt_tos, content))
        return "554 5.6.0 bad" if envelope.rcpt_tos[0].startswith("bad") else "250 2.0.0 taken"

    def login(
        self, _server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((mechanism, data.login))
        right = data.password == b"right"
        return AuthResult(success=right, handled=right)


def server_tls(name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / f"{name}.pem")
    return context


@asynccontextmanager
async def real_server(
    mailbox: Mailbox, *, security: str = "none", certificate: str = "good", login: bool = False
) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    tls = server_tls(certificate) if security != "none" else None
    options: dict[str, Any] = {"hostname": "relay.example", "loop": loop}
    if security == "starttls":
        options |= {"tls_context": tls, "require_starttls": True}
    if login:
        options |= {"authenticator": mailbox.login, "auth_required": True}
        options |= {"auth_require_tls": security == "starttls"}
    server = await loop.create_server(
        lambda: SMTP(mailbox, **options), "127.0.0.1", 0, ssl=tls if security == "tls" else None
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def test_a_real_server_gets_the_very_bytes() -> None:
    mailbox = Mailbox()
    async with real_server(mailbox) as port, connected(port) as smtp:
        transport: Transport = smtp
        outcome = await transport.send(message(), yes)
    assert isinstance(outcome, Sent)
    assert str(outcome.reply) == "250 2.0.0 taken"
    assert mailbox.mails == [("bounce+1@example.org", ["anna@example.org"], message().data)]


async def test_each_recipient_gets_his_own_outcome() -> None:
    mailbox = Mailbox()
    kinds = {"gone": Bounced, "busy": Deferred, "bad": Bounced, "anna": Sent}
    async with real_server(mailbox) as port, connected(port, connections=2) as transport:
        for _ in range(3):
            names = [*kinds, *reversed(kinds)]
            sends = [transport.send(message(f"{name}@example.org"), yes) for name in names]
            outcomes = await asyncio.gather(*sends)
            assert [type(each) for each in outcomes] == [kinds[name] for name in names]
    assert sorted(rcpt for _, [rcpt], _ in mailbox.mails) == sorted(
        ["anna@example.org", "bad@example.org"] * 6
    )


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_the_login_and_the_mail_go_through_tls(security: str, host: str) -> None:
    mailbox = Mailbox()
    async with real_server(mailbox, security=security, login=True) as port:
        settings = {"host": host, "security": security, "username": "us", "password": "right"}
        async with connected(port, cafile=AUTHORITY, **settings) as transport:
            for _ in range(3):
                assert isinstance(await transport.send(message(), yes), Sent)
    assert mailbox.logins == [("PLAIN", b"us")]
    assert [data for _, _, data in mailbox.mails] == [message().data] * 3


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_large_message_goes_through_tls(security: str) -> None:
    mailbox = Mailbox()
    data = b"".join(b".%d " % number + b"x" * 900 + b"\r\n" for number in range(3_000))
    large = Message(mail_from="a@example.org", rcpt_to="b@example.org", data=data)
    async with (
        real_server(mailbox, security=security) as port,
        connected(port, security=security, cafile=AUTHORITY) as transport,
    ):
        assert isinstance(await transport.send(large, yes), Sent)
    assert [got for _, _, got in mailbox.mails] == [data]


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("certificate", ["elsewhere", "expired", "good"])
async def test_a_certificate_that_does_not_hold_is_refused(security: str, certificate: str) -> None:
    mailbox = Mailbox()
    # The good one is vouched for by an authority that only the others' clients believe.
    cafile = None if certificate == "good" else AUTHORITY
    async with real_server(mailbox, security=security, certificate=certificate, login=True) as port:
        settings = {"security": security, "username": "us", "password": "right"}
        async with connected(port, cafile=cafile, **settings) as transport:
            with pytest.raises(RelayAway, match=r"certificate.*check DIGEST_SMTP_HOST"):
                await transport.send(message(), yes)
    assert (mailbox.logins, mailbox.mails) == ([], [])


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_wrong_password_is_tried_once_and_never_told(security: str) -> None:
    mailbox = Mailbox()
    async with real_server(mailbox, security=security, login=True) as port:
        settings = {"security": security, "username": "us", "password": "wrong-secret"}
        async with connected(port, cafile=AUTHORITY, **settings) as transport:
            with pytest.raises(RelayAway, match=r"535.*check DIGEST_SMTP_USERNAME") as away:
                await transport.send(message(), yes)
            assert "wrong-secret" not in str(away.value) + repr(transport._relay)
    assert (mailbox.logins, mailbox.mails) == ([("PLAIN", b"us")], [])


@pytest.mark.parametrize("act", [hang_up, reset, silence])
async def test_faults_through_tls_are_told_apart_by_the_dot(act: Act) -> None:
    async with scripted({"RCPT 1": act, "DOT 1": act}, tls=server_tls("good")) as relay:
        tls = {"security": "tls", "cafile": AUTHORITY, "dot_timeout": 0.15, "timeout": 0.5}
        async with connected(relay.port, **tls) as transport:
            with pytest.raises(RelayAway, match="after RCPT TO"):
                await transport.send(message(), yes)
            assert isinstance(await transport.send(message(), yes), Uncertain)
            assert isinstance(await transport.send(message(), yes), Sent)
    assert relay.connections == 3


async def test_without_the_lease_the_dot_does_not_go_through_tls() -> None:
    async with (
        scripted(tls=server_tls("good")) as relay,
        connected(relay.port, security="tls", cafile=AUTHORITY) as transport,
    ):

        async def no() -> bool:
            await until_not(lambda: b"".join(relay.body) != message().data)
            return False

        with pytest.raises(LeaseLost):
            await transport.send(message(), no)
        await until_not(lambda: relay.open)
        assert relay.dots == 0


async def test_a_server_that_takes_no_data_through_tls_is_given_up() -> None:
    data = (b"x" * 900 + b"\r\n") * 20_000
    large = Message(mail_from="a@example.org", rcpt_to="b@example.org", data=data)
    async with scripted({"BODY": silence}, tls=server_tls("good")) as relay:
        tls = {"security": "tls", "cafile": AUTHORITY, "body_timeout": 0.15}
        async with connected(relay.port, **tls) as transport:
            with pytest.raises(RelayAway, match="took no more data"):
                await transport.send(large, yes)
    assert relay.dots == 0


async def test_without_starttls_nothing_is_said_in_the_clear() -> None:
    script = {"EHLO": "250-relay.example\r\n250 AUTH PLAIN LOGIN"}
    async with scripted(script) as relay:
        settings = {"security": "starttls", "username": "us", "password": "right"}
        async with connected(relay.port, cafile=AUTHORITY, **settings) as transport:
            with pytest.raises(RelayAway, match="STARTTLS"):
                await transport.send(message(), yes)
        assert relay.heard == ["EHLO sender.example"]


@pytest.mark.parametrize("answer", ["454 4.7.0 not now", "220 go\r\n250 injected", hang_up])
async def test_a_starttls_that_fails_ends_the_connection(answer: Act) -> None:
    ehlo = "250-relay.example\r\n250 STARTTLS"
    script: Script = {"EHLO": ehlo, "STARTTLS": (answer, hang_up)}
    async with scripted(script) as relay:
        async with connected(relay.port, security="starttls", cafile=AUTHORITY) as transport:
            with pytest.raises(RelayAway):
                await transport.send(message(), yes)
        assert relay.said("MAIL") == 0


async def test_a_server_without_login_is_not_sent_to_when_one_is_set() -> None:
    mailbox = Mailbox()
    async with real_server(mailbox, security="tls") as port:
        settings = {"security": "tls", "username": "us", "password": "right"}
        async with connected(port, cafile=AUTHORITY, **settings) as transport:
            with pytest.raises(RelayAway, match="AUTH"):
                await transport.send(message(), yes)
    assert mailbox.mails == []


def test_credentials_without_tls_are_refused_at_once() -> None:
    relay = Relay(host="127.0.0.1", port=25, username="us", password="x", security="none")
    with pytest.raises(SettingsError, match="never goes out in the clear"):
        SmtpTransport(relay)
    assert "us" not in repr(relay).replace("username", "") or "password" not in repr(relay)


def test_certificates_that_cannot_be_read_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.pem"):
        SmtpTransport(Relay(host="x", port=25, cafile=tmp_path / "nowhere.pem"))
