"""Erasing subjects through the command line: what is left in any file, what others can still prove, what a restored backup
brings back, and kill -9 in between: `erasures.py RADSEAL RADSEAL-VERIFY`."""
import base64
import contextlib
import hashlib
import json
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from node_tools import DATABASES, Radseal, files_below, write_nifti
from subjects import write_dicom


class Site:
    def __init__(self, radseal, verifier, scratch):
        self.radseal, self.verifier, self.scratch = radseal, verifier, scratch
        self.node = Radseal(radseal, scratch / "node")
        self.node.init()
        self.unlock = self.node.home / "keys" / "unlock.key"
        self.log_key = scratch / "log.vkey"
        shutil.copy(self.node.home / "keys" / "log.vkey", self.log_key)

    def seal(self, subject, *paths):
        """Paths of the receipts, copied to where whoever got them keeps them."""
        done = self.node.run("seal", "--home", self.node.home, "--quiet", "--subject", subject, *paths, check=0)
        kept = []
        for path, line in zip(paths, done.stdout.splitlines()):
            kept.append(path.with_suffix(".tlog-proof"))
            shutil.copy(line, kept[-1])
        return kept

    def erase(self, subject, *arguments, check=0):
        done = self.node.run("erase", "--subject", subject, "--home", self.node.home, "--json", *arguments, check=check)
        return json.loads(done.stdout) if check == 0 else done.stderr

    def secrets_of(self, *paths):
        """What the databases hold of some files' subject, by SQL, before it is erased."""
        with contextlib.closing(sqlite3.connect(self.node.home / "index.sqlite")) as index, \
                contextlib.closing(sqlite3.connect(self.node.home / "subjects.sqlite")) as keys:
            subject, = index.execute("SELECT subject FROM record ORDER BY id DESC LIMIT 1").fetchone()
            rows = index.execute("SELECT box, record_nonce, object_nonce, cid FROM record WHERE subject=?", [subject]).fetchall()
            wrapped, = keys.execute("SELECT wrapped FROM subject_key WHERE pseudonym=?", [subject]).fetchone()
        return [subject, wrapped, *(value for row in rows for value in row)]


def holding(home, wanted):
    """Files whose bytes, or whose names, hold one of the values, as they are, in hexadecimal or base64."""
    forms = [form for value in wanted for form in (value, value.hex().encode(), base64.b64encode(value)[:-2])]
    return [path for path in files_below(home) if any(form in path.read_bytes() or form in path.name.encode() for form in forms)]


def check_certificate(site, path, facts, commitments):
    """By the program, and its tree by Python: RFC 6962 and the lines as they are described."""
    told = json.loads(site.node.run("erase", "verify", path, "--key", site.log_key, "--json", check=0).stdout)
    facts = {name: value for name, value in facts.items() if not name.startswith("quarantine_")}
    assert told == facts and told["commitments"] == commitments and told["objects"] == told["records"] == commitments, told
    lines = dict(line.split(" ", 1) for line in path.read_text().split("\n\n")[0].splitlines()[1:])
    entry, hashes = base64.b64decode(lines["entry-bytes"]), base64.b64decode(lines["entry-path"])
    checkpoint = base64.b64decode(lines["checkpoint"]).decode().split("\n")
    node, index, last = hashlib.sha256(b"\0" + entry).digest(), int(lines["entry"]), int(checkpoint[1]) - 1
    assert bytes.fromhex(lines["subject"]) in entry
    for step in (hashes[i:i + 32] for i in range(0, len(hashes), 32)):
        if index % 2 or index == last:
            node = hashlib.sha256(b"\1" + step + node).digest()
            while index % 2 == 0:
                index, last = index // 2, last // 2
        else:
            node = hashlib.sha256(b"\1" + node + step).digest()
        index, last = index // 2, last // 2
    assert base64.b64encode(node).decode() == checkpoint[2]
    other = site.scratch / f"other{facts['entry']}"
    Radseal(site.radseal, other).init()
    done = site.node.run("erase", "verify", path, "--key", other / "keys" / "log.vkey", check=1)
    assert "another key" in done.stderr


