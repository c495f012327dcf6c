"""Tells by small marks what a mail without a report part is: failure, delay, answer or none."""

from __future__ import annotations

import re

from digest.deliveries.reports import addresses
from digest.deliveries.reports.parcel import Header
from digest.deliveries.reports.wording import any_of

#: points from which words alone make a bounce
ENOUGH = 3

_RE = re.compile(
    r"^\s*(?:re|aw|antw|sv|fwd?|wg|tr|rv|vs|回复|转发)\s*(?:\[\d+\])?\s*:", re.IGNORECASE
)
_DAEMON_NAME = any_of(
    r"""
    mail(?:er)?[ ._-]?(?:delivery|daemon|administrator|deliver|system)
    delivery (?:sub)?system
    system ?administrator
    post ?master
    mail server
    internet mail
    daemon
    système
    administrador del
    """
)
_FAILED_SUBJECT = any_of(
    r"""
    undeliver|non.?deliver|not deliver|ndr:
    deliver\w*.{0,40}?(?:fail|error|problem|status|notification|report|impossible|unable|warning)
    fail\w*.{0,30}?(?:deliver|notice|mail|notification)
    return\w* (?:mail|message|to sender|e-?mail)
    mail.{0,20}?(?:fail|error|return|undeliver|bounced)
    (?:failure|error|bounce) (?:notice|notification|mail|report)
    (?:could(?:n't| not)|can(?:not|'t)) (?:be )?(?:send|sent|deliver)
    bounced|\[bounce\]|rejected|message blocked|mta-blocked
    user unknown|unknown user
    mail system error|message status|message you sent
    unable to deliver|problem deliver
    unzustellbar|nicht (?:zugestellt|zustellbar)|zustell\w*.{0,20}?(?:fehl|problem|nicht)
    non remis|échec|echec
    no (?:se )?(?:pudo|entreg)|devuelto|no se puede
    mancat\w* (?:recapito|consegna)|impossibile|non recapitat
    não entregue|falha
    niedostarcz|zwrot|nie dostarcz|zwrócon
    onbestelbaar
    недоставл|не доставл|ошибка|возвра
    配信|送信|送達|エラー|リターン|返送|メール.{0,10}?できません
    退信|投递|投遞|退回|无法|無法|失败|失敗
    """
)
_FAILED = any_of(
    r"""
    (?:could|can|was|were|been|did|has|have|is)(?:n.t| ?not) (?:be |been |able to )?<done>
    unable to (?:be )?<done>
    (?:wasn't|was not|were not) able to
    undeliverable|non-deliverable|not delivered
    deliver\w*.{0,60}?(?:fail|not possible|impossible|abort|problem|error)
    fail\w*.{0,40}?(?:deliver|address|send|recipient)
    permanent(?:ly)? (?:fatal )?(?:error|fail)
    following (?:address|recipient|error|destination|user)
    returned (?:to|because|mail|message|for|un)
    (?:was|been) (?:rejected|blocked)
    rejected (?:by|recipient)
    transcript of session
    had trouble delivering|giving up|given up|bounced
    user unknown|unknown user|no such user|not listed in|does not exist
    mailbox (?:is )?full
    error\s*:|error occurred|\b550[ -]
    nicht zugestellt|konnte\w* nicht|nicht ausgeliefert|unzustellbar
    n'a pas pu|n'ont pas|non remis
    no (?:se )?(?:ha )?(?:pudo|podido)
    non (?:è stato|è possibile)
    não (?:pôde|foi)
    nie (?:mo|zosta)
    не (?:может|удалось|доставлено|было)
    できません|できなかった|配信|届け|エラー|失敗
    无法|無法|失败|不能|退回|邮件
    """,
    done=r"deliver|sent|send|reach|relay|process|complete",
)
_LATE_SUBJECT = any_of(
    r"""
    delay|not yet|still being retried|temporar
    \bwarning: (?:could not|message|mail|unable)
    could not send message for past
    verzögert|retard|retras|ritard|atras|opóźn|задерж
    遅延|延迟|延遲
    """
)
_LATE = any_of(
    r"""
    warning (?:message )?only
    do not need to re-?send
    (?:will be|still being) retried
    (?:has|have|is|been|are) (?:been )?(?:temporarily )?delayed
    delivery.{0,40}?delayed
    will (?:continue|keep) (?:to )?try|continue (?:to try|trying)
    will (?:be )?(?:retr|try again|try to|attempt)
    not yet (?:been )?deliver|still undelivered
    attempts? (?:to deliver .{0,40})?will continue
    no action is required
    remains? (?:in the|on the) (?:mail )?queue
    noch nicht zugestellt|weiterhin versuch
    sera retent|seguir\w* intent
    """
)
_FINAL = any_of(
    r"""
    permanent|fatal|aborted
    giv(?:en|ing) up
    will (?:not|no longer) (?:be )?(?:retr|try|attempt|continue)|not be retried
    (?:has|have) failed
    could not be delivered within
    no further (?:attempts|delivery)
    (?:was|being|is) returned
    """
)
_CODES = re.compile(r"\b[45]\d\d[ -]|\b[45]\.\d\.\d{1,2}\b")
_ARRIVED_SUBJECT = any_of(
    r"""
    \bsuccess|return receipt|delivery (?:confirmation|receipt)
    \b(?:delivered|relayed|expanded):|\(relay\)|\(expanded\)
    \b(?:zugestellt|entregado|consegnato):|übermittelt|^remis :
    """
)
_AWAY_SUBJECT = any_of(
    r"""
    ^\W{0,3}auto(?:matic|matische|mated|\.)?[ -]?(?:re(?:ply|sponse|sponder|action)|antwort)
    ^\W{0,3}auto(?:matic|mated)?[ -]?(?:notification|generated)|^\W{0,3}auto(?: re)? ?:
    ^\W{0,3}(?:ooo\b|out of the|away\b|(?:on )?vacation|holiday|on leave)
    ^\W{0,3}i(?:'m| am) (?:away|out|on)|^\W{0,3}i will be
    ^\W{0,3}(?:abwesen|nicht im (?:büro|haus)|urlaub|autoantwort)
    ^\W{0,3}(?:réponse automatique|absence|absent|en congé)
    ^\W{0,3}(?:respuesta automática|fuera de (?:la )?oficina)
    ^\W{0,3}(?:risposta automatica|fuori sede|resposta automática|fora d)
    ^\W{0,3}(?:automatisch antwoord|automatische (?:reactie|antwort)|afwezig)
    ^\W{0,3}(?:autosvar|frånvaro|fravær|poissa|automaattinen)
    ^\W{0,3}(?:odpowiedź automatyczna|nieobecn|автоответ|автоматический ответ)
    ^\W{0,3}(?:不在|自動回覆|자동|既読|開封済み|已读)
    # read receipts
    ^\W{0,3}(?:not )?read:|^\W{0,3}(?:un)?gelesen:|^\W{0,3}(?:lu :|leído:|letto:|lido:|прочитано:)
    out of (?:the )?office|auto-?repl(?:y|ied)|automatic reply|auto-?response|abwesenheits
    vacation (?:message|reply|response|notice)
    自動応答|自動返信|自动回复
    """
)
_TICKET = any_of(
    r"""
    ticket|case (?:number|id)|request received
    we (?:have )?received your|thank you for (?:your|contacting)
    """
)


