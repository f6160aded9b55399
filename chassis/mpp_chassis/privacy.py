"""Personal data at rest and in sight: sealed fields, blind indexes, masks, and a filter for logs.

Knows keys and texts; knows no field of any service. Sealing: AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce,
the purpose as associated data, so a sealed phone does not open as a NIK. Blind index: HMAC-SHA-256, so equal values can
be found and nothing can be read back; it is *not* safe against one who holds the index key and tries all values.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mpp_chassis.settings import BadSettings


class CannotOpen(Exception):
    """A sealed text is damaged, of another purpose, or its key is gone."""


_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,20}")  # no dot: it ends the key id in a sealed text


class FieldCipher:
    """Seals with the first key, opens with any: put a new key in front to rotate, drop an old one when none uses it."""

    def __init__(self, keys: str) -> None:
        """`keys`: "kid:base64,kid:base64", each key 32 bytes. Raises BadSettings."""
        self._keys: dict[str, AESGCM] = {}
        for part in filter(None, keys.split(",")):
            kid, _, text = part.strip().partition(":")
            if not _KEY_ID.fullmatch(kid) or kid in self._keys:
                raise BadSettings(f"MPP_FIELD_KEYS: {kid[:20]!r} is no key id, or is there twice")
            self._keys[kid] = AESGCM(_key(text, "MPP_FIELD_KEYS", exactly=32))
        if not self._keys:
            raise BadSettings("MPP_FIELD_KEYS holds no key")
        self._first = next(iter(self._keys))

    def seal(self, text: str, purpose: str) -> str:
        """`kid.base64url(nonce + ciphertext)`; the empty text stays empty."""
        if not text:
            return ""
        nonce = os.urandom(12)
        sealed = self._keys[self._first].encrypt(nonce, text.encode(), purpose.encode())
        return f"{self._first}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, purpose: str) -> str:
        """Raises CannotOpen, whose text holds nothing of the content."""
        if not sealed:
            return ""
        kid, _, text = sealed.partition(".")
        if kid not in self._keys:
            raise CannotOpen(f"no key {kid[:20]!r}")
        try:
            raw = base64.urlsafe_b64decode(text)
            if base64.urlsafe_b64encode(raw).decode() != text:
                raise CannotOpen(f"not sealed for {purpose!r}, or damaged")
            return self._keys[kid].decrypt(raw[:12], raw[12:], purpose.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error) as e:
            raise CannotOpen(f"not sealed for {purpose!r}, or damaged") from e


class BlindIndex:
    """A keyed digest of a value: the same for the same value and purpose, meaningless without the key."""

    def __init__(self, key: str) -> None:
        self._key = _key(key, "MPP_INDEX_KEY", exactly=32)

    def of(self, value: str, purpose: str) -> str:
        """32 hex characters; the empty value stays empty."""
        if not value:
            return ""
        return hmac.new(self._key, f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()[:32]


def _key(text: str, name: str, exactly: int) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as e:
        raise BadSettings(f"{name} is not base64") from e
    if len(key) != exactly:
        raise BadSettings(f"{name}: a key has {len(key)} bytes instead of {exactly}")
    return key


def mask_nik(nik: str) -> str:
    """`3573********0001`: the region and the serial, never the birth date."""
    return f"{nik[:4]}********{nik[-4:]}" if len(nik) == 16 else ("*" * len(nik))


def mask_phone(phone: str) -> str:
    """`+62********789`: three characters at each end, of a short number fewer; never more than half."""
    shown = min(3, len(phone) // 4)
    return phone[:shown] + "*" * (len(phone) - 2 * shown) + phone[len(phone) - shown :]


def mask_name(name: str) -> str:
    """`B*** S******`: the first letter of each word."""
    return " ".join(word[0] + "*" * (len(word) - 1) for word in name.split())


# One pass, so that what is ours is stepped over whole: UUIDs, traceparents, hex digests of 128, 160 or 256 bits, and
# the ids of `call.new_id`. Then 16 digits or more, with up to three separators between two (as people write a NIK, and
# as programs glue it to its neighbours: `%20`, `\x10`); then mobile phone numbers.
_OURS = (
    r"(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
    r"|(?=[0-9]*[a-z])(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32}|(?![0-9a-z]*[0-9]{16})[0-9a-hjkmnp-tv-z]{26}))"
)
_NUMBERS = re.compile(
    rf"(?P<ours>(?<![0-9A-Za-z]){_OURS}(?![0-9A-Za-z]))"
    r"|(?P<nik>\d(?:[ \t\u00a0.\-\u2013_]{0,3}\d){15,}+)"
    r"|(?P<phone>(?<!\d)(?<!\d[.\-])(?:\+?62[ .\-]?|0)8\d(?:[ .\-]?\d){6,11})"
)
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]+\.[\w.-]+")
_DEEPEST = 8


def scrub(text: str) -> str:
    """Replace what looks like a NIK, a mobile phone or an e-mail address. A last net, no licence to log carelessly:
    a name or an address is *not* recognised. Takes out too much rather than too little: any 16 digits in a row go."""
    if any(c.isdigit() for c in text):
        text = _NUMBERS.sub(lambda m: m[0] if m.lastgroup == "ours" else f"[{m.lastgroup}]", text)
    return _EMAIL.sub("[email]", text) if "@" in text else text


def looks_personal(text: str) -> bool:
    """Whether `scrub` would take something out."""
    return scrub(text) != text


def scrub_value(value: Any, depth: int = 0) -> Any:
    """`scrub` through nested dicts, lists and texts; other values that print as something personal are replaced too."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        text = str(int(value)) if value == value and abs(value) < 10**16 else ""  # larger ones are no NIK
        return scrub(text) if looks_personal(text) else value
    if depth < _DEEPEST and isinstance(value, dict):
        return {scrub(_text(k)): scrub_value(v, depth + 1) for k, v in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [scrub_value(v, depth + 1) for v in value]
    return scrub(_text(value))


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception as e:  # a log line must not fail for a value that cannot print itself
        return f"<{type(value).__qualname__}: {type(e).__name__}>"
