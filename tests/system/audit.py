"""`radseal audit` as an auditor uses it: `audit.py RADSEAL`. Its proofs are checked by receipts.py, which shares no line with
radseal; lines, and that none is missing, against the contract's twin in Python (audit_twin.py); FHIR by audit_formats.py."""
import base64
import csv
import io
import json
import pathlib
import random
import re
import sqlite3
import sys
import tempfile

import audit_twin
from audit_formats import judge_bundle
from node_tools import Radseal, write_nifti
from receipts import check_note, included, leaf_hash

FILES = 5


class Node(Radseal):
    def audit(self, *arguments, check=0):
        return self.run("audit", *arguments, "--home", self.home, check=check)

    def lines(self, *arguments):
        return json.loads(self.audit(*arguments, "--json").stdout)

    def log(self):
        return json.loads(self.run("log", "--home", self.home, "--json", check=0).stdout)["entries"]


def check_proof(path, vkey):
    """C2SP tlog-proof: number and bytes of an entry of the log, and the tree it is proved in."""
    text, note = path.read_text().split("\n\n", 1)
    header, extra, index, *hashes = text.split("\n")
    assert header == "c2sp.org/tlog-proof@v1" and extra.startswith("extra ") and index.startswith("index ")
    entry, number = base64.b64decode(extra[6:]), int(index[6:])
    size, root = check_note(note, vkey)
    assert included(leaf_hash(entry), number, size, [base64.b64decode(line) for line in hashes], root), path.name
    return number, size, root


def check_subject(node, scratch):
    told = node.lines("subject", "--subject", "P1", "--proofs", scratch / "proofs")
    log = node.log()
    assert told["tree_size"] == len(log) and told["request"] == len(log) - 1
    types = [line["type"] for line in told["lines"]]
    assert types == ["subject-register"] + ["object-register"] * FILES + ["access-request"]
    assert {line["transaction"] for line in told["lines"]} == {log[line["entry"]]["id"] for line in told["lines"]}
    last = told["lines"][-1]
    assert (last["purpose"], last["operation"], last["decision"], last["basis"]) == ("operations", "read", "permitted", "care")
    vkey = (scratch / "proofs" / "log.vkey").read_text().strip()
    assert vkey == (node.home / "keys" / "log.vkey").read_text().strip()
    proved = {}
    for path in (scratch / "proofs").glob("*.tlog-proof"):
        number, size, root = check_proof(path, vkey)
        proved[number] = path.name
        assert size == told["tree_size"] and base64.b64encode(root).decode() == told["tree_root"]
    rests = {line[name] for line in told["lines"] for name in ("entry", "role_entry", "object_entry") if name in line}
    assert set(proved) == rests, "every line is proved, and what it rests on"
    assert all(line["proof"] == proved[line["entry"]] for line in told["lines"])
    check_check(node, scratch, proved)
    return told["lines"][0]["subject"]


def check_check(node, scratch, proved):
    """The node's own check of its proofs, without the node: every bit of a file counts."""
    files, key = sorted((scratch / "proofs").glob("*.tlog-proof")), scratch / "proofs" / "log.vkey"
    told = json.loads(node.run("audit", "check", *files, "--key", key, "--json", check=0).stdout)
    assert {row["entry"]: pathlib.Path(row["path"]).name for row in told} == proved
    assert {row["transaction"] for row in told} <= {entry["id"] for entry in node.log()}
    text, changed = files[1].read_bytes(), scratch / "changed.tlog-proof"
    generator = random.Random(5)
    for place in {generator.randrange(len(text)) for _ in range(40)}:
        changed.write_bytes(text[:place] + bytes([text[place] ^ 1 << generator.randrange(8)]) + text[place + 1:])
        done = node.run("audit", "check", files[0], changed, "--key", key, "--quiet", check=1)
        assert done.stdout.startswith(f"NOT PROVED  {changed}: ") and done.stdout.count("\n") == 1
    other = Node(node.program, scratch / "other")
    other.init()
    node.run("audit", "check", files[0], "--key", other.home / "keys" / "log.vkey", check=1)
    node.run("audit", "check", scratch / "none", "--key", key, check=4)