def is_daemon(header: Header) -> bool:
    """True when it says that a mail system wrote it."""
    for value in header.all("from", "sender", "return-path"):
        address = addresses.first(value)
        if address and addresses.is_daemon(address):
            return True
        if re.fullmatch(r"<?(?:mailer-daemon|postmaster)>?", value.strip(), re.IGNORECASE):
            return True
    return bool(_DAEMON_NAME.search(addresses.ADDRESS.sub(" ", header.get("from"))))


def is_nobody(header: Header) -> bool:
    """True when the envelope's sender is empty: nobody may answer it (RFC 5321 4.5.5)."""
    paths = header.all("return-path", "x-envelope-from", "x-env-sender")
    return any(path.strip() in ("<>", "") or path.strip().startswith("<>") for path in paths) or (
        header.has("from") and header.get("from").strip() in ("<>", "")
    )


def is_answer(header: Header) -> bool:
    """True for a mail that a person sends on or answers."""
    return _RE.match(header.get("subject")) is not None


def is_failure(header: Header, notice: str, *, returns: bool) -> bool:
    """True when enough speaks for a failure notice; `returns`: a message's header comes with it."""
    if header.has("x-failed-recipients"):
        return True
    system = 2 * is_daemon(header) + is_nobody(header)
    answered = is_answer(header)
    points = system
    points += 0 if answered else 2 * bool(_FAILED_SUBJECT.search(header.get("subject")))
    points += 2 * ("multipart/report" in header.get("content-type").lower())
    points += bool(_FAILED.search(notice))
    coded = _CODES.search(notice) is not None
    if system:
        return points + (returns and coded) >= ENOUGH
    if answered or header.has("list-id") or header.has("list-unsubscribe"):
        return False
    # it may be a person who writes about failures: then codes or the message itself must be there
    return points + returns + coded > ENOUGH


def is_late(header: Header, notice: str) -> bool:
    """True when it says that somebody goes on trying."""
    if _LATE_SUBJECT.search(header.get("subject")):
        return True
    return bool(_LATE.search(notice)) and not _FINAL.search(notice)


def is_arrived(header: Header) -> bool:
    """True for a receipt: the message is in the mailbox."""
    return _ARRIVED_SUBJECT.search(header.get("subject")) is not None


def is_away_subject(header: Header) -> bool:
    """True for the subject of a program that answers for somebody."""
    return _AWAY_SUBJECT.search(header.get("subject")) is not None


def is_autoreply(header: Header) -> bool:
    """True for an answer of a program (RFC 3834 5) that is no failure notice."""
    submitted = header.get("auto-submitted").strip().lower()
    listed = header.has("list-id") or header.has("list-unsubscribe")
    if submitted.startswith(("auto-replied", "auto-notified", "auto-reply")):
        return True
    if submitted.startswith("auto-generated") and not listed:
        return True
    names = (
        "x-autoreply",
        "x-autorespond",
        "x-autoresponder",
        "x-auto-reply",
        "x-auto-responder",
        "x-autoreply-from",
        "x-apple-action",
        "x-mail-autoreply",
        "x-vacation",
        "x-ms-exchange-inbox-rules-loop",
        "x-cron-env",
        "x-mdautorespond",
        "auto-submitted-reply",
    )
    if any(header.has(name) for name in names) and header.get("x-autoreply").lower() != "no":
        return True
    precedence = " ".join(header.all("precedence", "x-precedence")).lower()
    if re.search(r"auto[_-]?reply", precedence):
        return True
    if is_away_subject(header):
        return True
    answered = header.has("x-auto-response-suppress") and header.has("in-reply-to")
    return (answered and not listed) or (
        precedence.strip() == "junk" and _TICKET.search(header.get("subject")) is not None
    )
