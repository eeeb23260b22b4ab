"""A device of our own for system tests: CBOR, Ed25519 and COSE_Sign1 written here from the specifications, in Python's standard
library alone, so that what radseal reads and writes is checked by something that shares no line with it."""
import hashlib
import struct
import time

from dicom_peer import EXPLICIT, explicit
from receipts import BASE, D, ORDER, P, cbor, decode_point

SIDECAR = "1.2.840.10008.5.1.4.1.1.66"


def head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    for info, form, limit in ((24, ">B", 1 << 8), (25, ">H", 1 << 16), (26, ">I", 1 << 32), (27, ">Q", 1 << 64)):
        if value < limit:
            return bytes([major << 5 | info]) + struct.pack(form, value)
    raise ValueError(value)


def encode(value):
    """Deterministic CBOR (RFC 8949 section 4.2.1); a dict's keys are given in their order."""
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, (list, tuple)):
        return head(4, len(value)) + b"".join(map(encode, value))
    return head(5, len(value)) + b"".join(encode(key) + encode(item) for key, item in value.items())


def add(a, b):
    """RFC 8032 section 5.1.4, in extended coordinates: without inversions."""
    first, second = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    third, fourth = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = second - first, fourth - third, fourth + third, second + first
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar, point):
    result, doubled = (0, 1, 1, 0), (*point, 1, point[0] * point[1] % P)
    while scalar:
        if scalar & 1:
            result = add(result, doubled)
        doubled = add(doubled, doubled)
        scalar >>= 1
    return result


def encode_point(point):
    inverse = pow(point[2], P - 2, P)
    return (point[1] * inverse % P | (point[0] * inverse % P & 1) << 255).to_bytes(32, "little")


def ed25519_valid(public, message, signature):
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    scalar, (x, y) = int.from_bytes(signature[32:], "little"), decode_point(public)
    # s B - k A = R
    found = add(times(scalar, BASE), times(challenge, (P - x, y)))
    return scalar < ORDER and encode_point(found) == signature[:32]


class Key:
    """Ed25519, RFC 8032 section 5.1.6."""

    def __init__(self, seed):
        hashed = hashlib.sha512(seed).digest()
        self.scalar = (int.from_bytes(hashed[:32], "little") & ~7 & ~(1 << 255)) | 1 << 254
        self.prefix = hashed[32:]
        self.public = encode_point(times(self.scalar, BASE))

    def sign(self, message):
        nonce = int.from_bytes(hashlib.sha512(self.prefix + message).digest(), "little") % ORDER
        start = encode_point(times(nonce, BASE))
        challenge = int.from_bytes(hashlib.sha512(start + self.public + message).digest(), "little") % ORDER
        return start + ((nonce + challenge * self.scalar) % ORDER).to_bytes(32, "little")


def sign1(key, external, payload):
    """RFC 9052 section 4.2; the kid is the key."""
    protected = encode({1: -8, 4: key.public})
    signature = key.sign(encode(["Signature1", protected, external, payload]))
    return b"\xd2" + encode([protected, {}, payload, signature])


def open_sign1(message, public, external):
    assert message[:1] == b"\xd2"
    (protected, unprotected, payload, signature), end = cbor(message, 1)
    assert end == len(message) and unprotected == {}
    assert ed25519_valid(public, encode(["Signature1", protected, external, payload]), signature), "signature"
    return cbor(payload)[0]


def element_of(data, tag):
    """The value of one element at the top level of a data set in explicit little endian, as text."""
    at = 0
    while at < len(data):
        here = struct.unpack_from("<HH", data, at)
        long_form = data[at + 4:at + 6] in (b"OB", b"OW", b"SQ", b"UN", b"OF", b"UT")
        size, = struct.unpack_from("<I", data, at + 8) if long_form else struct.unpack_from("<H", data, at + 6)
        at += 12 if long_form else 8
        if here == tag:
            return data[at:at + size].rstrip(b"\0 ").decode()
        at += size
    raise KeyError(tag)


class Device:
    def __init__(self, name, seed, boot=b"B" * 16):
        self.name, self.key, self.boot, self.sequence = name, Key(seed), boot, 0

    def common(self, kind, data, captured=None, sequence=None):
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        return {1: 1, 2: kind, 3: self.name, 4: self.boot, 5: sequence,
                6: int(time.time() * 1000) if captured is None else captured, 7: 2, 8: 50,
                10: element_of(data, (0x20, 0xD)), 11: element_of(data, (0x20, 0xE))}

    def instance(self, data, transfer=EXPLICIT, **options):
        fields = self.common(1, data, **options)
        fields |= {12: element_of(data, (8, 0x16)), 13: element_of(data, (8, 0x18)), 14: hashlib.sha256(data).digest(),
                   15: len(data), 16: transfer}
        return sign1(self.key, b"radseal envelope v1", encode(fields))

    def manifest(self, sets, **options):
        fields = self.common(2, sets[0], **options)
        fields[17] = [[element_of(data, (8, 0x18)), hashlib.sha256(data).digest()] for data in sets]
        return sign1(self.key, b"radseal envelope v1", encode(fields))


def sidecar(envelopes, uid, study, series, patient="P1"):
    """The instance of Raw Data Storage that brings envelopes over DICOM."""
    value = encode(list(envelopes))
    value += bytes(len(value) % 2)
    return (explicit(8, 0x16, "UI", SIDECAR) + explicit(8, 0x18, "UI", uid) + explicit(0x10, 0x20, "LO", patient) +
            explicit(0x20, 0xD, "UI", study) + explicit(0x20, 0xE, "UI", series) +
            explicit(0x99, 0x10, "LO", "RADSEAL ENVELOPE 1") + explicit(0x99, 0x1010, "OB", value))
