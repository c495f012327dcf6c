"""Failure notices without a delivery status, in the forms that mail systems write: who, and why."""

# ruff: noqa: E501, RUF001 -- lines as long, and full stops as wide, as mail systems write them

from __future__ import annotations

from textwrap import dedent

import pytest

from digest.deliveries.reports import read_report
from digest.model.report import ReportKind

ANNA = "anna@there.example"
DAEMON = """\
Return-Path: <>
From: Mail Delivery Subsystem <MAILER-DAEMON@relay.example>
To: news@ours.example
"""
RETURNED = """\
Received: from web by relay.example; Mon, 6 Jan 2025 07:00:00 +0000
From: News <news@ours.example>
To: anna@there.example
Subject: The morning
Message-ID: <m1@ours.example>

Good morning.
"""


def notice(
    subject: str, body: str, *, head: str = DAEMON, kind: str = "text/plain; charset=utf-8"
) -> bytes:
    text = f"{head}Subject: {subject}\nMIME-Version: 1.0\nContent-Type: {kind}\n\n{dedent(body)}"
    return text.encode()


FORMS: dict[str, tuple[bytes, list[tuple[str, str]]]] = {
    "ex55": (
        notice(
            "Undeliverable: Morning",
            r"""
            Your message

              To:      anna@there.example
              Subject: Morning
              Sent:    Mon, 1 Jan 2024 00:00:00 -0000

            did not reach these recipient(s):

            c=us;a= ;p=there;o=site;dda:SMTP=anna@there.example; on Mon, 1 Jan 2024 00:00:00 -0000
                Recipient name not recognized
                MTS-ID: c=us
                MSEXCH:IMS:There:SITE:MX 0 (000C05A6) Unknown Recipient
            """,
        ),
        [(ANNA, "gone")],
    ),
    "ex2007": (
        notice(
            "Undeliverable: Morning",
            r"""
            <html><body><p><b>Delivery has failed for:</b></p><p><a href='mailto:anna@there.example'>anna@there.example</a><br>This e-mail address couldn't be found.</p><p>Diagnostic information for administrators:</p><p>Generating server: mx.there.example</p><p>anna@there.example<br>#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##</p><p>Original message headers:</p><pre>Received: from mx by x
            From: News &lt;news@ours.example&gt;
            To: &lt;anna@there.example&gt;</pre></body></html>
            """,
            kind="text/html; charset=utf-8",
        ),
        [(ANNA, "gone")],
    ),
    "notes": (
        notice(
            "Undeliverable mail",
            r"""
            ------- Failure Reasons  --------

            User not listed in public Name & Address Book
            anna@there.example


            ------- Returned Message --------

            Received: from x by y
            From: news@ours.example
            To: anna@there.example
            """,
        ),
        [(ANNA, "gone")],
    ),
    "groupwise": (
        notice(
            "Message status - undeliverable",
            r"""
            Your mail was undeliverable to the following:
                anna (user not found)

            Possibly truncated original message follows:
            """
            + RETURNED,
        ),
        [(ANNA, "gone")],
    ),
    "courier": (
        notice(
            "NOTICE: mail delivery status.",
            r"""
            A delivery status notification from relay.example,
            running the Courier mail server, version 0.65.

            The original message was received on Mon

            ---------------------------------------------------------------------------

                                       UNDELIVERABLE MAIL

            It cannot be delivered to the following recipients:

            <anna@there.example>:
                mx.there.example [192.0.2.1]:
            >>> RCPT TO:<anna@there.example>
            <<< 550 5.1.1 <anna@there.example>... User Unknown

            ---------------------------------------------------------------------------

            Others may have got it.
            """,
        ),
        [(ANNA, "gone")],
    ),
    "mcafee": (
        notice(
            "Delivery Status",
            r"""
            --- The following addresses had delivery problems ---

            <anna@there.example>   (User unknown anna@there.example)

            --------------Returned message
            """,
        ),
        [(ANNA, "gone")],
    ),
    "interscan": (
        notice(
            "Mail could not be delivered",
            r"""
            Unable to deliver message to <anna@there.example>
            Sent <<< RCPT TO:<anna@there.example>
            Received >>> 550 5.1.1 <anna@there.example>... user unknown
            """,
        ),
        [(ANNA, "gone")],
    ),
    "marshal": (
        notice(
            'Undeliverable Mail: "Morning"',
            r"""
            Your message:
               From:    news@ours.example
               Subject: Morning

            Could not be delivered because of

            550 5.1.1 User unknown

            These recipients were affected:
                anna@there.example


            Additional Information
            ======================

            Original Sender:    <news@ours.example>
            Sender-MTA:         <192.0.2.1>
            Remote-MTA:         <192.0.2.9>
            Reporting-MTA:      <relay.example>
            MessageName:        <B549996730000.000000000001.0003.mml>
            """,
        ),
        [(ANNA, "gone")],
    ),
    "foundry": (
        notice(
            "Message delivery has failed",
            r"""
            This is the MailFoundry

            Unable to deliver message to: <anna@there.example>
            Delivery failed for the following reason:
            Server mx22.there.example[192.0.2.222] failed with: 550 <anna@there.example> No such user here
            """,
        ),
        [(ANNA, "gone")],
    ),
    "biglobe": (
        notice(
            "Returned mail: User unknown",
            r"""
               ----- The following addresses had delivery problems -----
            <anna@there.example>

               ----- Non-delivered information -----
            The messages in this mailbox exceeded the local limit.

               ----- Original message follows -----
            """
            + RETURNED,
        ),
        [(ANNA, "full")],
    ),
    "ah": (
        notice(
            "FAILURE NOTICE :",
            r"""
            Hi. This is the mail system

              ----- The following addresses had permanent fatal errors -----

            >>> anna@there.example <anna@there.example>

              ----- Transcript of session follows -----
            550 sorry, no mailbox here by that name (#5.1.1 - chkusr)

              ----- Original message follows -----
            """
            + RETURNED,
        ),
        [(ANNA, "gone")],
    ),
    "x6": (
        notice(
            "An error sending your mail",
            r"""
            We had trouble delivering it. The details:

            Subject: 'Morning'
            Date: 'Mon'

            1 error(s):

            SMTP Server <mta2.there.example> rejected recipient <anna@there.example>
              (Error following RCPT command). It responded as follows: [550 5.1.1 <anna@there.example>... User Unknown]
            """,
            head='From: "Email Delivery" <mail.delivery@relay.example>\nTo: news@ours.example\n',
        ),
        [(ANNA, "gone")],
    ),
    "v5": (
        notice(
            "Returned mail: Cannot send message within 3 days",
            r"""
               ----- Transcript of session follows -----
            While talking to smtp.there.example:
            >>> RCPT To:<anna@there.example>
            <<< 550 <anna@there.example>, User Unknown
            550 <anna@there.example>... User unknown
            421 smtp.there.example (smtp)... Deferred

               ----- Unsent message follows -----
            """
            + RETURNED,
        ),
        [(ANNA, "gone")],
    ),
    "zoho1": (
        notice(
            "Undelivered Mail Returned to Sender",
            r"""
            Written by the relay itself.
             Your mail could not be delivered to some of those it was for.

            anna@there.example Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 <anna@there.example>... User Unknown


            Received:from mail.zoho.example by mx.zoho.example
             From:news <news@ours.example>
            To:anna@there.example
            """,
        ),
        [(ANNA, "gone")],
    ),
    "zoho2": (
        notice(
            "Undelivered Mail Returned to Sender",
            r"""
            Your mail could not be delivered to some of those it was for.

            [Status: Error, Address: <anna@there.example>, ResponseCode 550, , Recipient rejected User unknown.]
            """,
        ),
        [(ANNA, "gone")],
    ),
    "imail1": (
        notice(
            "Undeliverable Mail",
            r"""
            User mailbox exceeds allowed size: anna@there.example

            Original message follows.
            """
            + RETURNED,
            head="From: Postmaster <postmaster@relay.example>\nTo: news@ours.example\nX-Mailer: <SMTP32 v8.22>\n",
        ),
        [(ANNA, "full")],
    ),
    "imail2": (
        notice(
            "Undeliverable Mail",
            r"""
            Unknown user: anna@there.example

            RCPT TO generated following response:
            550 5.1.1 <anna@there.example>

            Original message follows.
            """
            + RETURNED,
        ),
        [(ANNA, "gone")],
    ),
    "imail3": (
        notice(
            "Undeliverable Mail",
            r"""
            undeliverable to anna@there.example
            Server response to RCPT TO: 550 Mailbox unavailable

            Original message follows.
            """
            + RETURNED,
        ),
        [(ANNA, "gone")],
    ),
    "james": (
        notice(
            "[BOUNCE]",
            r"""
            Hi. This is the James mail server at relay.
            I was not able to deliver it to the following addresses.
            I have given up. Below is
            whom it did not reach and why I was unable to deliver
            your message.

            Message details:
              Subject: Morning
              Sent date: Mon
              MAIL FROM: news@ours.example
              RCPT TO: anna@there.example
              From: news@ours.example
              To: anna@there.example
              Size (in bytes): 1024

            Error message below:
            550 - Requested action not taken: no such user here
            """,
        ),
        [(ANNA, "gone")],
    ),
    "verizon": (
        notice(
            "Undeliverable Message",
            r"""
            Not delivered to mobile.
            Error: No valid recipients for this MM

            Not delivered to mobile.
            RCPT TO: anna@there.example

            Subject: Morning
            """,
            head="From: post_master@vzwpix.example\nTo: news@ours.example\n",
        ),
        [(ANNA, "gone")],
    ),
    "kdd": (
        notice(
            "Mail System Error - Returned Mail",
            r"""
            Your mail sent on: Mon
                 Could not be delivered to: <anna@there.example>
                 As their mailbox is full.
            """,
            head="From: Postmaster@carrier.example\nTo: news@ours.example\n",
        ),
        [(ANNA, "full")],
    ),
    "ezlim": (
        notice(
            "Mail System Error - Returned Mail",
            r"""
            The user(s) account is temporarily limited.

            <anna@there.example>
            """,
        ),
        [(ANNA, "passing")],
    ),
    "qq": (
        notice(
            "系统退信",
            r"""
            您的邮件被退回。
            原邮件信息：
            时间    2024-01-01 00:00
            收件人    anna@there.example

            退信原因：
            收件人邮件地址（anna@there.example）不存在，邮件无法送达。
            host mx.there.example said: 550 Mailbox not found
            """,
            head="From: PostMaster@qq.example\nTo: news@ours.example\n",
        ),
        [(ANNA, "gone")],
    ),
    "german": (
        notice(
            "Unzustellbar: Morning",
            r"""
            Nicht zugestellt wurde sie an:

            anna@there.example
            Empfänger unbekannt.
            """,
        ),
        [(ANNA, "gone")],
    ),
    "gmxde": (
        notice(
            "Mail delivery failed: returning message to sender",
            r"""
            Ein Programm schreibt Ihnen.

            Ihre Nachricht konnte nicht zugestellt werden:

            anna@there.example:
            SMTP error from remote server for RCPT TO command, host: mx.there.example (192.0.2.1) reason: 552 Postfach ist voll

            --- Der Header der ursprünglichen Nachricht folgt. ---

            Received: from x by y
            From: news@ours.example
            To: anna@there.example
            """,
        ),
        [(ANNA, "full")],
    ),
    "french": (
        notice(
            "Échec de la remise : Morning",
            r"""
            Non remis :

            anna@there.example
            Utilisateur inconnu.
            """,
        ),
        [(ANNA, "gone")],
    ),
    "spanish": (
        notice(
            "No se puede entregar: Morning",
            r"""
            No entregado a:

            anna@there.example
            El buzón está lleno.
            """,
        ),
        [(ANNA, "full")],
    ),
    "russian": (
        notice(
            "Недоставленное сообщение",
            r"""
            Письмо не доставлено:

            anna@there.example
              Пользователь не существует
            """,
        ),
        [(ANNA, "gone")],
    ),
    "japan": (
        notice(
            "配信エラー通知",
            r"""
            以下の宛先へのメールを配信できませんでした。

            宛先 <anna@there.example>

            ユーザが存在しません
            """,
        ),
        [(ANNA, "gone")],
    ),
    "jmbox": (
        notice(
            "エラーメール",
            r"""
            メールボックスの容量が一杯のため配信できませんでした
            anna@there.example
            """,
        ),
        [(ANNA, "full")],
    ),
    "yahoo": (
        notice(
            "Failure Notice",
            r"""
            We were unable to deliver it to the following address.

            <anna@there.example>:
            Remote host said: 554 delivery error: dd This user doesn't have a there.example account (anna@there.example) [-5] - mta1 [BODY]

            --- Below this line is a copy of the message.
            """
            + RETURNED,
        ),
        [(ANNA, "gone")],
    ),
    "yahoo2": (
        notice(
            "Failure Notice",
            r"""
            We were unable to deliver it to the following address.

            <anna@there.example>:
            Remote host said: 554 delivery error: dd This account has been disabled or discontinued [#102]. - mta1 [BODY]
            """,
        ),
        [(ANNA, "closed")],
    ),
    "gnew": (
        notice(
            "Delivery Status Notification (Failure)",
            r"""
            ** Message blocked **

            Your message to anna@there.example has been blocked. See technical details below for more information.

            The remote server answered:

            550 5.7.1 Message rejected due to local policy
            """,
        ),
        [(ANNA, "blocked")],
    ),
    "eximgen": (
        notice(
            "Mail delivery failed: returning message to sender",
            r"""
            Written by the relay itself.

            Your mail could not be delivered to some of those it was
            for. The following address(es) failed:

              bert@else.example
                (generated from anna@there.example)
                SMTP error from remote mail server after RCPT TO:<bert@else.example>:
                host mx [192.0.2.1]: 550 Unknown user
            """,
        ),
        [("bert@else.example", "gone")],
    ),
    "eximpipe": (
        notice(
            "Mail delivery failed: returning message to sender",
            r"""
            Your mail could not be delivered to some of those it was
            for. The following address(es) failed:

              pipe to |/usr/local/bin/filter
                generated by anna@there.example
                Child process of address_pipe transport returned 2 from command
            """,
        ),
        [(ANNA, "refused")],
    ),
    "twocauses": (
        notice(
            "failure notice",
            r"""
            Here is qmail-send at relay.example.
            I was not able to deliver it to the following addresses.

            <anna@there.example>:
            Sorry, no mailbox here by that name. vpopmail (#5.1.1)

            <bert@there.example>:
            User and/or domain quota exceeded (#5.2.2)

            <carl@gone.example>:
            Sorry, I couldn't find any host named gone.example. (#5.1.2)

            <dora@slow.example>:
            CNAME lookup failed temporarily. (#4.4.3)
            It stayed in the queue too long.

            --- Below this line is a copy of the message.
            """
            + RETURNED,
        ),
        [
            (ANNA, "gone"),
            ("bert@there.example", "full"),
            ("carl@gone.example", "nowhere"),
            ("dora@slow.example", "passing"),
        ],
    ),
    "sendmailtwo": (
        notice(
            "Returned mail: User unknown",
            r"""
            It was received on Monday

               ----- The following addresses had permanent fatal errors -----
            <anna@there.example>
                (expanded from: <team@ours.example>)

               ----- Transcript of session follows -----
            ... while talking to mx.there.example.:
            >>> RCPT To:<anna@there.example>
            <<< 550 5.1.1 <anna@there.example>... User unknown
            550 5.1.1 <team@ours.example>... User unknown
            """,
        ),
        [(ANNA, "gone")],
    ),
    "surgemail": (
        notice(
            "Message Delivery Failure",
            r"""
            It cannot be delivered to the following recipients:

            Failed Recipient: anna@there.example
            Reason: Remote host said: 550 User not local or bad address

               -- The header and top 20 lines of the message follows --
            """
            + RETURNED,
        ),
        [(ANNA, "gone")],
    ),
    "mdaemon": (
        notice(
            "Permanent Delivery Failure",
            r"""
            PERMANENT fatal delivery errors!

            After some attempts it has
            left the queue of this server.

            Failed address: anna@there.example

            --- Session Transcript ---
             Mon: Session 1; child 1
             --> RCPT To:<anna@there.example>
             <-- 550 <anna@there.example>, Recipient unknown
            --- End Transcript ---
            """,
        ),
        [(ANNA, "gone")],
    ),
    "communigate": (
        notice(
            "Undeliverable Mail",
            r"""
            Failed to deliver to '<anna@there.example>'
            SMTP module(domain there.example) reports:
             host mx.there.example says:
             550 5.1.1 unknown or illegal alias: anna@there.example
            """,
        ),
        [(ANNA, "gone")],
    ),
    "mimesweep": (
        notice(
            "Undeliverable: Morning",
            r"""
            One of your mails could not be delivered.
            The recipient's address was: anna@there.example
            The reason: Host unknown
            """,
        ),
        [(ANNA, "nowhere")],
    ),
    "aolspam": (
        notice(
            "Mail Delivery Problem",
            r"""
            No delivery to these address(es):

            <anna@there.example>: 554 5.7.1 RLY:B1 Message blocked: looks like spam, see postmaster page for user unknown problems
            """,
        ),
        [(ANNA, "blocked")],
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_notice_in_words_says_who_and_why(name: str) -> None:
    data, expected = FORMS[name]
    report = read_report(data)
    assert report.kind is ReportKind.BOUNCE
    found = [(each.address, each.cause.value) for each in report.failures]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("name", FORMS)
def test_line_ends_and_the_transfer_encoding_change_nothing(name: str) -> None:
    data, expected = FORMS[name]
    head, _, body = data.partition(b"\n\n")
    encoded = body.replace(b"=", b"=3D").replace(b"\xe3", b"=E3")
    head += b"\nContent-Transfer-Encoding: quoted-printable"
    for each in (data.replace(b"\n", b"\r\n"), head + b"\n\n" + encoded):
        found = [(one.address, one.cause.value) for one in read_report(each).failures]
        assert sorted(found) == sorted(expected)


LATE = {
    "Gmail": (
        "Delivery Status Notification (Delay)",
        """
        ** Delivery incomplete **

        There is a temporary problem with delivering to anna@there.example.
        Gmail will retry for 47 more hours. We tell you if it fails permanently.
        """,
    ),
    "Exim": (
        "Warning: message 1X58pT-0004bZ-Co delayed 24 hours",
        """
        Your mail has not yet been delivered to some of its
        recipients after more than 24 hours on the queue on relay.example.

        It has not yet been delivered to:

          anna@there.example
            Delay reason: Connection timed out

        No action is required. Delivery attempts will continue for
        some time.
        """,
    ),
    "Postfix": (
        "Delayed Mail (still being retried)",
        """
        # THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #

        <anna@there.example>: user unknown, says the host, but only for now
        """,
    ),
}


@pytest.mark.parametrize("name", LATE)
def test_a_late_message_is_no_bounce_and_nobody_is_gone(name: str) -> None:
    report = read_report(notice(*LATE[name]))
    assert report.kind is ReportKind.DELAYED
    assert [each.address for each in report.failures] == [ANNA]
    assert not any(each.cause.hard for each in report.failures)


def test_japanese_in_its_own_charset_is_read() -> None:
    head = b"From: Postmaster@carrier.example\nTo: news@ours.example\nSubject: "
    subject = b"=?iso-2022-jp?B?GyRCR1s/LiUoJWkhPBsoQg==?="
    kind = b"\nContent-Type: text/plain; charset=iso-2022-jp\n\n"
    text = "宛先のメールボックスが一杯です。\n<anna@there.example>\n".encode("iso-2022-jp")
    (failure,) = read_report(head + subject + kind + text).failures
    assert (failure.address, failure.cause.value) == (ANNA, "full")
