"""Consent tokens by their description (src/consent/consent.h), sharing no code with radseal: deterministic CBOR, COSE_Sign1 and
Ed25519 (RFC 8032, the formulas of its section 5.1) are written here. `consent.py FILE` checks that FILE holds the vectors that
come out, `consent.py FILE --write` writes them, `consent.py --read TOKEN` prints what a token says, or refuses it."""
import hashlib
import json
import pathlib
import random
import sys

# Ed25519
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    i, j, k, m = f - e, h - g, h + g, f + e
    return i * j % P, m * k % P, j * k % P, i * m % P


def times(number, point):
    out = (0, 1, 1, 0)
    while number:
        if number & 1:
            out = add(out, point)
        point, number = add(point, point), number >> 1
    return out


def x_of(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (x_of(BASE_Y, 0), BASE_Y, 1, x_of(BASE_Y, 0) * BASE_Y % P)


def pack(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def unpack(data):
    number = int.from_bytes(data, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    x = x_of(y, sign) if y < P else None
    return None if x is None else (x, y, 1, x * y % P)


def hash_number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def secret_of(seed):
    digest = hashlib.sha512(seed).digest()
    return int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254, digest[32:]


def public_of(seed):
    return pack(times(secret_of(seed)[0], BASE))


def sign(seed, message):
    secret, prefix = secret_of(seed)
    r = hash_number(prefix, message) % L
    commitment = pack(times(r, BASE))
    s = (r + hash_number(commitment, public_of(seed), message) * secret) % L
    return commitment + s.to_bytes(32, "little")


def verify(public, message, signature):
    key, commitment = unpack(public), unpack(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or s >= L or len(signature) != 64:
        return False
    challenge = hash_number(signature[:32], public, message) % L
    return pack(times(s, BASE)) == pack(add(commitment, times(challenge, key)))


# Deterministic CBOR, as far as tokens need it
def head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    size = next(size for size in (1, 2, 4, 8) if value < 256**size)
    return bytes([major << 5 | 24 + size.bit_length() - 1]) + value.to_bytes(size, "big")


def encode(value):
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(encode, value))
    return head(5, len(value)) + b"".join(encode(key) + encode(value[key]) for key in sorted(value))


class Refused(Exception):
    pass


def check(holds, why):
    if not holds:
        raise Refused(why)


def decode_item(data, at):
    check(at < len(data), "it ends early")
    major, low = data[at] >> 5, data[at] & 31
    at += 1
    value = low
    if low >= 24:
        check(low < 28, "a length that is none")
        size = 1 << low - 24
        value, at = int.from_bytes(data[at:at + size], "big"), at + size
    if major in (2, 3):
        check(at + value <= len(data), "it ends early")
        part = data[at:at + value]
        return (part if major == 2 else part.decode()), at + value
    if major in (4, 5):
        items = []
        check(value <= len(data), "it ends early")
        for _ in range(value * (major - 3)):
            item, at = decode_item(data, at)
            items.append(item)
        return (items if major == 4 else dict(zip(items[::2], items[1::2]))), at
    check(major < 2, "a kind of item that no token has")
    return (value if major == 0 else -1 - value), at


def decode(data):
    try:
        value, at = decode_item(data, 0)
    except (UnicodeDecodeError, TypeError) as error:
        raise Refused(str(error)) from error
    check(at == len(data) and encode(value) == data, "it is not deterministic CBOR")
    return value


# Tokens
TERMS = ("organisation", "roles", "purposes", "operations", "from", "until", "studies")
PERMIT, DENY = 1, 2
ALL = {"roles": 0x1fe, "purposes": 0x1e, "operations": 0x3e}


def terms_of(terms):
    out = {number: terms[name] for number, name in enumerate(TERMS, 1) if name in terms}
    if "studies" in terms:
        out[7] = b"".join(sorted(terms["studies"]))
    return out


def message_of(header, before, payload):
    return encode(["Signature1", header, b"radseal consent v1" + before, payload])


def sign_block(seed, before, payload):
    header = b"\xa2\x01\x27\x04" + encode(public_of(seed))
    payload = encode(payload)
    signature = sign(seed, message_of(header, before, payload))
    return b"\xd2" + encode([header, {}, payload, signature]), signature


def seal_of(seed, signature):
    return sign(seed, b"radseal consent seal v1" + signature)


class Token:
    """What an issuer and the holders after it do; `drawn` are the random bytes in the order they are used."""

    def __init__(self, generator, issuer, subject, effect, issued, terms):
        self.issuer, self.subject, self.effect, self.issued = issuer, subject, effect, issued
        self.stated, self.drawn, self.generator = [terms], [], generator
        self.seed = self.draw(32)
        payload = {1: 1, 2: public_of(self.seed), 3: terms_of(terms), 4: subject, 5: effect, 6: issued,
                   7: self.draw(16)}
        block, self.signature = sign_block(issuer, b"", payload)
        self.blocks, self.sealed = [block], effect == DENY

    def draw(self, size):
        self.drawn.append(self.generator.randbytes(size))
        return self.drawn[-1]

    def narrow(self, terms):
        next_seed = self.draw(32)
        block, self.signature = sign_block(self.seed, self.signature,
                                           {1: 1, 2: public_of(next_seed), 3: terms_of(terms)})
        self.seed = next_seed
        self.blocks.append(block)
        self.stated.append(terms)

    def end(self):
        return {4: seal_of(self.seed, self.signature)} if self.sealed else {3: self.seed}

    def data(self, blocks=None, end=None):
        return encode({1: 1, 2: blocks or self.blocks} | (end or self.end()))


def narrowed(terms, block):
    out = dict(terms)
    check(block.get(1, out.get(1)) == out.get(1) or 1 not in out, "two organisations")
    out |= {1: block[1]} if 1 in block else {}
    for number in (2, 3, 4):
        out[number] = out[number] & block.get(number, out[number])
        check(out[number], "nothing is left")
    out[5] = max(out.get(5, 0), block.get(5, 0))
    ends = [which[6] for which in (out, block) if 6 in which]
    if ends:
        out[6] = min(ends)
        check(out[5] < out[6], "no time is left")
    if 7 in block:
        have = {out[7][i:i + 32] for i in range(0, len(out[7]), 32)} if 7 in out else None
        want = [block[7][i:i + 32] for i in range(0, len(block[7]), 32)]
        out[7] = b"".join(one for one in want if have is None or one in have)
        check(out[7], "no study is left")
    return out


def check_terms(terms, is_first):
    check(isinstance(terms, dict) and terms and all(key in range(1, 8) for key in terms), "terms")
    check(not is_first or {2, 3, 4} <= set(terms), "the first block's terms")
    for number, name in enumerate(("roles", "purposes", "operations"), 2):
        if number in terms:
            check(isinstance(terms[number], int) and 0 < terms[number] and not terms[number] & ~ALL[name], name)
    for number in (5, 6):
        check(number not in terms or isinstance(terms[number], int) and 0 < terms[number] < 2**64, "time")
    check(6 not in terms or terms[6] > terms.get(5, 0), "until is not after from")
    check(1 not in terms or isinstance(terms[1], str) and 1 <= len(terms[1].encode()) <= 128, "organisation")
    if 7 in terms:
        check(isinstance(terms[7], bytes) and terms[7] and len(terms[7]) % 32 == 0 and len(terms[7]) <= 2048, "studies")
        parts = [terms[7][i:i + 32] for i in range(0, len(terms[7]), 32)]
        check(parts == sorted(set(parts)), "studies must ascend")


def is_bytes(value, size):
    return isinstance(value, bytes) and len(value) == size


def read_block(data, before, next_key):
    check(isinstance(data, bytes) and data[:1] == b"\xd2", "no COSE_Sign1")
    parts = decode(data[1:])
    check(isinstance(parts, list) and len(parts) == 4 and parts[1] == {}, "no COSE_Sign1")
    header, _, payload, signature = parts
    check(is_bytes(header, 38) and header[:6] == b"\xa2\x01\x27\x04\x58\x20" and is_bytes(signature, 64), "header")
    key = header[6:]
    check(next_key in (None, key), "not the key that the block before names")
    check(isinstance(payload, bytes), "payload")
    body = decode(payload)
    first = next_key is None
    check(isinstance(body, dict) and set(body) == set(range(1, 8 if first else 4)) and body[1] == 1, "payload")
    check(is_bytes(body[2], 32), "next key")
    check_terms(body[3], first)
    if first:
        check(is_bytes(body[4], 32) and body[5] in (PERMIT, DENY) and isinstance(body[6], int) and body[6] >= 0 and
              is_bytes(body[7], 16) and (body[5] == DENY or 1 in body[3]), "authority")
    check(verify(key, message_of(header, before, payload), signature), "signature")
    return key, body, signature


def read(data):
    """What a token says; Refused when it is none."""
    check(len(data) <= 65536, "too large")
    token = decode(data)
    check(isinstance(token, dict) and set(token) in ({1, 2, 3}, {1, 2, 4}) and token[1] == 1, "token")
    check(isinstance(token[2], list) and 1 <= len(token[2]) <= 16, "blocks")
    before, next_key, out = b"", None, {"blocks": []}
    for number, data_of_block in enumerate(token[2]):
        key, body, before = read_block(data_of_block, before, next_key)
        next_key = body[2]
        out["blocks"].append({"signer": key, "id": hashlib.sha256(before).digest()})
        if number == 0:
            out |= {"subject": body[4], "effect": body[5], "issued": body[6], "terms": body[3]}
        elif out["terms"] is not None:
            try:
                out["terms"] = narrowed(out["terms"], body[3])
            except Refused:
                out["terms"] = None
    out["sealed"] = 4 in token
    if out["sealed"]:
        check(is_bytes(token[4], 64) and verify(next_key, b"radseal consent seal v1" + before, token[4]), "seal")
    else:
        check(is_bytes(token[3], 32) and public_of(token[3]) == next_key, "seed")
    check(out["effect"] == PERMIT or out["sealed"] and len(token[2]) == 1, "a denial is sealed and has one block")
    return out


def plain(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {(TERMS[key - 1] if isinstance(key, int) else key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


# Vectors
def random_terms(generator, first, effect=PERMIT):
    out = {}
    if generator.random() < 0.3 or first and effect == PERMIT:
        out["organisation"] = generator.choice(["Research", "Research", "Onkologie Süd"])
    for name in ("roles", "purposes", "operations"):
        if first or generator.random() < 0.4:
            out[name] = ALL[name] & (generator.getrandbits(10) | generator.getrandbits(10)) or ALL[name]
    start = 1_700_000_000_000 + generator.randrange(10**10)
    if generator.random() < 0.5:
        out["from"] = start
    if generator.random() < 0.5:
        out["until"] = start + generator.randrange(10**9, 10**11)
    if generator.random() < 0.3:
        out["studies"] = generator.sample([bytes([i]) * 32 for i in range(1, 7)], generator.randrange(1, 6))
    return out or {"operations": 0x3e}


def random_narrowing(generator, token):
    """Mostly one that lies within what is in force, as a holder's program makes it; else any."""
    block = random_terms(generator, False)
    in_force = read(token.data())["terms"]
    if generator.random() < 0.35 or in_force is None:
        return block
    try:
        left = narrowed(in_force, terms_of(block))
    except Refused:
        return {"operations": in_force[4]}
    left = {TERMS[number - 1]: value for number, value in left.items() if TERMS[number - 1] in block}
    if "studies" in left:
        left["studies"] = [left["studies"][i:i + 32] for i in range(0, len(left["studies"]), 32)]
    return left


def accepted(token, data=None):
    said = read(data or token.data())
    return {"issuer": token.issuer.hex(), "random": b"".join(token.drawn).hex(), "stated": plain(token.stated),
            "token": (data or token.data()).hex(), "says": plain(said)}


def refused(why, data):
    try:
        read(data)
    except Refused:
        return {"refused": why, "token": data.hex()}
    raise AssertionError(f"{why}: it was not refused")


def broken(generator):
    subject = bytes([7]) * 32
    wide = {"organisation": "Research"} | ALL
    one, other = (Token(generator, generator.randbytes(32), subject, PERMIT, 1, wide) for _ in range(2))
    short = one.data()
    for token in (one, other):
        for operations in (0x1e, 0xe, 6):
            token.narrow({"operations": operations})
    full = one.end()
    a, b, c, d = one.blocks
    yield "the last block taken off", one.data([a, b, c])
    yield "a block in the middle taken off", one.data([a, b, d])
    yield "the first block taken off", one.data([b, c, d])
    yield "two blocks changed places", one.data([a, c, b, d])
    yield "a block twice", one.data([a, b, b, c, d])
    yield "a block of another token", one.data([a, other.blocks[1], c, d])
    yield "the rest of another token", one.data([a] + other.blocks[1:], other.end())
    yield "the seed of another token", one.data(end=other.end())
    yield "a seal of another token's", one.data(end={4: seal_of(other.seed, other.signature)})
    yield "a seal over the block before", one.data(end={4: seal_of(one.seed, b"\0" * 64)})
    yield "a seal where a seed must be", one.data(end={3: seal_of(one.seed, one.signature)})
    thief = generator.randbytes(32)
    stolen, signature = sign_block(thief, one.signature, {1: 1, 2: public_of(thief), 3: {4: 2}})
    yield "a block signed by a key of another's own", one.data(one.blocks + [stolen], {3: thief})
    yield "no end", encode({1: 1, 2: one.blocks})
    yield "two ends", one.data(end=full | {4: seal_of(one.seed, one.signature)})
    yield "another version", one.data()[:2] + b"\2" + one.data()[3:]
    yield "no blocks", encode({1: 1, 2: [], 3: one.seed})
    yield "bytes after it", short + b"\0"
    yield "not the shortest form", b"\xb8\x03" + short[1:]
    denial = Token(generator, generator.randbytes(32), subject, DENY, 1, ALL)
    yield "a denial that is not sealed", denial.data(end={3: denial.seed})
    denial.narrow({"operations": 2})
    yield "a denial narrowed", denial.data()
    for why, terms in (("no roles", {"purposes": 2, "operations": 2}), ("an unknown role", wide | {"roles": 1}),
                       ("an unknown purpose", wide | {"purposes": 32}), ("a permission for everyone", ALL), ("no operation", wide | {"operations": 0}),
                       ("until before from", wide | {"from": 9, "until": 9}), ("from zero", wide | {"from": 0}),
                       ("no name", wide | {"organisation": ""}), ("a long name", wide | {"organisation": "x" * 129}),
                       ("too many studies", wide | {"studies": [bytes([i]) * 32 for i in range(65)]}),
                       ("a study twice", wide | {"studies": [b"\1" * 32] * 2}),
                       ("half a study", wide | {"studies": [b"\1" * 16]})):
        yield why, Token(generator, generator.randbytes(32), subject, PERMIT, 1, terms).data()
    empty = Token(generator, generator.randbytes(32), subject, PERMIT, 1, wide)
    empty.narrow({})
    yield "a block that says nothing", empty.data()
    many = Token(generator, generator.randbytes(32), subject, PERMIT, 1, wide)
    for _ in range(16):
        many.narrow({"operations": 6})
    yield "seventeen blocks", many.data()


def vectors():
    generator = random.Random(27560)
    out = []
    for number in range(40):
        effect = DENY if number % 8 == 7 else PERMIT
        token = Token(generator, generator.randbytes(32), generator.randbytes(32), effect, 1_763_000_000_000 + number,
                      random_terms(generator, True, effect))
        while token.effect == PERMIT and generator.random() < 0.6 and len(token.blocks) < 5:
            token.narrow(random_narrowing(generator, token))
        token.sealed |= number % 3 == 0
        out.append(accepted(token))
    return out + [refused(why, data) for why, data in broken(generator)]


def main():
    if sys.argv[1] == "--read":
        try:
            print(json.dumps(plain(read(pathlib.Path(sys.argv[2]).read_bytes()))))
        except Refused as why:
            print(f"refused: {why}")
            return 1
        return 0
    path = pathlib.Path(sys.argv[1])
    made = vectors()
    if "--write" in sys.argv:
        path.write_text(json.dumps(made, indent=1) + "\n")
    assert json.loads(path.read_text()) == made, "the vectors are not those of the description"
    print(f"{len(made)} tokens")
    return 0


if __name__ == "__main__":
    sys.exit(main())