def check_forms(node, token):
    by_token = node.lines("subject", "--token", token)["lines"]
    assert by_token[:-1] == node.lines("subject", "--subject", "P1")["lines"][:len(by_token) - 1], "both names, one subject"
    rows = list(csv.DictReader(io.StringIO(node.audit("subject", "--token", token, "--format", "csv").stdout, newline="")))
    assert [int(row["entry"]) for row in rows[:len(by_token)]] == [line["entry"] for line in by_token]
    events = judge_bundle(json.loads(node.audit("subject", "--token", token, "--format", "fhir").stdout))
    assert len(events) == len(rows) + 1, "each audit is an entry of the next one"
    assert judge_bundle(json.loads(node.audit("all", "--refused", "--format", "fhir").stdout)) == []
    told = node.audit("subject", "--subject", "P1", "--identify").stdout
    assert "patient P1" in told and "rests on" in told
    assert not re.search(r"\bP1\b", node.audit("subject", "--subject", "P1").stdout), "signatures may have it within"


def check_others(node, scratch, token):
    log = node.log()
    member = log[0]["signer"]
    lines = node.lines("member", member)["lines"]
    assert [line["entry"] for line in lines] == [entry["index"] for entry in log], "one member did all of it"
    assert lines[0]["relation"] == "signs concerns" and lines[0]["role"] == "hospital-administrator"
    image = scratch / "volume2.nii"
    lines = node.lines("object", image)["lines"]
    assert [line["relation"] for line in lines] == ["registers", "asks"] and lines[0]["subject"] == token
    assert [line["relation"] for line in node.lines("object", lines[0]["object"])["lines"]] == ["registers", "asks", "asks"]
    receipt = pathlib.Path(json.loads(node.seal("--subject", "P1", image).stdout)[0]["receipt"])
    assert node.lines("object", receipt.name.removesuffix(".tlog-proof"))["question"] == f"object {lines[0]['object']}"
    everything = node.lines("all")["lines"]
    assert [line["transaction"] for line in everything] == [entry["id"] for entry in node.log()]
    moment = everything[4]["time"]
    assert [line["entry"] for line in node.lines("all", "--from", moment)["lines"]] == \
        [line["entry"] for line in everything if line["time"] >= moment]
    assert [line["entry"] for line in node.lines("all", "--until", moment)["lines"]] == \
        [line["entry"] for line in everything if line["time"] < moment]
    assert node.lines("all", "--from", "2100-01-01")["lines"] == []
    bursts = node.lines("all", "--anomalies", "--burst", 3)["lines"]
    judge_bundle(json.loads(node.audit("all", "--anomalies", "--burst", 3, "--format", "fhir").stdout))
    assert bursts and {line["findings"] for line in bursts} == {"burst"}
    assert node.lines("all", "--anomalies")["lines"] == [] == node.lines("all", "--open-reviews")["lines"]


def check_usage(node, token):
    for arguments, sentence in [([], "name what to audit"), (["nonsense"], "subject, member, object or all"),
                                (["subject"], "--token"), (["subject", "x", "--token", token], "--token"),
                                (["subject", "--token", "12"], "64 hexadecimal"), (["member", "x/y"], "name"),
                                (["member"], "audit member KEY or NAME"), (["subject", "--subject", "P1", "--token", token], "--token"),
                                (["subject", "--token", token, "--identify"], "--identify"), (["all", "--from", "monday"], "--from"),
                                (["subject", "--token", token, "--issuer", "x"], "--issuer"), (["all", "--token", token], "--token"),
                                (["all", "--refused", "--anomalies"], "different questions"), (["all", "--burst", "3"], "--anomalies"),
                                (["all", "--anomalies", "--burst", "1"], "burst"), (["all", "--format", "xml"], "--format"),
                                (["all", "--format", "csv", "--json"], "--json"), (["all", "--as", "x"], "--as"),
                                (["check", "x"], "--key"), (["check", "--key", "x"], "PROOF"), (["check", "x", "--key", "y"], "--key"),
                                (["check", "x", "--key", "y", "--replay"], "--replay"), (["all", "--key", "x"], "--key")]:
        done = node.audit(*arguments, check=None)
        assert done.returncode == 2, done
        assert sentence in done.stderr, f"{arguments}: {done.stderr}"
    before = len(node.log())
    for arguments in (["subject", "--token", "ab" * 32], ["subject", "--subject", "P9"], ["object", "cd" * 32],
                      ["object", node.home / "radseal.yaml"], ["member", "nobody"]):
        assert node.audit(*arguments, check=4).stdout == ""
    assert len(node.log()) == before, "nothing was asked for"


