"""radseal-verify against radseal's receipts, and against every byte of them altered: `verifier.py RADSEAL RADSEAL-VERIFY
VERIFIER-FLIPS`.

Cosignatures are made here, from RFC 8032 and C2SP tlog-cosignature, sharing no line with either program."""
import base64
import hashlib
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

from node_tools import Radseal, files_below, write_nifti
from receipts import BASE, ORDER, ed25519_valid, times

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "verify"
LINES_MAX = 1000        # of the whole verifier: it is there to be read
GENUINE, ALTERED, USAGE, INPUT_OUTPUT = 0, 1, 2, 4


def encode_point(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


class Signer:
    """Ed25519, RFC 8032 section 5.1.5 and 5.1.6."""

    def __init__(self, name, seed, kind):
        digest = hashlib.sha512(bytes([seed]) * 32).digest()
        number = int.from_bytes(digest[:32], "little")
        self.name, self.prefix = name, digest[32:]
        self.scalar = number & ((1 << 254) - 8) | 1 << 254
        self.public = encode_point(times(self.scalar, BASE))
        self.id = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + self.public).digest()[:4]
        self.vkey = f"{name}+{self.id.hex()}+{base64.b64encode(bytes([kind]) + self.public).decode()}"

    def sign(self, message):
        nonce = int.from_bytes(hashlib.sha512(self.prefix + message).digest(), "little") % ORDER
        point = encode_point(times(nonce, BASE))
        challenge = int.from_bytes(hashlib.sha512(point + self.public + message).digest(), "little") % ORDER
        signature = point + ((nonce + challenge * self.scalar) % ORDER).to_bytes(32, "little")
        assert ed25519_valid(self.public, message, signature)
        return signature

    def cosign(self, body, seconds=1700000000):
        """The line of a witness below the checkpoint with this text."""
        signature = self.sign(f"cosignature/v1\ntime {seconds}\n{body}".encode())
        encoded = base64.b64encode(self.id + seconds.to_bytes(8, "big") + signature).decode()
        return f"\u2014 {self.name} {encoded}\n"


class Verifier:
    def __init__(self, program, scratch, vkey):
        self.program, self.scratch, self.vkey = program, scratch, vkey

    def run(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True, timeout=60)
        assert done.returncode in (GENUINE, ALTERED, USAGE, INPUT_OUTPUT), f"{arguments}: {done.returncode} {done.stderr}"
        return done

    def check(self, path, receipt, *arguments):
        return self.run(path, receipt, "--key", self.vkey, *arguments).returncode

    def check_bytes(self, number, content, receipt, *arguments):
        """The same of bytes that lie nowhere yet."""
        path, text = self.scratch / f"content{number}", self.scratch / f"receipt{number}"
        path.write_bytes(content)
        text.write_bytes(receipt)
        try:
            return self.check(path, text, *arguments)
        finally:
            path.unlink()
            text.unlink()


