"""What a mail that came back is: bounces, delays, complaints, answers, and what only looks so."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from digest.deliveries.reports import read_report
from digest.model.report import Cause, Report, ReportKind

ANNA, BERT = "anna@there.example", "bert@there.example"
DAEMON = """\
Return-Path: <>
From: Mail Delivery Subsystem <MAILER-DAEMON@relay.example>
To: b+token@bounces.ours.example
Subject: Delivery report
MIME-Version: 1.0
"""
PERSON = (
    "Return-Path: <anna@there.example>\nFrom: Anna <anna@there.example>\nTo: news@ours.example\n"
)
RETURNED = """\
Return-Path: <b+token@bounces.ours.example>
From: News <news@ours.example>
To: anna@there.example
Message-ID: <edition-7.abc@ours.example>
List-Unsubscribe: <https://ours.example/unsubscribe/abc>
Subject: The morning

Good morning.
"""


def recipient(
    address: str = ANNA, action: str = "failed", status: str = "5.1.1", **more: str
) -> str:
    fields = {
        "Final-Recipient": f"rfc822; {address}",
        "Action": action,
        "Status": status,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items()) + "\n"


def dsn(*recipients: str, told: str = "It is back.", head: str = DAEMON, part: str = "") -> bytes:
    kind = part or "message/delivery-status"
    about = "Reporting-MTA: dns; relay.example\nOriginal-Envelope-Id: envelope-7\n\n"
    return f"""\
{head}Content-Type: multipart/report; report-type=delivery-status; boundary="=="

--==
Content-Type: text/plain; charset=utf-8

{told}

--==
Content-Type: {kind}

{about}{"".join(recipients)}
--==
Content-Type: message/rfc822

{RETURNED}
--==--
""".encode()


def arf(kind: str, *, more: str = "") -> bytes:
    return f"""\
From: Complaints <feedback@provider.example>
To: complaints@ours.example
Subject: Email Feedback Report
Content-Type: multipart/report; report-type=feedback-report; boundary="=="

--==
Content-Type: text/plain

A reader pressed a button.
--==
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Provider/1.0
Version: 1
{more}
--==
Content-Type: message/rfc822