def do_the_rest(run, scratch, token, consent):
    """Entries of the types that are left: devices, anchors, heads of the map, what is known of a patient, ends of consents."""
    for name in ("mr-1", "mr-2"):
        run("key", "new", name)
    run("device", "enrol", "mr-1", "--name", "MR, room 4")
    run("device", "rotate", "mr-1", "mr-2", "--as", "mr-1")
    write_nifti(scratch / "mr.nii", 10, side=4)
    run("seal", "--subject", "P7", "--as", "mr-2", scratch / "mr.nii")
    run("device", "revoke", "mr-2")
    (scratch / "birthday").write_text("19970522")
    run("xray", "setBirthday", scratch / "birthday", "--subject", "P7")
    run("organisation", "add", "Oncology", "--kind", "oncology", "--administrator", "kim", check=3)
    run("prove", "consents", token, "-o", scratch / "consents.tlog-proof")
    run("anchor")
    run("consent", "revoke", consent)
    run("member", "revoke", "reader")
    glass = json.loads(run("break-glass", "list", "--json").stdout)[0]["id"]
    run("break-glass", "review", glass, "--outcome", "justified", "--reason", "seen in the ward's log")


def check_consortium(program, scratch):
    """What the issue asks: who saw this subject's data, why, under which consent; as each role may know it."""
    node = Node(program, scratch / "hospital")
    node.init()
    at_home = ("--home", node.home)
    run = lambda *arguments, check=0: node.run(*arguments, *at_home, check=check)
    for name, role in (("doctor", "radiologist"), ("watch", "regulator"), ("reader", "researcher")):
        run("key", "new", name)
        run("member", "grant", name, "--role", role)
    write_nifti(scratch / "scan.nii", 9, side=4)
    node.seal("--subject", "P7", scratch / "scan.nii")
    run("retrieve", "--subject", "P7", "--as", "doctor", "--purpose", "treatment", "-o", scratch / "out")
    run("retrieve", "--subject", "P7", "--as", "reader", "--purpose", "research", "-o", scratch / "no", check=3)
    consent = ("--subject", "P7", "--organisation", "Radiology", "--roles", "researcher", "--purposes", "research")
    run("consent", "grant", *consent, "--operations", "read", "--until", "2100-01-01")
    run("retrieve", "--subject", "P7", "--as", "reader", "--purpose", "research", "-o", scratch / "yes")
    run("break-glass", "--subject", "P7", "--reason", "unconscious", "--as", "doctor")
    told = node.lines("subject", "--subject", "P7", "--as", "watch", "--proofs", scratch / "consortium")
    short = [(line["type"], line["role"], line.get("purpose_code"), line.get("decision"), line.get("basis"), line.get("refusal"))
             for line in told["lines"] if line["type"] in ("access-request", "break-glass")]
    assert short == [("access-request", "radiologist", "TREAT", "permitted", "care", None),
                     ("access-request", "researcher", "HRESCH", "refused", None, "NO_CONSENT"),
                     ("access-request", "researcher", "HRESCH", "permitted", "consent", None),
                     ("break-glass", "radiologist", None, None, None, None),
                     ("access-request", "regulator", "HCOMPL", "permitted", "oversight", None)]
    used = told["lines"][-3]
    granted = next(line for line in told["lines"] if line["type"] == "consent-grant")
    assert used["consent_entry"] == granted["entry"] and used["consent"] == granted["consent"]
    assert used["consent_terms"].startswith("permits; organisation Radiology; roles researcher; purposes research; operations read;")
    assert "unconscious" not in json.dumps(told) and not re.search(r"\bP7\b", json.dumps(told))
    run("audit", "check", *sorted((scratch / "consortium").glob("*.tlog-proof")), "--key", scratch / "consortium" / "log.vkey")
    assert [line["review"] for line in node.lines("all", "--open-reviews")["lines"]] == ["open"]
    assert [line["signer"] for line in node.lines("all", "--refused")["lines"]] == [used["signer"]]
    acts = node.lines("member", "reader")["lines"]
    assert [line["type"] for line in acts] == ["member-grant", "access-request", "access-request"] and \
        acts == node.lines("member", used["signer"])["lines"]
    before = len(node.log())
    done = node.audit("subject", "--subject", "P7", "--as", "reader", check=3)
    assert "PURPOSE" in done.stderr and done.stdout == "" and len(node.log()) == before + 1, "refused, and told"
    assert "SCOPE" in node.audit("subject", "--subject", "P7", "--as", "watch", "--identify", check=3).stderr
    run("key", "new", "kim")
    run("member", "grant", "kim", "--role", "patient")
    assert "NO_CONSENT" in node.audit("subject", "--subject", "P7", "--as", "kim", check=3).stderr, "not hers yet"
    run("member", "act-for", "kim", "--subject", "P7")
    own = node.lines("subject", "--subject", "P7", "--as", "kim", "--identify")["lines"]
    assert (own[-1]["purpose_code"], own[-1]["basis"], own[-1]["patient"]) == ("PATRQT", "own-data", "P7")
    token = granted["subject"]
    do_the_rest(run, scratch, token, granted["consent"])
    assert audit_twin.check(node) == len(node.log()) - 1, "the last audit of a subject is an entry itself"
    run("erase", "--subject", "P7")
    assert node.audit("subject", "--subject", "P7", "--as", "watch", check=4).stdout == "", "nobody knows any more whose token it was"
    before = len(node.log())
    after = node.lines("subject", "--token", token, "--as", "watch")
    assert "request" not in after and len(node.log()) == before and after["lines"][-1]["type"] == "erasure"
    judge_bundle(json.loads(node.audit("all", "--format", "fhir").stdout))
    types = {line["type"] for line in node.lines("all")["lines"]}
    assert set(audit_twin.twin.TYPES[1:]) - types == {"consent-narrow"}, f"every type but one: {types}"
    audit_twin.check(node)
    node.fsck(check=0)


