"""Receipts checked by an implementation of its own: `receipts.py RADSEAL`.

Everything here is written from the specifications, in Python's standard library alone: Ed25519 (RFC 8032), C2SP
signed-note, tlog-checkpoint and tlog-proof, RFC 9162 inclusion, CBOR (RFC 8949) and COSE_Sign1 (RFC 9052). It shares no
line with radseal."""
import base64
import hashlib
import hmac
import json
import pathlib
import sys
import tempfile

from node_tools import Radseal, files_below, write_nifti

# Ed25519, RFC 8032 section 5.1
P = 2 ** 255 - 19
ORDER = 2 ** 252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def recover(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P:
        raise ValueError("not a point")
    return P - x if x & 1 != sign else x


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2
    return ((x1 * y2 + x2 * y1) * pow(1 + product, P - 2, P) % P, (y1 * y2 + x1 * x2) * pow(1 - product, P - 2, P) % P)


def times(scalar, point):
    result = (0, 1)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def decode_point(data):
    number = int.from_bytes(data, "little")
    y = number & (2 ** 255 - 1)
    return recover(y, number >> 255), y


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = recover(BASE_Y, 0), BASE_Y


def ed25519_valid(key, message, signature):
    scalar = int.from_bytes(signature[32:], "little")
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    return scalar < ORDER and times(scalar, BASE) == add(decode_point(signature[:32]), times(challenge, decode_point(key)))


# CBOR, RFC 8949: what receipts use
def cbor(data, at=0):
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if info >= 24:
        width = 1 << (info - 24)
        value = int.from_bytes(data[at:at + width], "big")
        at += width
    else:
        value = info
    if major == 0:
        return value, at
    if major == 1:
        return -1 - value, at
    if major in (2, 3):
        raw = data[at:at + value]
        return (raw if major == 2 else raw.decode()), at + value
    if major == 4:
        items = []
        for _ in range(value):
            item, at = cbor(data, at)
            items.append(item)
        return items, at
    if major == 5:
        pairs = {}
        for _ in range(value):
            key, at = cbor(data, at)
            pairs[key], at = cbor(data, at)
        return pairs, at
    if major == 6:
        item, at = cbor(data, at)
        return (value, item), at
    raise ValueError("not used here")


def bstr(data):
    size = len(data)
    head = bytes([0x40 | size]) if size < 24 else bytes([0x58, size]) if size < 256 else b"\x59" + size.to_bytes(2, "big")
    return head + data


def leaf_hash(data):
    return hashlib.sha256(b"\0" + data).digest()


def included(leaf, index, size, path, root):
    """RFC 9162 section 2.1.3.2."""
    if index >= size:
        return False
    place, last, result = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            result = hashlib.sha256(b"\1" + step + result).digest()
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            result = hashlib.sha256(b"\1" + result + step).digest()
        place, last = place >> 1, last >> 1
    return last == 0 and result == root


def check_note(note, vkey):
    name, key_id, encoded = vkey.split("+", 2)
    public = base64.b64decode(encoded)
    assert public[0] == 1 and hashlib.sha256(name.encode() + b"\n" + public).digest()[:4].hex() == key_id
    text, signatures = note.split("\n\n")
    dash, signer, signature = signatures.rstrip("\n").split(" ")
    signature = base64.b64decode(signature)
    assert dash == "\u2014" and signer == name and signature[:4].hex() == key_id
    assert ed25519_valid(public[1:], (text + "\n").encode(), signature[4:]), "checkpoint signature"
    origin, size, root = text.split("\n")
    assert origin == name
    return int(size), base64.b64decode(root)


def check_receipt(text, vkey, content):
    lines = text.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("extra ") and lines[2].startswith("index ")
    end = lines.index("", 3)
    size, root = check_note("\n".join(lines[end + 1:]), vkey)
    receipt, _ = cbor(base64.b64decode(lines[1][6:]))
    path = [base64.b64decode(line) for line in lines[3:end]]
    assert included(leaf_hash(receipt[2]), int(lines[2][6:]), size, path, root), "entry in the log"
    tag, (protected, unprotected, payload, signature) = cbor(receipt[2])[0]
    header, _ = cbor(protected)
    assert tag == 18 and unprotected == {} and header[1] == -8
    signed = b"\x84\x6aSignature1" + bstr(protected) + bstr(b"radseal transaction v1") + bstr(payload)
    assert ed25519_valid(header[4], signed, signature), "entry signature"
    body = cbor(payload)[0][5]
    commitment = hmac.new(receipt[6], receipt[7], hashlib.sha256).digest()
    assert included(leaf_hash(commitment), receipt[3], receipt[4], receipt[5], body[7]), "instance in the entry"
    record, _ = cbor(receipt[7])
    assert record[3] == hashlib.sha256(content).digest() and record[4] == len(content), "content in the record"


def main():
    # RFC 8032 section 7.1, TEST 2: the verifier itself works
    assert ed25519_valid(bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"), b"\x72",
                         bytes.fromhex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                                       "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"))
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        node = Radseal(sys.argv[1], scratch / "node")
        node.run("demo", "scan", scratch / "demo", check=0)
        node.home = scratch / "demo" / "node"
        for number in range(3):
            write_nifti(scratch / f"volume{number}.nii", number, side=6)
        files = files_below(scratch / "demo" / "t2") + sorted(scratch.glob("*.nii"))
        rows = json.loads(node.seal(*files).stdout)
        vkey = (node.home / "keys" / "log.vkey").read_text().strip()
        for row in rows:
            content, text = pathlib.Path(row["path"]).read_bytes(), pathlib.Path(row["receipt"]).read_text()
            check_receipt(text, vkey, content)
            try:
                check_receipt(text, vkey, content + b"x")
            except AssertionError:
                continue
            raise SystemExit("altered content was accepted: the check proves nothing")
        print(f"{len(rows)} receipts verified by an independent implementation")
    return 0


if __name__ == "__main__":
    sys.exit(main())