def one_is_erased(site, scratch):
    """Nothing of the one is left anywhere; everything of the other is as it was."""
    mine = [scratch / f"mine{i}.nii" for i in range(3)]
    theirs = [scratch / f"theirs{i}.nii" for i in range(3)]
    for i, path in enumerate(mine + theirs):
        write_nifti(path, i)
    shared = scratch / "shared.nii"
    write_nifti(shared, 77)
    receipts = site.seal("BOB", *theirs, shared)
    site.seal("ALICE", *mine, shared)
    wanted = site.secrets_of()
    assert len(holding(site.node.home, wanted[:2])) >= 2 and len(holding(site.node.home, wanted)) >= 6
    path = scratch / "alice.note"
    facts = site.erase("ALICE", "--ground", "consent-withdrawn", "--output", path)
    assert facts["ground"] == "consent-withdrawn" and facts["accesses"] == 0 and facts["bytes_searched"] > 4096
    assert not holding(site.node.home, wanted), holding(site.node.home, wanted)
    check_certificate(site, path, facts, 4)
    assert site.node.home.joinpath(f"certificates/erasure-{facts['entry']}.note").read_bytes() == path.read_bytes()
    site.node.fsck(check=0)
    verdicts = site.node.verdicts(*mine, *theirs, shared)
    assert [verdicts[str(path)] for path in mine] == ["unknown"] * 3
    assert all(verdicts[str(path)] == "genuine" for path in [*theirs, shared]), "the same bytes are Bob's, too"
    for file, receipt in zip([*theirs, shared], receipts):
        subprocess.run([site.verifier, file, receipt, "--key", site.log_key], check=True, capture_output=True)
    # Once is enough, and nobody else was meant.
    assert "nothing of this subject is here" in site.erase("ALICE", check=4)
    assert "nothing of this subject is here" in site.erase("BOB", "--issuer", "ELSEWHERE", check=4)
    assert site.erase("BOB", "--ground", "boredom", check=2)
    return mine, theirs


