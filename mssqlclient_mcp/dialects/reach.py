"""The way to a server, a piece at a time and each bounded: its name, its port, its certificate.

Nothing here judges a certificate: the handshake accepts any, so that it can be described. Whether to trust it is for the
driver, which has roots and rules of its own.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Protocol

CHUNK = 65536


@dataclass(frozen=True)
class Address:
    """One address that a name stands for."""

    host: str
    ip: str
    port: int
    family: int = socket.AF_INET

    def __str__(self) -> str:
        return f"{self.ip} port {self.port}"


@dataclass(frozen=True)
class Certificate:
    """What a server's certificate says of itself. Times are UTC."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    begins: datetime
    ends: datetime

    @property
    def self_signed(self) -> bool:
        """True when nobody else vouches for it."""
        return self.subject == self.issuer

    def days_left(self, now: datetime | None = None) -> int:
        """Whole days until it ends; negative when it has."""
        return (self.ends - (now or datetime.now(timezone.utc))).days

    def names_host(self, host: str) -> bool:
        """Whether it was made for this host: one label may be a ``*``; an address is compared as such."""
        wanted = host.lower().rstrip(".")
        return any(_matches(name.lower(), wanted) for name in self.names)


@dataclass(frozen=True)
class TlsLook:
    """What a handshake showed; the certificate is None when it cannot be read here."""

    version: str
    cipher: str
    certificate: Certificate | None


class Line(Protocol):
    """Carries the bytes of a handshake, in whatever the server's protocol wraps them."""

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError."""

    def receive(self) -> bytes:
        """What comes next; empty when the other side hung up. Raises OSError."""


class SocketLine:
    """The bytes as they are."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self) -> bytes:
        return self._socket.recv(CHUNK)


def resolve(host: str, port: int) -> tuple[Address, ...]:
    """The addresses of a host, in the system's order. Raises OSError when the name is not known."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host} is no name that can be looked up ({error})") from None
    unique = {(family, sockaddr[0]): None for family, _, _, _, sockaddr in found}
    return tuple(Address(host, str(ip), port, family) for family, ip in unique)


def is_address(host: str) -> bool:
    """True for an IP address, which needs no name server."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def is_local(host: str) -> bool:
    """True for this machine itself: its loopback, or a socket in a folder."""
    if host in ("", "localhost") or host.startswith(("/", "@")):
        return True
    return is_address(host) and ipaddress.ip_address(host.partition("%")[0]).is_loopback


def knock(addresses: Sequence[Address], seconds: float, now: Callable[[], float] = time.monotonic) -> tuple[Address, float]:
    """The first address that takes a connection, and the seconds it took. Raises the last OSError (TimeoutError: silence)."""
    last: OSError = OSError("there is no address to try")
    until = now() + seconds
    for number, address in enumerate(addresses):
        share = max(0.1, (until - now()) / (len(addresses) - number))
        began = now()
        try:
            open_socket(address, share).close()
        except OSError as error:
            last = error
        else:
            return address, now() - began
    raise last


def open_socket(address: Address, seconds: float) -> socket.socket:
    """A connected TCP socket whose calls wait no longer than ``seconds``."""
    made = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        made.settimeout(seconds)
        made.connect((address.ip, address.port))
    except BaseException:
        made.close()
        raise
    return made


def look(line: Line, host: str, *, alpn: Sequence[str] = ()) -> TlsLook:
    """Shake hands without judging, and tell what was seen. Raises OSError (an SSLError is one)."""
    context = _lenient()
    if alpn:
        context.set_alpn_protocols(list(alpn))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=host or None)
    while not _shaken(tls):
        _flush(outgoing, line)
        data = line.receive()
        if not data:
            raise ConnectionResetError("the server hung up during the TLS handshake")
        incoming.write(data)
    _flush(outgoing, line)
    cipher = tls.cipher()
    return TlsLook(tls.version() or "unknown", cipher[0] if cipher else "", _certificate(tls.getpeercert(binary_form=True)))


def _lenient() -> ssl.SSLContext:
    """Takes any certificate and any version that this OpenSSL still knows: to look, not to trust."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with suppress(ssl.SSLError):
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def _shaken(tls: ssl.SSLObject) -> bool:
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _flush(outgoing: ssl.MemoryBIO, line: Line) -> None:
    data = outgoing.read()
    if data:
        line.send(data)


def _certificate(der: bytes | None) -> Certificate | None:
    if not der:
        return None
    try:
        from cryptography import x509  # comes with the MCP SDK's token support; only this look needs it
    except ImportError:
        return None
    try:
        found = x509.load_der_x509_certificate(der)
        names: list[str] = [str(name.value) for name in found.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
        with suppress(x509.ExtensionNotFound):
            listed = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            names = [*listed.get_values_for_type(x509.DNSName), *map(str, listed.get_values_for_type(x509.IPAddress))]
    except ValueError:  # not as the standard has it
        return None
    subject, issuer = found.subject.rfc4514_string(), found.issuer.rfc4514_string()
    return Certificate(subject, issuer, tuple(names), found.not_valid_before_utc, found.not_valid_after_utc)


def _matches(name: str, host: str) -> bool:
    if is_address(host) or "*" not in name:
        return name == host
    first, _, rest = name.partition(".")
    return first == "*" and host.partition(".")[2] == rest and "." in rest