{RETURNED}
--==--
""".encode()


def found(report: Report) -> list[tuple[str, str]]:
    return [(each.address, each.cause.value) for each in report.failures]


# --------------------------------------------------------------- a delivery status (RFC 3464)


@pytest.mark.parametrize(
    ("action", "status", "kind"),
    [
        ("failed", "5.1.1", ReportKind.BOUNCE),
        ("Failed (permanent)", "5.1.1", ReportKind.BOUNCE),
        ("failed", "4.4.7", ReportKind.BOUNCE),
        ("delayed", "4.4.1", ReportKind.DELAYED),
        ("delivered", "2.0.0", ReportKind.DELIVERED),
        ("relayed", "2.0.0", ReportKind.DELIVERED),
        ("expanded", "2.0.0", ReportKind.DELIVERED),
        ("deliverable", "2.1.5", ReportKind.DELIVERED),
        ("undeliverable", "5.1.1", ReportKind.BOUNCE),
    ],
)
def test_the_action_says_what_it_is(action: str, status: str, kind: ReportKind) -> None:
    report = read_report(dsn(recipient(action=action, status=status)))
    assert (report.kind, report.genuine) == (kind, True)
    people = [each.address for each in report.failures] or list(report.addresses)
    assert people == [ANNA]


def test_of_several_only_those_who_did_not_get_it_are_named() -> None:
    report = read_report(
        dsn(
            recipient(BERT, "delivered", "2.0.0"),
            recipient(ANNA, Diagnostic_Code="smtp; 550 5.1.1 no such user"),
            recipient("carl@there.example", "delayed", "4.4.1"),
        )
    )
    assert (report.kind, found(report)) == (ReportKind.BOUNCE, [(ANNA, "gone")])


def test_the_address_that_we_wrote_to_is_named_and_both_are_traces() -> None:
    group = recipient("anna.new@else.example", Original_Recipient=f"rfc822;{ANNA}")
    report = read_report(dsn(group))
    assert found(report) == [(ANNA, "gone")]
    assert {ANNA, "anna.new@else.example"} <= set(report.traces)


def test_a_message_that_expired_costs_nobody_a_subscription() -> None:
    group = recipient(status="4.4.7", Diagnostic_Code="x-relay; user unknown, connection timed out")
    assert found(read_report(dsn(group))) == [(ANNA, "passing")]


def test_words_decide_where_the_status_says_something_else() -> None:
    full = recipient(status="5.1.1", Diagnostic_Code="smtp; 550 5.1.1 mailbox is full")
    gone = recipient(BERT, status="5.7.1", Diagnostic_Code="smtp; 550 5.7.1 No such user q7")
    assert found(read_report(dsn(full, gone))) == [(ANNA, "full"), (BERT, "gone")]


def test_the_words_for_people_help_where_the_server_is_silent() -> None:
    told = "Your mail did not reach anna@there.example: the address couldn't be found."
    assert found(read_report(dsn(recipient(status="5.0.0"), told=told))) == [(ANNA, "gone")]


def test_a_reply_of_several_lines_is_read_whole_though_nobody_folded_it() -> None:
    group = recipient(status="5.0.0", Diagnostic_Code="smtp; 550-Who is that?\n550 User unknown")
    assert found(read_report(dsn(group))) == [(ANNA, "gone")]


def test_a_recipient_that_is_a_pipe_is_found_in_the_words() -> None:
    group = recipient("|/usr/bin/filter", status="5.3.0")
    told = "<anna@there.example>: the filter exited with 2"
    assert [each.address for each in read_report(dsn(group, told=told)).failures] == [ANNA]


@pytest.mark.parametrize("part", ["message/global-delivery-status", "MESSAGE/Delivery-Status; x=y"])
def test_the_part_may_be_named_otherwise(part: str) -> None:
    assert found(read_report(dsn(recipient(), part=part))) == [(ANNA, "gone")]


def test_a_status_in_plain_text_counts_where_a_gateway_flattened_it() -> None:
    text = f"{DAEMON}\nIt is back.\n\nReporting-MTA: dns; x\n\n{recipient()}\n{RETURNED}"
    assert found(read_report(text.encode())) == [(ANNA, "gone")]


def test_a_report_that_a_mail_system_sends_on_whole_is_opened() -> None:
    inner = dsn(recipient(BERT)).decode()
    text = f"""\
From: Postmaster <postmaster@list.example>
To: news@ours.example
Subject: Undelivered: sent on
Content-Type: multipart/mixed; boundary="++"

--++

One of your mails could not be delivered.
--++
Content-Type: message/rfc822

{inner}
--++--
"""
    assert found(read_report(text.encode())) == [(BERT, "gone")]


# --------------------------------------------------------------- complaints (RFC 5965)


@pytest.mark.parametrize(
    ("kind", "leaves"),
    [
        ("abuse", True),
        ("opt-out", True),
        ("opt-out-list", True),
        ("Abuse", True),
        ("auth-failure", False),
        ("fraud", False),
        ("virus", False),
        ("not-spam", False),
        ("other", False),
    ],
)
def test_only_some_complaints_ask_to_leave(kind: str, leaves: bool) -> None:  # noqa: FBT001
    report = read_report(arf(kind, more=f"Original-Rcpt-To: <{ANNA}>"))
    assert (report.kind, report.leaves, report.genuine) == (ReportKind.COMPLAINT, leaves, True)
    assert (report.addresses, report.failures) == ((ANNA,), ())


def test_a_complaint_without_a_name_is_about_whom_the_message_was_for() -> None:
    report = read_report(arf("abuse", more="Original-Mail-From: <b+token@bounces.ours.example>"))
    assert report.addresses == (ANNA,)
    assert "<b+token@bounces.ours.example>" in report.traces


def test_a_returned_message_and_a_subject_are_a_complaint_at_hotmail() -> None:
    text = f"""\
From: staff@hotmail.com
To: complaints@ours.example
Subject: complaint about message from 192.0.2.1
Content-Type: multipart/mixed; boundary="=="

--==
Content-Type: message/rfc822

