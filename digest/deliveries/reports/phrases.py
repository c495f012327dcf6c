"""What mail servers say of the sender, the message and a full mailbox, as ordered rules.

Patterns read text without addresses (`causes.normalise`).
"""

from __future__ import annotations

import re

from digest.deliveries.reports.wording import any_of
from digest.model.report import Cause

#: what holds though the code says "for now": an authority answered that there is no such domain
LASTING = any_of(
    r"""
    code nxdomain
    \(nxdomain\)
    domain name not found$
    """
)

_PACE = any_of(
    r"""
    rate.?limit
    throttl
    (?<!has )too many (?:messages|connections|sessions|recipients|e?-?mails|requests|sends)
    too many (?:concurrent|smtp|errors|rcpts?)
    (?:exceed\w*|reached|\bover) .{0,30}?\b(?:rate|(?:hourly|daily|sending) (?:limit|quota|max))
    (?:hourly|daily|sending|outgoing|mails? per).{0,20}?(?:limit|quota) .{0,10}?(?:exceed|reach)
    message (?:limit|quota) .{0,10}?(?:exceed|reach)
    (?:receiving|received) (?:mail|messages) at a rate
    unusual rate
    too fast
    slow down
    connection (?:limit|rate)
    (?:max\w*|limit of) (?:number of )?(?:messages|connections|recipients)
    deferred due to (?:user complaints|unexpected)
    """
)

_FULL = any_of(
    r"""
    <box>(?:'s)?\b.{0,40}? (?:is|are|was|already|too) (?:\w{1,20} )?full\b
    (?:mail ?(?:box|folder|drop|dir)|inbox|account|folder)\W{1,3}full\b
    (?:over|out of|exceed\w*|beyond|reached|above)\b.{0,40}?\b(?:quota|storage|allocat\w+)
    (?:over|out of|exceed\w*|beyond|reached|above)\b.{0,40}?\b(?:disk space|mailbox (?:size|limit))
    (?:over|out of|exceed\w*|beyond|reached|above)\b.{0,40}?\ballowed size
    exceed\w* .{0,40}?maximum size
    exceed\w* (?:the )?(?:local|mailbox|mail ?drop|storage|receiving) (?:limit|size|allocation)
    (?:quota|storage)\b.{0,40}?\b(?:exceed|violat|reached|full|is over|over)
    quota_?exceeded|\bover.?quota|overquota(?:perm|temp)|mailfull|mbox_?full|mailbox_?full
    \b(?:insufficient|not enough|no|low on|out of) (?:\S{1,20} )?(?:space|storage)\b
    mail ?box (?:size )?(?:limit|exceed|has exceed)
    <box>(?:'s)?\b.{0,20}? exceed
    too (?:large|big) for (?:the )?(?:recipient|mailbox)
    too much mail data
    maildir .{0,30}?(?:over quota|overdrawn)
    has too many (?:messages|mails)
    disk (?:quota|full)
    overdrawn
    no room
    data size over limit
    <postfach>\b.{0,40}?(?:voll\b|überschritten|ueberschritten|erschöpft)
    bo.te\b.{0,40}?(?:pleine|satur)|quota.{0,20}?dépass
    (?:buz[oó]n|bandeja|casilla|cuenta)\b.{0,40}?(?:llen[oa]|agotad)
    cuota.{0,20}?(?:excedid|super)
    casella.{0,40}?piena
    caixa.{0,40}?(?:cheia|lotada)|cota.{0,20}?excedid
    (?:ящик\w*|квот\w+).{0,30}?(?:переполнен|превышен|полон)
    превышен\w*.{0,20}?(?:квот|лимит|размер)
    skrzynk\w+.{0,30}?(?:pełn|przepełnion)
    mailbox (?:is )?vol\b
    (?:メールボックス|容量|受信箱).{0,30}?(?:一杯|いっぱい|超|満杯|オーバー|あふれ)
    (?:邮箱|郵箱|信箱|空间|空間|容量).{0,20}?(?:满|滿|超出|超过|超過|不足)
    """,
    box=r"mail ?box|mail ?folder|inbox|account|mail ?dir|mail ?drop|folder|recipient|user|dropfile",
    postfach=r"postfach|mailbox|speicher\w*|quota",
)

#: the address of the sender is what does not exist, or may not send
_SENDER = any_of(
    r"""
    sender(?:'s)? <of>\b.{0,60}?(?:reject|denied|refus|invalid|not|fail|unknown|does|block|must)
    <bad> (?:sender|return.path|reverse.path|envelope.from)
    (?:verif\w+|callout|callback|validate) (?:the )?(?:sender|return path)
    (?:sender|callout|callback) (?:verif|rejected|denied|not (?:allowed|authori[sz]ed|permitted))
    sender (?:not accepted|is (?:on|blocked|denied|not allowed))
    domain of (?:the )?sender
    sender domain
    from (?:this|your) (?:sender|domain|address|ip|host|server|network)
    \b(?:your|from:) (?:domain|ip\b|hostname)
    backscatter
    mail from (?:domain|address|command)? ?.{0,40}?(?:reject|not allowed|denied|does not exist)
    return address
    does not accept (?:bounces|null sender)
    envelope blocked
    """,
    of=r"address|domain|e-?mail|id|host(?:name)?|ip",
    bad=r"invalid|unknown|bad|forged|unverified|unresolvable|illegal",
)

