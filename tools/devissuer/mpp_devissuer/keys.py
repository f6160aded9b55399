"""The signing keys: made, kept in one private file, rotated. Knows files and curves, no tokens, no HTTP."""

from __future__ import annotations

import json
import os
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ALGORITHM = "ES256"
_FILE = "signing-keys.json"
_KEPT = 3  # the next key, the current one, and the one before it


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An ES256 private key (RFC 7518 section 3.4) and the id that tokens name it by."""

    kid: str
    private: ec.EllipticCurvePrivateKey

    @classmethod
    def generate(cls) -> SigningKey:
        return cls(uuid.uuid4().hex[:16], ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_pem(cls, kid: str, pem: str) -> SigningKey:
        private = serialization.load_pem_private_key(pem.encode(), password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise ValueError(f"key {kid} is not an elliptic curve key")
        return cls(kid, private)

    def pem(self) -> str:
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def public_jwk(self) -> dict[str, Any]:
        """The public half as a JSON Web Key (RFC 7517)."""
        jwk = json.loads(ECAlgorithm.to_jwk(self.private.public_key()))
        return {**jwk, "kid": self.kid, "alg": ALGORITHM, "use": "sig"}


class KeyRing:
    """The next, the current and the previous key, in one file of mode 0600 below `directory`.

    The next key is published before it signs, so that a verifier that keeps the keys for a while (a gateway) knows it.
    Guaranteed: a restart goes on with the same keys; a crash during a rotation leaves either the old file
    or the new one. NOT guaranteed: two issuers on one directory do not see each other's rotations.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = directory / _FILE
        self._lock = threading.Lock()
        self._keys = self._read()
        while len(self._keys) < 2:
            self.rotate()

    @property
    def current(self) -> SigningKey:
        return self._keys[1]

    def public(self, kid: str) -> ec.EllipticCurvePublicKey | None:
        return next((key.private.public_key() for key in self._keys if key.kid == kid), None)

    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.public_jwk() for key in self._keys]}

    def rotate(self) -> SigningKey:
        """Signs with the next key from now on; tokens of the previous key stay verifiable, older ones do not."""
        with self._lock:
            keys = (SigningKey.generate(), *self._keys)[:_KEPT]
            self._write(keys)
            self._keys = keys
            return keys[min(1, len(keys) - 1)]

    def _read(self) -> tuple[SigningKey, ...]:
        try:
            entries = json.loads(self._path.read_text())
        except FileNotFoundError:
            return ()
        return tuple(SigningKey.from_pem(entry["kid"], entry["pem"]) for entry in entries)

    def _write(self, keys: tuple[SigningKey, ...]) -> None:
        temporary = self._path.with_suffix(f".{os.getpid()}.tmp")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump([{"kid": key.kid, "pem": key.pem()} for key in keys], file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