def flip_every_bit(receipt, *keys):
    """In one process: verifier_flips.c."""
    done = subprocess.run([sys.argv[3], keys[0], receipt, *keys[1:]], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{receipt}: {done.stdout}"
    return int(done.stdout)


def alter(verifier, content, receipt):
    """Through the program itself: a bit of every byte of the file, of some bytes of the receipt; cut; longer."""
    generator = random.Random(len(receipt))

    def flip(data, step):
        for place in range(generator.randrange(step), len(data), step):
            yield data[:place] + bytes([data[place] ^ 1 << generator.randrange(8)]) + data[place + 1:]

    cases = [(content, altered) for altered in flip(receipt, 23)] + [(altered, receipt) for altered in flip(content, 3)]
    cases += [(content, receipt[:size]) for size in range(0, len(receipt), 61)]
    cases += [(content, receipt + b"\n"), (content + b"\0", receipt), (content[:-1], receipt), (b"", receipt)]
    for number, case in enumerate(cases):
        assert verifier.check_bytes(number, *case) == ALTERED, f"case {number} is not refused"
    return len(cases)


def check_witnesses(verifier, path, receipt):
    """Who cosigned is counted, by key; lines of others are left alone; a line of a given key must hold."""
    body = receipt.split("\n\n")[1] + "\n"
    first, second, other = (Signer(f"witness.example/{name}", seed, 4) for seed, name in enumerate("abc", 1))
    signed = receipt + first.cosign(body) + other.cosign(body)

    def check(text, *arguments):
        return verifier.check_bytes("cosigned", path.read_bytes(), text.encode(), *arguments)

    given = ["--witness", first.vkey, "--witness", second.vkey]
    assert check(signed) == GENUINE and check(signed, "--witness", first.vkey) == GENUINE
    assert check(signed, *given, "--quorum", 1) == GENUINE and check(signed, *given) == ALTERED
    assert check(signed + second.cosign(body), *given) == GENUINE
    assert check(receipt, "--witness", first.vkey) == ALTERED, "no cosignature at all"
    assert check(receipt + first.cosign(body) + first.cosign(body), *given[:2]) == ALTERED, "one line twice"
    assert check(receipt + first.cosign("x" + body), *given[:2]) == ALTERED, "of another checkpoint"
    assert check(receipt + first.cosign("x" + body), *given, "--quorum", 0) == ALTERED, "a known key's line that is false"
    assert check(receipt + first.cosign("x" + body)) == GENUINE, "an unknown key's line says nothing"
    forged = Signer(first.name, 9, 4)
    forged.id = first.id
    assert check(receipt + forged.cosign(body), *given[:2]) == ALTERED, "name and id of a witness, signed by another"
    assert check(signed, *given[:2], *given[:2]) == USAGE, "one witness is not two"
    twin = Signer("witness.example/twin", 1, 4)
    assert check(signed, *given[:2], "--witness", twin.vkey) == USAGE, "one key under two names"
    assert check(signed, *given, "--quorum", 3) == USAGE
    assert check(signed, "--witness", verifier.vkey) == USAGE, "a log's key is no witness's"
    for number in (1, 2):
        assert check(receipt + "\u2014 nobody AAAAAAA=\n" * (64 * number)) == (GENUINE if number == 1 else ALTERED)
    many = receipt + "".join(f"\u2014 n{n} {base64.b64encode(bytes(2600)).decode()}\n" for n in range(16))
    assert check(many + first.cosign(body), *given[:2]) == GENUINE, "16 lines of a size of ML-DSA"
    cosigned = verifier.scratch / "cosigned.tlog-proof"
    cosigned.write_text(receipt + first.cosign(body))
    return flip_every_bit(cosigned, verifier.vkey, first.vkey)


def check_usage(verifier, path, receipt, scratch):
    key = ["--key", verifier.vkey]
    assert verifier.run("--help").stdout.startswith("radseal-verify FILE RECEIPT")
    assert verifier.run("--version").stdout.startswith("radseal-verify ")
    for arguments in ([], [path], [path, receipt], [path, receipt, path, *key], [path, receipt, "--key", "x"],
                      [path, receipt, *key, *key], [path, receipt, *key, "--quorum", "01"],
                      [path, receipt, *key, "--quorum", "1"], [path, receipt, *key, "--colour"]):
        assert verifier.run(*arguments).returncode == USAGE, arguments
    assert verifier.run(scratch / "missing", receipt, *key).returncode == INPUT_OUTPUT
    assert verifier.run(path, scratch / "missing", *key).returncode == INPUT_OUTPUT
    assert verifier.run(scratch, receipt, *key).returncode == INPUT_OUTPUT
    assert verifier.run(path, receipt, "--quiet", *key).stdout == ""
    key_file = scratch / "log.vkey"
    key_file.write_text(verifier.vkey + "\n")
    assert verifier.run(path, receipt, "--key", key_file).returncode == GENUINE
    # C2SP signed-note's own example of a key: of another log, so that the receipt is refused
    other = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    assert verifier.run(path, receipt, "--key", other).returncode == ALTERED
    assert verifier.run(path, receipt, "--key", other.replace("530d", "530e")).returncode == USAGE
    huge = scratch / "huge"
    huge.write_bytes(b"A" * (2 << 20))
    assert verifier.run(path, huge, *key).returncode == ALTERED


def count_lines():
    count = sum(len(path.read_text().splitlines()) for path in SOURCES.glob("*.[ch]"))
    assert 0 < count < LINES_MAX, f"the verifier has {count} lines: too many to be read in a sitting"
    names = {name for path in SOURCES.glob("*.[ch]") for name in re.findall(r'#include "([^"]+)"', path.read_text())}
    assert names == {"verify.h"}, f"it includes what is not its own: {names}"
    return count


def main():
    # RFC 8032 section 7.1, TEST 1: the signer itself works
    signer = Signer("x", 0, 4)
    digest = hashlib.sha512(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")).digest()
    signer.scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | 1 << 254
    signer.prefix, signer.public = digest[32:], encode_point(times(signer.scalar, BASE))
    assert signer.public.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert signer.sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        node = Radseal(sys.argv[1], scratch / "node")
        node.run("demo", "scan", scratch / "demo", check=0)
        node.home = scratch / "demo" / "node"
        for number in range(3):
            write_nifti(scratch / f"volume{number}.nii", number, side=4)
        rows = json.loads(node.seal(*files_below(scratch / "demo" / "t2"), *sorted(scratch.glob("*.nii"))).stdout)
        verifier = Verifier(sys.argv[2], scratch, (node.home / "keys" / "log.vkey").read_text().strip())
        for row in rows:
            assert verifier.check(row["path"], row["receipt"]) == GENUINE, row["path"]
        assert verifier.check(rows[0]["path"], rows[1]["receipt"]) == ALTERED, "another file's receipt"
        path, receipt = pathlib.Path(rows[-1]["path"]), pathlib.Path(rows[-1]["receipt"])
        count = alter(verifier, path.read_bytes(), receipt.read_bytes())
        count += sum(flip_every_bit(row["receipt"], verifier.vkey) for row in (rows[0], rows[-1]))
        count += check_witnesses(verifier, path, receipt.read_text())
        check_usage(verifier, path, receipt, scratch)
    print(f"{len(rows)} receipts genuine, {count} altered ones refused; {count_lines()} lines of C")
    return 0


if __name__ == "__main__":
    sys.exit(main())
