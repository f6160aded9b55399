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


class FieldCipher:
    """Seals with the first key, opens with any: put a new key in front to rotate, drop an old one when none uses it."""

    def __init__(self, keys: str) -> None:
        """`keys`: "kid:base64,kid:base64", each key 32 bytes. Raises BadSettings."""
        self._keys: dict[str, AESGCM] = {}
        for part in filter(None, keys.split(",")):
            kid, _, text = part.strip().partition(":")
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
    """`+62********789`"""
    return f"{phone[:3]}{'*' * max(len(phone) - 6, 0)}{phone[-3:]}" if len(phone) > 6 else "*" * len(phone)


def mask_name(name: str) -> str:
    """`B*** S******`: the first letter of each word."""
    return " ".join(word[0] + "*" * (len(word) - 1) for word in name.split())


# 16 digits, also with dots, dashes or blanks between them (as people write a NIK).
_NIK = re.compile(r"(?<![0-9a-f])\d(?:[ .\-]?\d){15}(?![0-9a-f])")
_PHONE = re.compile(r"(?<![\w.\-:/])(?:\+62|62|0)8\d(?:[ \-]?\d){6,11}(?!\w)")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")


def scrub(text: str) -> str:
    """Replace what looks like a NIK, a mobile phone or an e-mail address. A last net, no licence to log carelessly:
    a name or an address is *not* recognised."""
    if not any(c.isdigit() for c in text) and "@" not in text:
        return text
    return _EMAIL.sub("[email]", _PHONE.sub("[phone]", _NIK.sub("[nik]", text)))


def looks_personal(text: str) -> bool:
    """Whether `scrub` would take something out."""
    return scrub(text) != text


def scrub_value(value: Any) -> Any:
    """`scrub` through nested dicts, lists and texts; other values that print as a NIK are replaced too."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {scrub(str(k)): scrub_value(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub_value(v) for v in value]
    if isinstance(value, bool | float) or value is None:
        return value
    if isinstance(value, int):
        return "[nik]" if 10**15 <= abs(value) < 10**16 else value
    return scrub(str(value))
