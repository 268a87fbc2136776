"""RS256 without a library: whether a JWT was signed with the private half of a key (RFC 7515, RFC 8017 §8.2.2)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
_INTEGER, _SEQUENCE, _BITS = 0x02, 0x30, 0x03
_LONG_LENGTH = 0x80
_PARTS = 3


def claims_of(token: str, public_key: str) -> dict[str, Any]:
    """The claims of a JWT; ValueError unless it is RS256 and the key (PEM, "PUBLIC KEY") fits."""
    parts = token.split(".")
    if len(parts) != _PARTS:
        raise ValueError("a JWT has three parts")
    head, claims, signature = (_decoded(part) for part in parts)
    if json.loads(head).get("alg") != "RS256":
        raise ValueError("the algorithm must be RS256")
    modulus, exponent = _key(public_key)
    size = (modulus.bit_length() + 7) // 8
    opened = pow(int.from_bytes(signature), exponent, modulus).to_bytes(size)
    digest = _SHA256 + hashlib.sha256(f"{parts[0]}.{parts[1]}".encode()).digest()
    if opened != b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest:
        raise ValueError("the signature does not fit")
    found: dict[str, Any] = json.loads(claims)
    return found


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _key(pem: str) -> tuple[int, int]:
    lines = [line.strip() for line in pem.strip().splitlines()]
    if not lines or lines[0] != "-----BEGIN PUBLIC KEY-----":
        raise ValueError("the public key must be PEM and begin with BEGIN PUBLIC KEY")
    outer, _ = _read(base64.b64decode("".join(lines[1:-1])), _SEQUENCE)
    _, rest = _read(outer, _SEQUENCE)  # the algorithm
    bits, _ = _read(rest, _BITS)
    numbers, _ = _read(bits[1:], _SEQUENCE)
    modulus, rest = _read(numbers, _INTEGER)
    exponent, _ = _read(rest, _INTEGER)
    return int.from_bytes(modulus), int.from_bytes(exponent)


def _read(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the first DER value, and what comes after it."""
    if data[0] != tag:
        raise ValueError("the public key is not DER of an RSA key")
    length, at = data[1], 2
    if length >= _LONG_LENGTH:
        more = length - _LONG_LENGTH
        length, at = int.from_bytes(data[2 : 2 + more]), 2 + more
    return data[at : at + length], data[at + length :]