X-HmXmrOriginalRecipient: {ANNA}
{RETURNED}
--==--
"""
    report = read_report(text.encode())
    assert (report.kind, report.leaves, report.addresses) == (ReportKind.COMPLAINT, True, (ANNA,))


@pytest.mark.parametrize(
    "more", ["X-Apple-Unsubscribe: true\nSubject: x\n", "Subject: Unsubscribe\n"]
)
def test_a_mail_that_asks_to_leave_is_a_wish_but_has_not_the_form_of_a_report(more: str) -> None:
    report = read_report(f"{PERSON}Auto-Submitted: auto-replied\n{more}\nPlease.\n".encode())
    assert (report.kind, report.leaves, report.genuine) == (ReportKind.COMPLAINT, True, False)
    assert report.addresses == (ANNA,)


# --------------------------------------------------------------- answers of programs (RFC 3834)


@pytest.mark.parametrize(
    "head",
    [
        "Auto-Submitted: auto-replied\nSubject: Re: The morning\n",
        "Auto-Submitted: auto-replied (vacation)\nSubject: Re: Undelivered\n",
        "Precedence: auto_reply\nSubject: Re: The morning\n",
        "X-Autoreply: yes\nSubject: Re: The morning\n",
        "X-Auto-Response-Suppress: All\nIn-Reply-To: <m@ours.example>\nSubject: The morning\n",
        "Auto-Submitted: auto-generated\nSubject: [#7] Request received\n",
        "Subject: Out of Office: The morning\n",
        "Subject: Automatische Antwort: The morning\n",
        "Subject: =?utf-8?b?UsOpcG9uc2UgYXV0b21hdGlxdWUgOiBUaGUgbW9ybmluZw==?=\n",
        "Subject: =?utf-8?b?6Ieq5YuV5b+c562U?=\n",
        "Return-Path: <>\nSubject: Auto: delivery failed\n",
    ],
)
def test_whoever_is_away_has_not_bounced(head: str) -> None:
    text = f"{head}From: {ANNA}\nTo: news@ours.example\n\nAway. My mailbox is full. Ask {BERT}.\n"
    report = read_report(text.encode())
    assert (report.kind, report.failures) == (ReportKind.AUTOREPLY, ())


@pytest.mark.parametrize("disposition", ["displayed", "deleted"])
def test_a_read_receipt_is_an_answer(disposition: str) -> None:
    field = f"Final-Recipient: rfc822;{ANNA}\nDisposition: manual-action/MDN-sent; {disposition}"
    text = f"""\
{PERSON}Subject: Read: The morning
Content-Type: multipart/report; report-type=disposition-notification; boundary="=="

--==

It was read.
--==
Content-Type: message/disposition-notification

{field}
--==--
"""
    assert read_report(text.encode()).kind is ReportKind.AUTOREPLY


def test_a_failure_notice_may_call_itself_an_answer() -> None:
    head = DAEMON + "Auto-Submitted: auto-replied\n"
    assert read_report(dsn(recipient(), head=head)).kind is ReportKind.BOUNCE
    words = f"{head}\nUnable to deliver to these addresses:\n\n<{ANNA}>:\n550 User unknown\n"
    assert found(read_report(words.encode())) == [(ANNA, "gone")]


# --------------------------------------------------------------- odd and forged ones

QUOTED = "".join(f"> {line}\n" for line in dsn(recipient()).decode().splitlines())
ATTACHED = f"""\
{PERSON}Subject: What is this?
Content-Type: multipart/mixed; boundary="++"

--++

Look what came.
--++
Content-Type: message/rfc822

{dsn(recipient(BERT)).decode()}
--++--
"""
LETTER = "Your parcel could not be delivered. Error: 550 no such user bert@there.example.\n"
LIST = """\
Return-Path: <bounces@list.example>
From: News <news@list.example>
To: b@ours.example
List-Id: <news.list.example>
"""
VACATION = f"""\
Return-Path: <>
From: anna@there.example
To: news@ours.example
Subject: Re: The morning
Auto-Submitted: auto-replied

My mailbox is full.

--- Original message ---

