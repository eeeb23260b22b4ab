"""Proofs of what is in force, made by radseal and checked by code that shares none with it: `prove.py RADSEAL`.

Checkpoint, place of the head and signatures by receipts.py; the map's proof by the definition in tests/vectors/map.py; and
the map itself by replaying the whole log with the contract's second implementation (contracts/twin.py)."""
import base64
import hashlib
import json
import pathlib
import random
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "contracts"), str(ROOT / "tests" / "vectors")]

import map as definition  # noqa: E402
import twin  # noqa: E402
from node_tools import Radseal, write_nifti  # noqa: E402
from receipts import cbor, check_note, included, leaf_hash  # noqa: E402
from witnesses import Institution  # noqa: E402

UNKNOWN = "ab" * 32


def act_of(entry):
    """The transaction in an entry, and who signed it."""
    (_, (protected, _, payload, _)), _ = cbor(entry)
    fields, _ = cbor(payload)
    act = {"type": twin.TYPES[fields[2]], "id": fields[3], "time": fields[4]}
    for number, value in fields[5].items():
        name = twin.FIELDS[number]
        act[name] = [value[i:i + 32] for i in range(0, len(value), 32)] if name in ("parents", "studies") else value
    return act, cbor(protected)[0][4]


def proved(text, vkey):
    """What a file proves: (size of the head, key, value or None); AssertionError when nothing."""
    front, note = text.split("\n\n", 1)
    lines = front.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("extra ") and lines[2].startswith("index ")
    claim, end = cbor(base64.b64decode(lines[1][6:], validate=True))
    assert end == len(base64.b64decode(lines[1][6:])) and claim[1] == 1
    body, signatures = note.split("\n\n")
    own = [line for line in signatures.splitlines(keepends=True) if line.split(" ")[1] == vkey.split("+")[0]]
    size, root = check_note(body + "\n\n" + own[0], vkey)[-2:]
    index = int(lines[2][6:])
    assert included(leaf_hash(claim[2]), index, size, [base64.b64decode(line) for line in lines[3:]], root)
    act, _ = act_of(claim[2])
    assert act["type"] == "checkpoint-anchor" and act["size"] == index
    assert act["origin"] == "radseal.map/" + act["organisation"]
    assert definition.proof_holds(act["root"], claim[3], claim[4] or None, cbor(claim[5])[0])
    return act, claim[3], claim[4] or None


def replay(node, count):
    """The root of the map after so many entries, by the second implementation."""
    contract = twin.Contract()
    for index in range(count):
        told = json.loads(node.run("log", "--home", node.home, "--json", "--proof", index, check=0).stdout)
        assert contract.apply(*act_of(bytes.fromhex(told["entry"]))) == "NONE"
    return twin.map_root(contract.rows())


def administrator(node):
    return json.loads(node.run("log", "--home", node.home, "--json", check=0).stdout)["entries"][0]["signer"]


class Prover:
    def __init__(self, program, scratch):
        self.scratch, self.node = scratch, Radseal(program, scratch / "node")
        self.node.init()
        self.key = self.node.home / "keys" / "log.vkey"
        for number in range(3):
            write_nifti(scratch / f"{number}.nii", number, side=4)
            self.node.seal(scratch / f"{number}.nii")

    def prove(self, *arguments, check=0):
        path = self.scratch / "proof.tlog-proof"
        path.unlink(missing_ok=True)
        done = self.node.run("prove", *arguments, "-o", path, "--home", self.node.home, "--json", check=check)
        assert path.exists() == (check == 0), "a proof is written when it was told, and only then"
        return path, done

    def check(self, path, *arguments, check=0):
        done = self.node.run("prove", "--check", path, "--key", self.key, "--json", *arguments, check=check)
        return json.loads(done.stdout) if done.stdout else {}

    def entries(self):
        return len(json.loads(self.node.run("log", "--home", self.node.home, "--json", check=0).stdout)["entries"])


def questions(prover):
    vkey, admin = prover.key.read_text().strip(), administrator(prover.node)
    before = prover.entries()
    asked = [("member", admin, True), ("member", UNKNOWN, False), ("device", admin, False), ("subject", UNKNOWN, False),
             ("consents", UNKNOWN, False)]
    for kind, what, present in asked:
        path, done = prover.prove(kind, what, *([] if present else ["--absent"]))
        assert json.loads(done.stdout)["present"] == present
        act, key, value = proved(path.read_text(), vkey)
        assert key[1:].hex() == what and (value is not None) == present and act["size"] == before
        told = prover.check(path, *([] if present else ["--absent"]))
        assert told["entries"] == before and what in told["sentence"], told
        assert act["root"] == replay(prover.node, before), "the head is not what the entries lead to"
        prover.check(path, *(["--absent"] if present else []), check=1)
    assert prover.entries() == before + 1, "one head serves all questions that follow each other"
    prover.prove("member", UNKNOWN, check=1)
    prover.prove("member", admin, "--absent", check=1)
    prover.prove("consent", UNKNOWN, check=4)
    path, _ = prover.prove("consent", UNKNOWN, "--subject", "cd" * 32, "--absent")
    assert "no consent " + UNKNOWN in prover.check(path, "--absent")["sentence"]
    return len(asked)


