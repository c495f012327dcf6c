"""What mail servers say of a mailbox or a domain that is not there, as ordered rules.

Patterns read text without addresses (`causes.normalise`), in any of the languages that we met.
"""

from __future__ import annotations

import re

from digest.deliveries.reports.wording import any_of
from digest.model.report import Cause

_WHO = r"""
    user ?(?:name|id)?
    recipient
    mail ?box
    (?:e-?mail )?(?:account|address)
    e-?mail
    addressee
    person
    customer
    subscriber
    alias
    login
    member
    destinat\w+
    rcpt
    inbox
    local.?part
    name
"""
_SUCH = r"""
    valid
    local
    existing
    active
    known
    registered
    correct
    mail
    such
    our
"""
_UNKNOWN = r"""
    unknown
    not (?:found|exist\w*|known|listed|valid|local|present|defined|registered|here|ok\b)
    not recogni[sz]ed
    not available for this user
    non-?existent
    (?:doesn't|does not|didn't) exist
    invalid
    unrecogni[sz]ed
    undeliverable
    (?:couldn't|could not|can't|cannot) be found
    (?:wasn't|was not) found
"""

#: a mailbox that is not there
GONE = any_of(
    r"""
    no such (?:<such> ){0,2}<who>
    <un> (?:or \w+ )?(?:<such> |final |virtual |delivery |destination |to |in ){0,3}<who>
    <who>\b[^.;]{0,80}? <unknown>\b
    (?:not|isn't) (?:an? |one of )?(?:<such> ){0,2}<who>
    no (?:<such> )?<who>s?\b.{0,40}?(?:here|by (?:that|this)|with|of that|for|on this|available)
    no (?:<such> )?<who>s?\b.{0,40}?(?:named|match|at this|exist|found|$)
    no (?:valid|such) (?:recipients?|addresses?|rcpt)
    no mail ?box\b
    do(?:es|s)(?:n't| not) have an? \S{0,60} ?(?:account|mailbox)
    address(?:es)? (?:you (?:entered|typed|sent) )?(?:\S{1,40} )?(?:couldn't|could not|cannot)
    address(?:es)? (?:you (?:entered|typed|sent) )?(?:\S{1,40} )?do(?:es|s)(?:n't| not)~
    \bdo(?:es|s)(?:n't| not) exist\b
    not (?:our|listed in)~
    (?:user|recipient|mailbox|account|name)[ _-]?unknown
    unknown[ _-](?:user|recipient|mailbox|local|account|address)
    (?:address|addressee) unknown
    unknown to (?:this|the|our)
    recipient (?:address )?rejected: (?:user|unknown|undeliverable|no such|unverified)
    recipient (?:address )?rejected: (?:invalid|not|does)
    there is no one at this address
    never (?:was|existed)
    unable to (?:find|locate|validate) (?:the )?(?:recipient|user|mailbox|addressee)
    requested action not taken: mailbox unavailable
    mailbox (?:is )?(?:unavailable|not available)(?! (?:now|at the moment|temporar|for the))
    account unavailable
    (?:user|mailbox|recipient) (?:was |has been |is )?(?:deleted|removed)
    not (?:currently )?(?:a )?subscriber
    who(?:m)?ever you are sending
    has no mailbox
    not handled here
    (?:can't|cannot|unable to) accept (?:this )?user
    bad (?:address|recipient)|bad-recipient|bad ?rcptto|valid ?rcptto
    user lookup failed
    missing home directory
    not have any final
    envelope recipient has been denied
    list of allowed recipients
    5\.1\.0\b.{0,40}?address rejected
    # Exchange Online asked its directory
    5\.4\.1 .{0,80}?access denied
    # words of programs
    nosuchuser|recip(?:ient)?notfound|resolver\.adr\.\w{0,20}notfound|chkuse?r|vpopmail
    here by that name
    # answers of Facebook and of Orange
    rcp-p2\b|ofr_416
    # German
    <empfänger>\b.{0,60}?(?:unbekannt|existiert nicht|nicht (?:gefunden|bekannt|vorhanden))
    <empfänger>\b.{0,60}?(?:ungültig|ungueltig)
    (?:unbekannter|ungültiger|ungueltiger) (?:empfänger|benutzer|user)
    # French
    <destinataire>\b.{0,60}?(?:inconnu|invalide|n.existe pas|inexistant|introuvable)
    # Spanish
    <destinatario>\b.{0,60}?(?:desconocid|no existe|inexistente|inv[aá]lid|no encontrad|no se)
    no existe
    # Italian, Portuguese
    <utente>\b.{0,60}?(?:sconosciut|inesistente|non (?:esiste|trovat|valid))
    <usuário>\b.{0,60}?(?:desconhecid|n[aã]o existe|inexistente|inv[aá]lid|n[aã]o (?:foi )?enc)
    # Polish, Dutch
    (?:nieznany|nie ma|nie znaleziono|brak) (?:takiego )?(?:u[zż]ytk|adres|konta|odbior|skrzyn)
    (?:adres|konto|skrzynka|u[zż]ytkownik)\b.{0,30}?(?:nie istnieje|nieznan)
    (?:onbekende|geen) (?:gebruiker|mailbox)
    (?:gebruiker|adres)\b.{0,30}?(?:onbekend|bestaat niet)
    # Russian
    <получатель>\b.{0,50}?не (?:существует|найден|зарегистрирован|известен)
    <получатель>\b.{0,50}?(?:неизвест|отсутствует)
    (?:нет такого|несуществующ\w+|неизвестн\w+) (?:пользовател|адрес|ящик|получател)
    # Japanese
    <宛先>.{0,30}?(?:存在しません|見つかりません|みつかりません|不明|ありません|存在しない|見つからない)
    # Chinese, Korean
    <用户>.{0,20}?(?:不存在|未找到|找不到|无效|無效|错误|查无|不正确)
    (?:不存在|无效|查無此|没有)的?(?:用户|收件人|邮箱|地址|人|帳號)
    (?:사용자|수신자|계정|메일 ?주소).{0,20}?(?:없|존재하지)
    """,
    who=_WHO,
    such=_SUCH,
    unknown=_UNKNOWN,
    un=r"""
    unknown
    invalid
    non-?existent
    inexistent
    undeliverable
    bad
    unrecogni[sz]ed
    illegal
    """,
    empfänger=r"empfänger|benutzer|adresse|postfach|mailbox|konto",
    destinataire=r"destinataire|utilisateur|adresse|bo.te|compte",
    destinatario=r"usuario|destinatario|direcci[oó]n|buz[oó]n|cuenta|casilla",
    utente=r"utente|destinatario|casella|indirizzo",
    usuário=r"usu[aá]rio|destinat[aá]rio|endere[cç]o|caixa|conta",
    получатель=r"пользовател\w+|адрес\w*|ящик\w*|получател\w+",
    宛先=r"宛先|あて先|メールアドレス|ユーザ\w*|アドレス",
    用户=r"用户|用戶|收件人|地址|邮箱|郵箱|信箱|帐号|帳號|账号|使用者",
)