{RETURNED}
"""
ODD = {
    "a letter that quotes a report": (
        f"{PERSON}Subject: Re: failure notice\n\n{QUOTED}",
        "not_bounce",
    ),
    "a letter with a report attached": (ATTACHED, "not_bounce"),
    "a report sent on": (f"{PERSON}Subject: Fwd: Undelivered Mail\n\n{LETTER}", "not_bounce"),
    "a letter about a parcel": (
        f"{PERSON}Subject: Delivery failed\n\nWhere is it?\n",
        "not_bounce",
    ),
    "a newsletter about bounces": (
        f"{LIST}Subject: Mail delivery failed: why?\n\n{LETTER}",
        "not_bounce",
    ),
    "a full mailbox on vacation": (
        f"{PERSON}Auto-Submitted: auto-replied\nSubject: Re: x\n\nMy mailbox is full.\n",
        "autoreply",
    ),
    "a vacation that quotes the message": (VACATION, "autoreply"),
    "a failed check of a signature": (arf("auth-failure").decode(), "complaint"),
    "a mail without anything": ("", "not_bounce"),
    "a header without a body": (f"{PERSON}Subject: Hello", "not_bounce"),
    "a report without recipients": (dsn().decode(), "bounce"),
    "a report that is late and knows no such user": (
        dsn(recipient(action="delayed", Diagnostic_Code="smtp; 550 5.1.1 user unknown")).decode(),
        "delayed",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_what_only_looks_so_is_told_apart(name: str) -> None:
    text, kind = ODD[name]
    report = read_report(text.encode())
    assert report.kind.value == kind
    assert not report.leaves
    assert not any(each.cause.hard for each in report.failures) or kind == "bounce"


@pytest.mark.parametrize(
    ("head", "genuine"),
    [
        ("Return-Path: <>\nFrom: x@y.example\n", True),
        ("Return-Path: <x@y.example>\nFrom: MAILER-DAEMON@y.example\n", True),
        ("From: Postmaster <postmaster@y.example>\n", True),
        ("Sender: mailer-daemon@y.example\nFrom: x@y.example\n", True),
        (PERSON, False),
        ("From: bounces@list.example\n", False),
    ],
)
def test_only_what_has_the_form_of_a_report_is_genuine(head: str, genuine: bool) -> None:  # noqa: FBT001
    text = f"{head}Subject: Undelivered mail\n\n<{ANNA}>: 550 user unknown\n"
    assert read_report(text.encode()).genuine is genuine


# --------------------------------------------------------------- where our token may stand


def test_every_place_of_our_token_is_a_trace() -> None:
    head = (
        "Delivered-To: a@x.example\nX-Original-To: b@x.example\nEnvelope-To: c@x.example\n" + DAEMON
    )
    head += "Received: from r by m for <d@x.example>; Mon, 6 Jan 2025 07:00:00 +0000\n"
    traces = read_report(dsn(recipient(), head=head)).traces
    assert {
        *("a@x.example", "b@x.example", "c@x.example", "d@x.example"),
        *("b+token@bounces.ours.example", "envelope-7", "<b+token@bounces.ours.example>"),
        *("<edition-7.abc@ours.example>", "<https://ours.example/unsubscribe/abc>"),
    } <= set(traces)
    assert len(set(traces)) == len(traces)


def test_traces_are_few_and_short_and_can_be_stored() -> None:
    head = "".join(f"Delivered-To: {n}{'x' * 1500}\x01\n" for n in range(60))
    traces = read_report((head + DAEMON + "\nx\n").encode()).traces
    assert len(traces) == 50
    assert max(map(len, traces)) <= 1000
    assert "\x01" not in "".join(traces)


# --------------------------------------------------------------- what comes by mail as JSON


def test_a_providers_notification_by_mail_is_understood() -> None:
    people = [{"emailAddress": ANNA, "status": "5.1.1", "diagnosticCode": "smtp; 550 user unknown"}]
    event = {"notificationType": "Bounce", "bounce": {"bouncedRecipients": people}}
    text = f"From: Notifications <n@sns.example>\nSubject: x\n\n{json.dumps(event)}\n--\nFooter\n"
    assert found(read_report(text.encode())) == [(ANNA, "gone")]
    complaint = {"notificationType": "Complaint", "complaint": {"complainedRecipients": people}}
    report = read_report(f"From: n@sns.example\n\n{json.dumps(complaint)}\n".encode())
    assert (report.kind, report.leaves, report.addresses) == (ReportKind.COMPLAINT, True, (ANNA,))


# --------------------------------------------------------------- however large or broken

NEST = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(10_000))
HUGE = {
    "20 MB of text": DAEMON + "\n" + "x" * 20_000_000,
    "addresses without end": DAEMON + "\n" + "<anna@there.example>: user unknown\n" * 100_000,
    "ats": DAEMON + "\n" + "@" * 1_000_000,
    "a word of 1 MB": DAEMON + "\n" + "a" * 1_000_000 + "@there.example",
    "spaces": DAEMON + "\n" + (" " * 1999 + "\n") * 500,
    "dashes": DAEMON + "\n" + ("-" * 1999 + "\n") * 500,
    "a field of 1 MB": "X: " + "a " * 500_000 + "\n" + DAEMON + "\nx\n",
    "fields without end": "X: 1\n" * 200_000 + DAEMON,
    "encoded words": "Subject: " + "=?utf-8?q?a?= " * 70_000 + "\n" + DAEMON + "\nx\n",
    "parts in parts": DAEMON + NEST,
    "parts without end": DAEMON
    + "Content-Type: multipart/mixed; boundary=b\n\n"
    + "--b\n\nx\n" * 150_000,
    "recipients without end": dsn(*(recipient(f"u{n}@x.example") for n in range(20_000))).decode(),
    "words without end": dsn(
        *(recipient(f"u{n}@x.example", Diagnostic_Code="550 " + "user " * 400) for n in range(300)),
        told="user " * 10_000,
    ).decode(),
    "open tags": DAEMON + "Content-Type: text/html\n\n" + "<style>" * 100_000,
    "brackets": f'{DAEMON}Content-Type: text/plain\n\n{{"notificationType":' + "[" * 100_000,
}


@pytest.mark.parametrize("name", HUGE)
def test_time_is_bounded(name: str) -> None:
    began = time.process_time()
    read_report(HUGE[name].encode())
    assert time.process_time() - began < 1


def test_the_tail_of_a_large_mail_is_not_looked_at() -> None:
    data = dsn(recipient()) + b"x" * 5_000_000
    assert read_report(data) == read_report(data[:1_048_576])


@pytest.mark.parametrize(
    "charset",
    [
        "utf-7",
        "hz",
        "utf-16",
        "idna",
        "punycode",
        "zlib",
        "unicode_escape",
        "undefined",
        "",
        "x" * 99,
    ],
)
def test_a_charset_may_be_a_lie(charset: str) -> None:
    body = b"+2D0- \xff\xfe ~{ \x1b$B <anna@there.example>: user unknown\n"
    data = f"{DAEMON}Content-Type: text/plain; charset={charset}\n\n".encode() + body
    report = read_report(data)
    for each in report.failures:
        each.text.encode()
    assert report.kind is ReportKind.BOUNCE


# --------------------------------------------------------------- real ones, where we have them


def expected_files(corpora: Path) -> list[dict[str, Any]]:
    path = corpora / "bounces" / "expected.json"
    files: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["files"]
    return files


def share(right: list[bool]) -> float:
    assert right
    return sum(right) / len(right)


def test_real_reports_are_told_apart(corpora: Path) -> None:
    right = []
    for each in expected_files(corpora):
        kind = read_report((corpora / each["file"]).read_bytes()).kind.value
        if each["kind"] == "not_bounce":
            right.append(kind not in ("bounce", "complaint"))
        elif each["kind"] != "no_address":
            right.append(kind == each["kind"])
    assert share(right) >= 0.97


def test_real_recipients_are_found_without_our_token(corpora: Path) -> None:
    right = []
    for each in expected_files(corpora):
        report = read_report((corpora / each["file"]).read_bytes())
        if each["kind"] in ("bounce", "no_address"):
            wanted = {one["address"] for one in each["recipients"]}
            right.append({one.address.lower() for one in report.failures} == wanted)
    assert share(right) >= 0.97


def test_real_people_are_let_go_for_good_reasons_only(corpora: Path) -> None:
    ended, wanted = [], []
    for each in expected_files(corpora):
        report = read_report((corpora / each["file"]).read_bytes())
        causes: dict[str, Cause] = {one.address.lower(): one.cause for one in report.failures}
        for one in each.get("recipients", []):
            if one.get("class_strict") and one["address"] in causes and each["kind"] == "bounce":
                hard = causes[one["address"]].hard
                ended += [one["class"] == "hard"] if hard else []
                wanted += [hard] if one["class"] == "hard" else []
    assert share(ended) >= 0.97
    assert share(wanted) >= 0.75