#: block lists and reputation
_LISTED = any_of(
    r"""
    spamhaus|spamcop|barracudacentral|\bsorbs\b|uceprotect|\bsurbl|\buribl|abuseat|senderscore
    cloudmark|\b[dru]n?[bd]?bls?\b|black.?list
    \b(?:block|deny|ban).?(?:list|ed (?:using|by|for|due|because|from|at|until))
    blocked (?:ip|address|mail|message|e-?mail|sender|host|server|domain|network)
    <thing>\w* (?:\S{1,40} )?<been>(?:\S{4,12}ly )?(?:block|bann)ed
    reputation
    (?<!not )\blisted (?:in|at|on|by)\b
    client host\b.{0,60}?(?:reject|denied|not allowed|blocked|refused)
    \bhelo\b.{0,60}?(?:reject|invalid|denied|fail|not)
    invalid (?:helo|ehlo)
    """,
    been=r"(?:is |are |was |were |has been |have been )?",
    thing=r"ip|address|host|domain|message|mail|content|server|sender|you|network|connection|url",
)

#: who may not send: reverse DNS, authentication, relaying
_MAY_NOT = any_of(
    r"""
    \bptr\b|\brdns\b
    reverse.?(?:dns|lookup|hostname|resolution|name|host|mapping)
    cannot find your (?:hostname|reverse)
    \bspf\b|\bdkim\b|\bdmarc\b|\barc\b fail|sender policy framework|domainkeys
    unauthenticated
    authenticat\w* (?:required|is required|failed|check|before|credentials|results)
    (?:not |un)authori[sz]ed
    (?:smtp|pop) auth
    pop before smtp
    must (?:be authenticated|authenticate|check for new mail|issue a starttls|log)
    relay(?:ing)?\b.{0,30}?(?:denied|not|prohibit|refus|reject|fail|disallow|forbidden|block)
    relay(?:ing)?\b.{0,30}?without
    <no> (?:to )?(?:act as )?(?:a )?relay
    open relay
    not (?:a |an )?local (?:domain|host|and no)
    (?:isn't|not|no|is not) .{0,20}?(?:\brcpthosts|gateway)
    \brcpthosts
    not (?:our|my) customer
    (?:encryption|tls) (?:is )?(?:required|needed)|starttls
    """,
    no=r"""
    unable
    not permitted
    not allowed
    denied
    refus\w*
    cannot
    can't
    will not
    won't
    (?:don't|do not|does not|not|no)
    """,
)

#: what it says: spam, viruses
_SPAM = any_of(
    r"""
    \bspam|\bjunk|unsolicited|\buce\b|\bube\b|phish|malware|infected|malicious
    \bvirus (?:found|detected|rejected)|(?:contain\w*|due to|because of|has|with) (?:a |the )?virus
    content (?:was |is |has been )?(?:reject|block|denied|refus|filter)
    (?:bulk|mass) (?:mail|e-?mail)
    suspicious|suspected|complaints
    mail rejet|ofr_50[46]
    """
)

#: the message itself
_MESSAGE = any_of(
    r"""
    <it>\b.{0,40}? (?:too (?:big|large)|(?:larger|bigger) than)
    (?:line|header|subject|message|body) (?:is |was )?too long
    (?:message|mail|maximum|max|fixed|data|header)\b.{0,20}? size\b.{0,40}?<over>
    size (?:limit|exceeds|of .{0,30} exceeds)
    too (?:big|large)\b
    exceed\w* .{0,40}?(?:message|maximum|max|permitted|fixed|mail|allowed).{0,20}?(?:size|length)
    too many (?:hops|received|\"received\"|attachments|mime)
    (?:mail|routing)? ?loop(?:s|ing)? (?:detected|back)|hop count
    (?:attachment|file (?:type|name|extension)|executable)\b.{0,40}?<refused>
    bare (?:lf|linefeed|cr|newline)
    <broken> (?:\S{1,20} )?(?:header|mime|message|date|subject|body)
    non-?compliant|rfc ?2?[58]22|8-?bit|smtputf8
    """,
    it=r"message|mail|e-?mail|data|attachment|line|header|content|body|file",
    over=r"exceed|limit|too|larger|greater|maximum|over",
    refused=r"not|reject|block|forbid|denied|prohibit",
    broken=r"malformed|invalid|missing|duplicate|illegal|bad",
)

#: the order in which they are asked: whose words are the most special comes first
SAID: tuple[tuple[re.Pattern[str], Cause], ...] = (
    (_PACE, Cause.PACE),
    (_FULL, Cause.FULL),
    (re.compile(r"gr[ae]y.?list"), Cause.PASSING),
    (_SENDER, Cause.BLOCKED),
    (_LISTED, Cause.BLOCKED),
    (_MAY_NOT, Cause.BLOCKED),
    (_SPAM, Cause.BLOCKED),
    (_MESSAGE, Cause.MESSAGE),
)