def backups_do_not_bring_back(site, mine, theirs):
    """The key-store backup still has the key; the data backup is from after the erasure."""
    data, keys = site.scratch / "data", site.scratch / "keys"
    site.seal("ALICE", *mine)
    site.node.run("backup", data, "--keys", keys, "--home", site.node.home, check=0)
    old = next(keys.glob("*.backup"))
    site.erase("ALICE")
    site.node.run("backup", data, "--home", site.node.home, check=0)
    assert json.loads(site.node.run("backup", data, "--keep", "1", "--home", site.node.home, "--json", check=0).stdout)["removed"] >= 3
    home = site.scratch / "restored"
    told = json.loads(site.node.run("restore", data, "--keys", old, "--unlock-file", site.unlock, "--home", home, "--json",
                                    check=0).stdout)
    assert told["erased"] == 1 and told["locked"] == 0, told
    restored = Radseal(site.radseal, home)
    restored.fsck(check=0)
    verdicts = restored.verdicts(*mine, *theirs)
    assert [verdicts[str(path)] for path in mine] == ["unknown"] * 3
    assert all(verdicts[str(path)] == "genuine" for path in theirs)
    assert {path.name for path in (home / "certificates").iterdir()} == {
        path.name for path in (site.node.home / "certificates").iterdir()}
    # The erased key was never written: nowhere in the restored node is its wrapped form.
    with contextlib.closing(sqlite3.connect(home / "subjects.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM subject_key").fetchone() == (1,)


def by_issuer(site, scratch):
    """DICOM names its patient and the issuer; another issuer's P1 is somebody else."""
    for number, issuer in ((1, "NORTH"), (2, "SOUTH")):
        write_dicom(scratch / f"{issuer}.dcm", number, patient="P1", issuer=issuer, study=f"1.2.{number}", series=f"1.2.{number}.1")
        site.node.seal(scratch / f"{issuer}.dcm")
    site.erase("P1", "--issuer", "NORTH")
    assert list(site.node.verdicts(scratch / "NORTH.dcm", scratch / "SOUTH.dcm").values()) == ["unknown", "genuine"]


def by_the_patient(site, scratch):
    """The subject's own key erases, a doctor's does not; who had the data stands in the certificate; why a glass was broken goes."""
    path, out = scratch / "carol.nii", scratch / "out"
    write_nifti(path, 300)
    site.seal("CAROL", path)
    wanted = site.secrets_of()

    def do(*arguments, check=0):
        return site.node.run(*arguments, "--home", site.node.home, check=check)
    for name, role in (("doctor", "radiologist"), ("carol", "patient")):
        do("key", "new", name)
        do("member", "grant", name, "--role", role)
    do("member", "act-for", "carol", "--subject", "CAROL")
    do("retrieve", "--subject", "CAROL", "--purpose", "treatment", "--as", "doctor", "-o", out)
    do("retrieve", "--subject", "CAROL", "--purpose", "research", "--as", "doctor", "-o", scratch / "refused", check=3)
    do("break-glass", "--subject", "CAROL", "--reason", "unconscious", "--as", "doctor")
    assert len(files_below(site.node.home / "reasons")) == 1
    assert "ROLE: " in site.erase("CAROL", "--as", "doctor", check=3)
    assert site.node.verdicts(path)[str(path)] == "genuine" and not files_below(site.node.home / "erasing")
    facts = site.erase("CAROL", "--as", "carol", "--output", scratch / "carol.note")
    lines = [line.split(" ")[3] for line in (scratch / "carol.note").read_text().splitlines() if line.startswith("access ")]
    assert facts["accesses"] == 2 and lines == ["care", "break-glass"], lines
    check_certificate(site, scratch / "carol.note", facts, 1)
    assert not files_below(site.node.home / "reasons") and not holding(site.node.home, wanted)
    do("fsck")
    assert "unconscious" not in do("break-glass", "list", "--json").stdout
    do("retrieve", "--subject", "CAROL", "--purpose", "treatment", "--as", "doctor", "-o", scratch / "late", check=4)


def kills(site, scratch, rounds=12):
    generator, count = random.Random(9), 0
    for number in range(rounds):
        path = scratch / f"killed{number}.nii"
        write_nifti(path, 500 + number)
        site.seal(f"K{number}", path)
        wanted = site.secrets_of()
        process = subprocess.Popen([site.radseal, "erase", "--subject", f"K{number}", "--home", site.node.home],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(generator.random() * 0.04)
        process.send_signal(signal.SIGKILL)
        count += process.wait() == -signal.SIGKILL
        site.seal("OTHER", scratch / "shared.nii")  # opens the node to write, which ends what was begun
        site.node.fsck(check=0)
        if site.node.verdicts(path)[str(path)] == "genuine":
            site.erase(f"K{number}")
        assert not holding(site.node.home, wanted), holding(site.node.home, wanted)
        assert not list((site.node.home / "erasing").iterdir())
    half = site.node.home / "certificates" / "erasure-1.note.0123456789abcdef.tmp"
    half.write_text("a crash ended this here")
    site.seal("OTHER", scratch / "shared.nii")
    assert not half.exists()
    for path in (site.node.home / "certificates").iterdir():
        site.node.run("erase", "verify", path, "--key", site.log_key, check=0)
    return count


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        site = Site(sys.argv[1], sys.argv[2], scratch)
        mine, theirs = one_is_erased(site, scratch)
        backups_do_not_bring_back(site, mine, theirs)
        by_issuer(site, scratch)
        by_the_patient(site, scratch)
        count = kills(site, scratch)
        print(f"erased subjects left no byte in {len(DATABASES)} databases, receipts or vault; {count} erasures killed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