def subject_of(node):
    """The token of the first subject that the log names."""
    for index in range(1, 4):
        told = json.loads(node.run("log", "--home", node.home, "--json", "--proof", index, check=0).stdout)
        act, _ = act_of(bytes.fromhex(told["entry"]))
        if "subject" in act:
            return act["subject"].hex()
    raise AssertionError("no subject")


def consents(prover):
    """Given, proved, withdrawn, proved: the one and all of the subject's."""
    node, subject, vkey = prover.node, subject_of(prover.node), prover.key.read_text().strip()
    prover.prove("consents", subject, "--absent")
    terms = ["--roles", "researcher", "--purposes", "research", "--operations", "read", "--home", node.home, "--json"]
    names = [json.loads(node.run("consent", "grant", "--subject", subject, "--organisation", "Radiology", *terms,
                                 check=0).stdout)["consent"] for _ in range(2)]
    node.run("consent", "revoke", names[0], "--home", node.home, check=0)
    for question, key, words in ((["consents", subject], "43" + subject, ["is revoked", "is in force"]),
                                 (["consent", names[0]], "43" + subject + names[0], ["is revoked"]),
                                 (["consent", names[1], "--subject", subject], "43" + subject + names[1], ["is in force"])):
        path, _ = prover.prove(*question)
        act, shown, value = proved(path.read_text(), vkey)
        assert shown.hex() == key and value and act["root"] == replay(node, act["size"])
        sentence = prover.check(path)["sentence"]
        assert all(word in sentence for word in words) and sentence.count("permits read for research") == len(words)
    path, _ = prover.prove("consent", UNKNOWN, "--subject", subject, "--absent")
    assert proved(path.read_text(), vkey)[1:] == (bytes.fromhex("43" + subject + UNKNOWN), None)


def flips(prover, count):
    """No flipped bit of a proof is accepted. Of an absent key one may be, and is then true: about another absent key."""
    generator, vkey = random.Random(4), prover.key.read_text().strip()
    for question in (["member", administrator(prover.node)], ["member", UNKNOWN, "--absent"]):
        path, _ = prover.prove(*question)
        whole = path.read_bytes()
        for _ in range(count):
            content = bytearray(whole)
            content[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
            path.write_bytes(content)
            done = prover.node.run("prove", "--check", path, "--key", prover.key, *question[2:])
            true_of_another = "--absent" in question and done.returncode == 0 and question[1] not in done.stdout
            assert true_of_another or (done.returncode == 1 and "proves nothing" in done.stderr), done
        for cut in range(0, len(whole), 97):
            path.write_bytes(whole[:cut])
            assert prover.node.run("prove", "--check", path, "--key", prover.key, *question[2:]).returncode == 1
        path.write_bytes(whole)
        assert proved(path.read_text(), vkey)


def grown(prover):
    """A head is of its time: what was proved stays so, and a new question gets a new head."""
    admin = administrator(prover.node)
    old, _ = prover.prove("member", admin)
    kept = old.read_bytes()
    prover.node.seal(prover.scratch / "0.nii", prover.scratch / "1.nii")
    write_nifti(prover.scratch / "9.nii", 9, side=4)
    prover.node.seal(prover.scratch / "9.nii")
    new, _ = prover.prove("member", admin)
    later = prover.check(new)["entries"]
    old.write_bytes(kept)
    assert prover.check(old)["entries"] < later
    prover.prove("member", admin, "--cosigned", check=4)
    path, _ = prover.prove("member", admin, "--last")
    assert prover.check(path)["entries"] == later
    prover.node.fsck(check=0)


def cosigned(program, scratch):
    """What others cosigned: the same head at their checkpoint, without a new entry."""
    log, other = Institution(program, scratch, "Radiology"), Institution(program, scratch, "Oncology")
    log.seal_one(1)
    before = len(json.loads(log.run("log", "--home", log.home, "--json", check=0).stdout)["entries"])
    admin, proof = administrator(log), scratch / "cosigned.tlog-proof"
    arguments = ["--check", proof, "--key", log.log_key, "--witness", other.witness_key]
    log.run("prove", "member", admin, "-o", proof, "--home", log.home, check=0)
    done = log.run("prove", *arguments)
    assert done.returncode == 1 and "0 of the given witnesses" in done.stderr, done
    with other.serving(log.log_key) as url:
        log.witness("cosign", url, "--key", other.witness_key, check=0)
    log.seal_one(2)
    log.run("prove", "member", admin, "--cosigned", "-o", proof, "--home", log.home, check=0)
    told = json.loads(log.run("prove", *arguments, "--json", check=0).stdout)
    assert told["cosigned"] == 1 and told["entries"] == before == told["tree_size"] - 1, told
    proved(proof.read_text(), log.log_key.read_text().strip())


def main():
    with tempfile.TemporaryDirectory() as scratch:
        prover = Prover(sys.argv[1], pathlib.Path(scratch))
        count = questions(prover)
        consents(prover)
        flips(prover, 60)
        grown(prover)
        cosigned(sys.argv[1], pathlib.Path(scratch))
    print(f"{count} questions: radseal and Python agree on every proof, and on the map")
    return 0


if __name__ == "__main__":
    sys.exit(main())