#: a mailbox that was there
CLOSED = any_of(
    r"""
    <who>\b[^.;]{0,60}? (?:has |have )?moved\b
    <who>\b[^.;]{0,60}? no longer (?:\S{1,20} ){0,2}?(?:valid|active|available|in use|exist|used)
    <who>\b[^.;]{0,60}? no longer (?:\S{1,20} ){0,2}?(?:on|here|with|at|accept|work|use|receiv)
    <who>\b[^.;]{0,60}? (?:been |is |was )?(?:permanently )?<ended>\b
    <ended> (?:or <ended> )?(?:user|recipient|mail ?box|account|address|e-?mail)
    no longer (?:valid|on server|works? |exists?|an employee|employed|with (?:us|the))
    has (?:moved|left|changed (?:his|her|their|its)|been replaced)
    (?:has been|was) (?:disabled|discontinued|deactivated)
    this (?:e-?mail )?address is (?:now )?(?:defunct|dead|closed)
    not active
    inactive (?:user|mailbox|account|recipient)
    addr?ess has been changed
    ha expirado
    """,
    who=_WHO,
    ended=r"""
    disabled
    deactivated
    discontinued
    closed
    cancell?ed
    terminated
    expired
    retired
    abandoned
    obsolete
    deprovisioned
    not in use
    """,
)