def changed(node, sql):
    connection = sqlite3.connect(node.home / "audit.sqlite")
    connection.execute(sql)
    connection.commit()
    connection.close()


def check_changes(node, token):
    """An index that hides an access: fsck names it, --replay makes it anew. A state that lies: the audit names it."""
    whole = [line["entry"] for line in node.lines("all")["lines"]]
    hidden = [line["entry"] for line in node.lines("subject", "--token", token)["lines"]]
    changed(node, f"DELETE FROM about WHERE entry={hidden[-1]}")
    assert "fault in audit" in node.fsck(check=1).stdout
    assert hidden[-1] not in [line["entry"] for line in node.lines("subject", "--token", token)["lines"]]
    assert set(hidden) < {line["entry"] for line in node.lines("subject", "--token", token, "--replay")["lines"]}
    node.fsck(check=0)
    (node.home / "audit.sqlite").unlink()
    for name in ("audit.sqlite-wal", "audit.sqlite-shm"):
        (node.home / name).unlink(missing_ok=True)
    assert [line["entry"] for line in node.lines("all")["lines"]][:len(whole)] == whole, "it may be deleted"
    connection = sqlite3.connect(node.home / "ledger.sqlite")
    request = connection.execute("SELECT key, value FROM state WHERE substr(key,1,1)=x'51' LIMIT 1").fetchone()
    connection.execute("UPDATE state SET value=? WHERE key=?", (request[1][:2] + b"\x02" + request[1][3:], request[0]))
    connection.commit()
    done = node.audit("all", check=1)
    assert "is not what the log leads to" in done.stderr
    connection.execute("UPDATE state SET value=? WHERE key=?", (request[1], request[0]))
    connection.commit()
    connection.close()
    node.audit("all")
    node.fsck(check=0)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        node = Node(sys.argv[1], scratch / "node")
        node.init()
        for number in range(FILES):
            write_nifti(scratch / f"volume{number}.nii", number, side=4)
            node.seal("--subject", "P1", scratch / f"volume{number}.nii")
        token = check_subject(node, scratch)
        check_forms(node, token)
        check_others(node, scratch, token)
        check_usage(node, token)
        check_changes(node, token)
        check_consortium(sys.argv[1], scratch)
        print(f"{len(node.log())} entries")


if __name__ == "__main__":
    main()
