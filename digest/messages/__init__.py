"""Write: turns editions and notices into messages, RFC 5322 bytes for one person each.

`render` makes an edition once for everybody (jinja2, then `inline`), `assemble` fills in what is
personal, `mime` writes the bytes; `notices` writes to one person about his own subscription;
`plain` is the wall between strangers' text and all of these.
"""
