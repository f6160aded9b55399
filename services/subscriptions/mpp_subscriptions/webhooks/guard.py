"""Which addresses our servers may be sent to by a stranger's URL (server-side request forgery: OWASP's SSRF sheet).

Only `https`, no user name, and only public addresses, checked *after* the name was looked up; the connection is made to
the very address that was checked, so that a name which changes its mind in between (DNS rebinding) gains nothing. The
operator may open further networks: an agency's server inside the city's own network is a legitimate target.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[..., Sequence[Any]]  # socket.getaddrinfo
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")


class Forbidden(Exception):
    """The URL, or what its name stands for, is out of bounds. `code` is a short word for attempts and metrics."""

    def __init__(self, message: str, code: str = "address_forbidden") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Place:
    """A URL in its parts."""

    tls: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """For the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Guard:
    """`allow_private`: development only; opens every address, and `http`. `networks`: further ones that are allowed."""

    allow_private: bool = False
    networks: tuple[Network, ...] = ()
    resolve: Resolve = socket.getaddrinfo

    def place(self, url: str) -> Place:
        """Raises Forbidden for a URL that can never be right, whatever its name stands for."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise Forbidden("is not a URL", "url_invalid") from error
        tls = parts.scheme == "https"
        if not (tls or (self.allow_private and parts.scheme == "http")):
            raise Forbidden("must begin with https://", "url_invalid")
        if parts.username is not None or parts.password is not None or "@" in parts.netloc or parts.fragment:
            raise Forbidden("must have neither a user name nor a fragment", "url_invalid")
        if not re.fullmatch(r"[A-Za-z0-9.\-_]{1,253}|[0-9a-fA-F:.]{2,45}", host) or port == 0:
            raise Forbidden("has no usable host name", "url_invalid")
        if not re.fullmatch(r"[\x21-\x7e]*", parts.path + parts.query):
            raise Forbidden("must be written in ASCII (percent-encoded)", "url_invalid")
        literal = _literal(host)
        if literal is not None and not self.allows(literal):
            raise Forbidden(f"{host} is not a public address")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Place(tls, host, port or (443 if tls else 80), path)

    def allows(self, address: Address) -> bool:
        address = embedded(address)
        if self.allow_private or any(address in network for network in self.networks):
            return True
        inner = isinstance(address, ipaddress.IPv6Address) and address.is_site_local  # RFC 3879: still in use inside
        return address.is_global and not (address.is_multicast or address.is_reserved or inner)

    def addresses(self, place: Place) -> list[str]:
        """What the name stands for now. Raises Forbidden when any of it is out of bounds; OSError when it is unknown."""
        found = self.resolve(place.host, place.port, 0, socket.SOCK_STREAM)
        texts = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for text in texts:
            literal = _literal(text.split("%")[0])
            if literal is None or "%" in text or not self.allows(literal):
                raise Forbidden(f"{place.host} does not stand for a public address")
        if not texts:
            raise OSError(f"{place.host} has no address")
        return texts


def embedded(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one (mapped, NAT64, 6to4): that is where a packet ends."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address in _SIX_TO_FOUR:
            return ipaddress.IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    return address


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Raises ValueError."""
    return tuple(ipaddress.ip_network(text.strip()) for text in texts if text.strip())


def _literal(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