#: of these one may come back; they are no ground to let a reader go
RESTING = any_of(
    r"""
    temporar
    suspended
    \bon hold\b
    \blocked\b
    \binactive\b
    dormant
    frozen
    overdue
    out of service
    currently (?:disabled|unavailable|not accepting)
    gesperrt
    """
)

#: a domain that is not there
NOWHERE = any_of(
    r"""
    host (?:or domain )?(?:name )?(?:is )?(?:unknown(?! user)|not found|lookup failed)
    <un> (?:mail |destination |recipient |target )?(?:host|domain|hostname|system address)
    (?:domain|host)(?: name)?\b[^;:,]{0,60}?(?:not exist|n't exist|not found|non-?exist[ea]nt)
    (?:domain|host)(?: name)?\b[^;:,]{0,60}?(?:could|ca)(?:n't|n?not| not) be found
    (?:domain|host)(?: name)?\b[^;:,]{0,60}?unknown(?! (?:<who>|or |local))
    (?:domain|host)(?: name)?\b[^;:,]{0,60}?(?:is invalid|is not a valid|unresolvable|not resolve)
    nxdomain
    \bno (?:mx|a|mail exchanger|valid mx|usable mx)\b.{0,40}?(?:record|host|for|found|or)
    mx records point to non-existent hosts
    unroute?able (?:mail )?(?:domain|address)
    all host address lookups failed permanently
    couldn't find any host (?:named|by that name)
    cannot find (?:a |the )?(?:mail )?(?:host|domain|exchanger)
    name server: .{0,60}?(?:host not found|no data known)
    null.?mx
    indicated no smtp service
    name or service not known
    (?:recipient )?domain must exist
    illegal host
    could not find a gateway to
    no mail server for
    unable to (?:resolve|find) (?:the )?(?:domain|host)
    (?:does not|doesn't) (?:accept mail|receive e?-?mail)
    dom(?:ä|ae)ne?\b.{0,40}?(?:nicht gefunden|existiert nicht|unbekannt)
    domaine\b.{0,30}?(?:inconnu|n.existe pas|introuvable)
    dominio\b.{0,30}?(?:no existe|desconocido|inesistente)
    домен\w*\b.{0,30}?(?:не (?:существует|найден)|неизвест)
    (?:ドメイン|ホスト).{0,20}?(?:存在しません|見つかりません|不明)
    (?:域名|主机).{0,20}?(?:不存在|找不到|未找到)
    """,
    un=r"unknown|no such|non-?exist[ea]nt|invalid|bad|unroute?able|unresolvable",
    who=_WHO,
)
#: the domain says that it takes no mail (RFC 7505)
NULL_MX = re.compile(r"null.?mx|indicated no smtp service")
#: a doubt of the name server, not a word of it: the relay's own DNS may be dead
DOUBT = any_of(
    r"""
    (?:not found|lookup|error)[,;:] try again
    try again later
    temporar
    servfail
    timed? ?out|timeout
    retry
    lookup failure
    deferred
    """
)

TABLE: tuple[tuple[re.Pattern[str], Cause], ...] = (
    (NOWHERE, Cause.NOWHERE),
    (CLOSED, Cause.CLOSED),
    (GONE, Cause.GONE),
)
