"""COSE Receipts (RFC 9942) read by a program of its own, from the RFC: `cose.py RADSEAL`. It shares no line with radseal."""
import base64
import hashlib
import json
import pathlib
import sys
import tempfile

from node_tools import Radseal, write_nifti
from receipts import bstr, cbor, ed25519_valid, leaf_hash

ENTRIES = 6


def root_of(leaf, index, size, path):
    """RFC 9162 section 2.1.3.2: the root, instead of a comparison with one; None when the path is of no such tree."""
    if index >= size:
        return None
    last, result = size - 1, leaf
    for step in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            result = hashlib.sha256(b"\1" + step + result).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            result = hashlib.sha256(b"\1" + result + step).digest()
        index, last = index >> 1, last >> 1
    return result if last == 0 else None


def verify(receipt, entry, key):
    """Number and size, or ValueError. What is signed names the algorithm, the key and the structure."""
    signature = receipt[-64:]
    if receipt[-67:-64] != b"\xf6\x58\x40" or receipt[:2] != b"\xd2\x84":
        raise ValueError("not a COSE_Sign1 with a detached payload")
    protected, at = cbor(receipt, 2)
    unprotected, at = cbor(receipt, at)
    if at != len(receipt) - 67:
        raise ValueError("something stands before the payload")
    header, end = cbor(protected)
    # Every label but "tree-size" is the RFC's; that one is radseal's, and signed like the others.
    tree_size = header.pop("tree-size")
    if end != len(protected) or header != {1: -8, 4: key, 395: 1} or list(unprotected) != [396]:
        raise ValueError("header")
    (proof,), = unprotected[396].values()
    if list(unprotected[396]) != [-1]:
        raise ValueError("not a proof of inclusion")
    (size, index, path), end = cbor(proof)
    root = root_of(leaf_hash(entry), index, size, path)
    if end != len(proof) or not path or not root or size != tree_size:
        raise ValueError("proof")
    if not ed25519_valid(key, b"\x84\x6aSignature1" + bstr(protected) + b"\x40" + bstr(root), signature):
        raise ValueError("signature")
    return index, size


def refused(*arguments):
    try:
        verify(*arguments)
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, UnicodeDecodeError):
        return True
    return False


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        node = Radseal(sys.argv[1], scratch / "node")
        node.init()
        out = scratch / "receipt.cose"
        done = node.run("log", "--home", node.home, "--proof", 0, "--cose", out)
        assert done.returncode == 1 and "one entry" in done.stderr and not out.exists(), "a log of one entry has no path"
        for number in range(ENTRIES):
            write_nifti(scratch / f"volume{number}.nii", number, side=4)
            node.seal("--subject", "P1", scratch / f"volume{number}.nii")
        key = base64.b64decode((node.home / "keys" / "log.vkey").read_text().strip().split("+", 2)[2])[1:]
        for index in range(ENTRIES + 2):
            told = json.loads(node.run("log", "--home", node.home, "--json", "--proof", index, "--cose", out, check=0).stdout)
            entry, receipt = bytes.fromhex(told["entry"]), out.read_bytes()
            assert verify(receipt, entry, key) == (index, ENTRIES + 2)
            assert refused(receipt, entry + b"x", key) and refused(receipt, entry, key[::-1])
            for place in range(index * 5, len(receipt), 47):
                altered = receipt[:place] + bytes([receipt[place] ^ 1 << place % 8]) + receipt[place + 1:]
                assert refused(altered, entry, key), f"byte {place}"
        for arguments in (("--cose", out), ("--cose", out, "--checkpoints"), ("--cose", out, "--proof", "x")):
            assert node.run("log", "--home", node.home, *arguments).returncode == 2
        assert node.run("log", "--home", node.home, "--proof", 1, "--cose", scratch / "no" / "where").returncode == 4
    print(f"{ENTRIES + 2} COSE receipts verified by an implementation of its own")
    return 0


if __name__ == "__main__":
    sys.exit(main())
