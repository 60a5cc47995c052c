"""Text, bytes and what is written as text on its way to the database."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from uuid import UUID

from ..dialects.conversions import Rule
from ..models import ParameterType
from .unfit import Unfit, shown

_HEX = re.compile(r"0[xX][0-9a-fA-F]*", re.ASCII)
_UUID = re.compile(r"\{?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?|[0-9a-fA-F]{32}", re.ASCII)
_BITS = re.compile(r"[01]*", re.ASCII)
_XML_ENCODING = re.compile(r"""^(\s*<\?xml\b[^>]*?)\s+encoding\s*=\s*(?:"[^"]*"|'[^']*')""")


def text(value: object, kind: ParameterType, rule: Rule) -> str:
    """Text, not longer than the type; numbers and truth values in the words of JSON."""
    string = _string(value)
    if kind.length is not None:
        length = len(string) if rule.length_in_bytes else len(string.encode("utf-16-le")) // 2
        if length > kind.length:
            raise Unfit(f"{shown(value)} is {length} characters long, and {kind.text} keeps {kind.length}")
    return string


def verbatim(value: object, _: ParameterType, rule: Rule) -> str:
    """Text that the server itself must read."""
    if not isinstance(value, str):
        raise Unfit(f"{shown(value)} is not a text" + (f"; write {rule.hint}" if rule.hint else ""))
    return _string(value)


def xml(value: object, kind: ParameterType, rule: Rule) -> str:
    """XML text. The declared encoding is dropped: what is sent is characters, not bytes, and the server would compare."""
    return _XML_ENCODING.sub(r"\1", verbatim(value, kind, rule))


def binary(value: object, kind: ParameterType, _: Rule) -> bytes:
    """Bytes from ``0x`` and hex digits, else from base64."""
    raw = bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else _decoded(value)
    if kind.length is not None and len(raw) > kind.length:
        raise Unfit(f"the value has {len(raw)} bytes, and {kind.text} keeps {kind.length}")
    return raw


def uuid(value: object, _: ParameterType, __: Rule) -> str:
    """A GUID in its usual form."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str) and _UUID.fullmatch(value.strip()):
        return str(UUID(value.strip()))
    raise Unfit(f"{shown(value)} is not a GUID such as 6f9619ff-8b86-d011-b42d-00c04fc964ff")


def address(value: object, kind: ParameterType, _: Rule) -> str:
    """An IP address or network."""
    written = str(value).strip()
    try:
        if kind.name == "cidr":
            return str(ipaddress.ip_network(written))
        return str(ipaddress.ip_interface(written) if "/" in written else ipaddress.ip_address(written))
    except ValueError as error:
        raise Unfit(f"{shown(value)} is not {'a network' if kind.name == 'cidr' else 'an address'}: {error}") from error


def bits(value: object, _: ParameterType, __: Rule) -> str:
    """A string of bits."""
    if isinstance(value, str) and _BITS.fullmatch(value):
        return value
    raise Unfit(f"{shown(value)} is not a text of the digits 0 and 1")


def interval(value: object, kind: ParameterType, rule: Rule) -> str:
    """An interval, which PostgreSQL reads in many forms."""
    string = verbatim(value, kind, rule).strip()
    if not any(sign.isdigit() for sign in string) and string.lower() not in ("infinity", "-infinity"):
        raise Unfit(f"{shown(value)} is not an interval; write {rule.hint}")
    return string


def label(value: object, kind: ParameterType, _: Rule) -> str:
    """A label of an enum."""
    if isinstance(value, str) and (value in kind.labels or not kind.labels):
        return value
    raise Unfit(f"{shown(value)} is not one of {', '.join(map(repr, kind.labels))}")


def _string(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (str, int, float, UUID)) and not hasattr(value, "isoformat") and not hasattr(value, "as_tuple"):
        raise Unfit(f"{shown(value)} is not a text")
    string = value.isoformat() if hasattr(value, "isoformat") else str(value)
    try:
        string.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Unfit("the text holds half a surrogate pair, which is no character") from error
    return string


def _decoded(value: object) -> bytes:
    if not isinstance(value, str):
        raise Unfit(f"{shown(value)} is neither base64 nor 0x and hex digits")
    string = "".join(value.split())
    if _HEX.fullmatch(string):
        if len(string) % 2:
            raise Unfit(f"{shown(value)} has an odd number of hex digits")
        return bytes.fromhex(string[2:])
    if string[:2] in ("0x", "0X"):  # a slip of the pen is often good base64
        raise Unfit(
            f"{shown(value)} begins with 0x, and what follows is not hex; bytes whose base64 begins so are written in hex"
        )
    try:
        return base64.b64decode(string, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unfit(f"{shown(value)} is neither base64 nor 0x and hex digits") from error
