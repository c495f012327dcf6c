"""Says whether an `Authorization` header carries the agreed secret, always in the same time."""

from __future__ import annotations

from base64 import b64decode
from hashlib import sha256
from hmac import compare_digest

from digest.deliveries.hooks.event import Refused

_LONGEST = 4096


def check_authorization(authorization: str | None, secret: str) -> Refused | None:
    """Compare `Basic` credentials (RFC 7617) or a `Bearer` token (RFC 6750) with `secret`.

    `secret` is `user:password` or the token. None means that it is the same.
    """
    if not authorization:
        return Refused(reason="there is no Authorization header")
    scheme, _, rest = authorization[:_LONGEST].strip().partition(" ")
    match scheme.lower():
        case "basic":
            given = _decoded(rest.strip())
        case "bearer":
            given = rest.strip().encode("utf-8", "replace")
        case _:
            return Refused(reason="the Authorization header is neither Basic nor Bearer")
    # hashed first, so that not even the length can be measured
    same = compare_digest(sha256(given).digest(), sha256(secret.encode()).digest())
    return None if same and secret else Refused(reason="the secret is another one")


def _decoded(credentials: str) -> bytes:
    try:
        return b64decode(credentials, validate=True)
    except ValueError:
        return b""
