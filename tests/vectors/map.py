"""The verifiable map by its definition (src/ledger/ledger_map.h), in a few lines that share none with radseal: `map.py FILE`
checks that FILE holds the vectors that come out, `map.py FILE --write` writes them."""
import hashlib
import json
import pathlib
import random
import sys

NOTHING = bytes(32)


def sha256(data):
    return hashlib.sha256(data).digest()


def bit(path, depth):
    return path[depth // 8] >> (7 - depth % 8) & 1


def tree(entries, depth=0):
    """entries: {path: value hash}"""
    if not entries:
        return NOTHING
    if len(entries) == 1:
        (path, value), = entries.items()
        return sha256(b"\0" + path + value)
    halves = [{path: value for path, value in entries.items() if bit(path, depth) == side} for side in (0, 1)]
    return sha256(b"\1" + tree(halves[0], depth + 1) + tree(halves[1], depth + 1))


def cbor_head(major, value):
    return bytes([major << 5 | value]) if value < 24 else bytes([major << 5 | 24, value]) if value < 256 else \
        bytes([major << 5 | 25]) + value.to_bytes(2, "big")


def cbor_bytes(data):
    return cbor_head(2, len(data)) + data


def prove(entries, path):
    siblings, depth = [], 0
    while len(entries) > 1:
        beside = {other: value for other, value in entries.items() if bit(other, depth) != bit(path, depth)}
        entries = {other: value for other, value in entries.items() if bit(other, depth) == bit(path, depth)}
        siblings.append(tree(beside, depth + 1))
        depth += 1
    other = [(key, value) for key, value in entries.items() if key != path]
    out = cbor_head(5, 3 if other else 2) + b"\1\1\2" + cbor_head(4, len(siblings))
    out += b"".join(cbor_bytes(b"" if sibling == NOTHING else sibling) for sibling in siblings)
    if other:
        out += b"\3\x82" + cbor_bytes(other[0][0]) + cbor_bytes(other[0][1])
    return path in entries, out


def proof_holds(root, key, value, proof):
    """Whether a decoded proof {1: 1, 2: siblings, 3: [path, value] of another leaf} says that the key has this value, or
    with None that it has none."""
    path, siblings, other = sha256(key), [sibling or NOTHING for sibling in proof[2]], proof.get(3)
    if proof[1] != 1 or (siblings and siblings[-1] == NOTHING) or (other and value is not None):
        return False
    if value is not None:
        hashed = tree({path: sha256(value)})
    elif other:
        if other[0] == path or any(bit(other[0], depth) != bit(path, depth) for depth in range(len(siblings))):
            return False
        hashed = tree({other[0]: other[1]})
    else:
        hashed = NOTHING
    for depth in reversed(range(len(siblings))):
        pair = (siblings[depth], hashed) if bit(path, depth) else (hashed, siblings[depth])
        hashed = sha256(b"\1" + pair[0] + pair[1])
    return hashed == root


def vector(entries, asked):
    """entries: {key: value} in bytes"""
    hashed = {sha256(key): sha256(value) for key, value in entries.items()}
    proofs = []
    for key in asked:
        present, proof = prove(hashed, sha256(key))
        proofs.append({"key": key.hex(), "present": present, "proof": proof.hex()})
    return {"entries": [[key.hex(), value.hex()] for key, value in entries.items()], "root": tree(hashed).hex(),
            "proofs": proofs}


def vectors():
    generator = random.Random(2026)
    out = [vector({}, [b"", b"a"]), vector({b"": b""}, [b"", b"a"]), vector({b"a": b"1"}, [b"a", b"b"])]
    for count in (2, 3, 5, 8, 13, 50, 400):
        entries = {generator.randbytes(generator.randrange(1, 20)): generator.randbytes(generator.randrange(20))
                   for _ in range(count)}
        asked = list(entries)[:6] + [generator.randbytes(5) for _ in range(10)]
        out.append(vector(entries, asked))
    # Keys whose paths share their first 16 bits at least: long ways with nothing beside them
    near = {}
    number = 0
    while len(near) < 4:
        key = b"near %d" % number
        number += 1
        if sha256(key)[:2] == b"\xab\xcd":
            near[key] = b"%d" % number
    out.append(vector(near, list(near) + [b"elsewhere"]))
    far = dict(list(near.items())[:2])
    out.append(vector(far, list(near)))
    return out


def main():
    path = pathlib.Path(sys.argv[1])
    made = vectors()
    if "--write" in sys.argv:
        path.write_text(json.dumps(made, indent=1) + "\n")
    assert json.loads(path.read_text()) == made, "the vectors are not those of the definition"
    print(f"{len(made)} maps, {sum(len(one['proofs']) for one in made)} proofs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
