"""Why a recipient was refused: words before codes; a doubt costs nobody a subscription."""

from __future__ import annotations

import time

import pytest

from digest.deliveries.reports import cause_of
from digest.model.report import Cause

GONE = """\
550 5.1.1 <x@y.example>: Recipient address rejected: User unknown in virtual mailbox table
550 5.7.1 No such user q7si1
550 No such user here
550 unknown user
550 mailbox not found
550 5.1.1 unknown or illegal alias: x@y.example
550 Invalid recipient
550 sorry, no mailbox here by that name (#5.1.1)
550 5.5.0 Requested action not taken: mailbox unavailable
550 this user doesn't have a y.example account
550-5.1.1 The account that you tried to reach does not exist. Check for typos and try again
550 5.4.1 Recipient address rejected: Access denied. AS(1) [mx.example]
550 RESOLVER.ADR.RecipNotFound; not found
550 #5.1.0 Address rejected.
550 The antispam.y.example (192.0.2.1) says: no such user
550 5.1.1 Empfänger unbekannt
550 Utilisateur inconnu
550 Usuario desconocido
550 utente sconosciuto
550 usuário inexistente
550 użytkownik nieznany
550 Нет такого пользователя
550 ユーザが存在しません
550 收件人不存在
Domain y.example does not accept mail (nullMX)
5.1.10
5.1.1
556
"""
CLOSED = """\
550 5.2.1 this account has been disabled
550 5.1.6 recipient no longer on server
550 The mailbox has been closed
550 this user has moved
550 Account has been deactivated
550 x@y.example no longer valid
5.1.6
5.2.1
"""
NOWHERE = """\
550 5.1.2 <x@y.example>... Host unknown (Name server: y.example: host not found)
Host or domain name not found. Name service error for name=y.example type=A: Host not found
Unrouteable address
unrouteable mail domain "y.example"
all relevant MX records point to non-existent hosts
Sorry, I couldn't find any host named y.example. (#5.1.2)
4.0.0 the lookup of y.example responded with code NXDOMAIN
550 No such domain
5.1.2
"""
FULL = """\
552 5.2.2 mailbox full
550 5.1.1 mailbox is full
452 4.2.2 The account that you tried to reach is over quota
User has too many messages on the server
554 the mailbox exceeded the local limit
maildir over quota
552 Postfach ist voll
552 buzón lleno
554 ящик переполнен
メールボックスが一杯です
邮箱已满
"""
PASSING = """\
450 4.1.1 User unknown in local recipient table
450 Requested action not taken: mailbox unavailable
450 4.2.0 Greylisted, come back later
4.4.3 Host or domain name not found. Name service error for y.example: Host not found, try again
4.0.0 y.example takes no mail: returned Null MX
connect to y.example[192.0.2.1]:25: Connection timed out
retry timeout exceeded
5.4.7 delivery time expired
421 4.4.2 bye
550 5.2.1 mailbox suspended
550 account is temporarily disabled
"""
BLOCKED = """\
554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org; user unknown
550 5.7.26 This mail is unauthenticated
550 5.7.1 <news@ours.example>: Sender address rejected: Domain not found
550 5.1.8 Domain of sender address does not exist
550 sender verify failed: unknown user
554 <x@y.example>: Relay access denied
553 sorry, that domain isn't in my list of allowed rcpthosts
550 your domain does not exist
550 5.7.1 message content rejected
550 rejected as spam
550 5.7.1 no PTR record does not exist
554 5.7.1 <x@y.example>: Recipient address rejected: Access denied
5.7.1
"""
REST = """\
pace: 421 4.7.0 unusual rate of unsolicited mail
pace: 450 too many messages from you
pace: 4.7.28
message: 552 5.3.4 message size exceeds limit
message: 554 5.4.6 too many hops
message: 5.6.1
message: 552
protocol: 503 5.5.1 Bad sequence of commands
protocol: 500 what?
refused: 550
refused: 554 5.0.0 rejected
refused: 550 the reader has a filter against you
refused: ~
"""
TABLE = [
    *(
        (cause, line)
        for cause, lines in (
            (Cause.GONE, GONE),
            (Cause.CLOSED, CLOSED),
            (Cause.NOWHERE, NOWHERE),
            (Cause.FULL, FULL),
            (Cause.PASSING, PASSING),
            (Cause.BLOCKED, BLOCKED),
        )
        for line in lines.splitlines()
    ),
    *((Cause(line.partition(": ")[0]), line.partition(": ")[2]) for line in REST.splitlines()),
]


@pytest.mark.parametrize(("cause", "said"), TABLE)
def test_what_servers_say_has_a_cause(cause: Cause, said: str) -> None:
    assert cause_of(None, None, said.replace("~", "")) is cause


@pytest.mark.parametrize(
    ("code", "status", "said", "cause"),
    [
        (550, "5.1.1", "", Cause.GONE),
        (550, "5.0.0", "5.1.1 what?", Cause.GONE),
        (450, "5.1.1", "user unknown", Cause.PASSING),
        (550, "4.4.7", "user unknown", Cause.GONE),
        (None, "4.4.7", "user unknown", Cause.PASSING),
        (None, "5.2.2", "", Cause.FULL),
        (550, None, "<mailbox.full@y.example>: no", Cause.REFUSED),
        (550, None, "<user-unknown@y.example>: no", Cause.REFUSED),
    ],
)
def test_code_status_and_words_are_weighed(
    code: int | None, status: str | None, said: str, cause: Cause
) -> None:
    assert cause_of(code, status, said) is cause


WORDS = "a 0 @ . < - 5.1.1 550 user domain mailbox full sender message size unknown exceed no"


@pytest.mark.parametrize("word", WORDS.split())
def test_a_line_of_1_mb_takes_no_time(word: str) -> None:
    for text in (word * (1_000_000 // len(word)), f"{word} " * (1_000_000 // (len(word) + 1))):
        began = time.process_time()
        cause_of(None, None, text)
        assert time.process_time() - began < 0.2
