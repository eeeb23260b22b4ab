"""Who gets what out of a node: `access.py RADSEAL [LATER]`. Paper A's five organisations, consents by study, denials, expiry and
revocation, broken glass and its review, measuring, bundles for another house. Whatever is decided, the request stands in
the log before anything is given out, also when the program is killed; and the log tells nothing personal. LATER is a library
that moves the program's clock (later.c)."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from node_tools import Radseal, files_below, write_nifti
from subjects import write_dicom

PATIENT, NAME, REASON, FOUND = "4711-0815", "Doe^Jane", "stroke, unconscious", "the ward's log confirms it"
STUDIES = ("1.2.77.1", "1.2.77.2")
DAY = 24 * 3600
MEMBERS = {  # key: role, who grants it
    "house-radiologist": ("radiologist", None), "radiologist": ("radiologist", "radiology-admin"),
    "oncologist": ("oncologist", "oncology-admin"), "researcher": ("researcher", "research-admin"),
    "engineer": ("data-engineer", "research-admin"), "regulator": ("regulator", "regulator-admin")}


class Node(Radseal):
    later = None

    def do(self, *arguments, code=0, days=0, **options):
        env = dict(os.environ, LD_PRELOAD=str(self.later), LATER_SECONDS=str(int(days * DAY))) if days else None
        return self.run(*arguments, "--home", self.home, check=code, env=env, **options)

    def rows(self, *arguments, **options):
        return json.loads(self.do(*arguments, "--json", **options).stdout)

    def requests(self):
        return sum(entry["type"] == "access-request" for entry in self.rows("log")["entries"])

    def ask(self, who, purpose, expected, *options, operation="read", days=0, entries=2):
        """expected: the decision on every study, or one for each of them."""
        decisions = expected if isinstance(expected, tuple) else (expected,) * entries
        out = self.home.parent / f"out-{time.monotonic_ns()}"
        before = self.requests()
        refused = any(decision != "permitted" for decision in decisions)
        rows = self.rows("retrieve", "--subject", PATIENT, "--purpose", purpose, "--operation", operation, "-o", out,
                         *(("--as", who) if who else ()), *options, code=3 if refused else 0, days=days)
        assert [row["decision"] for row in rows] == list(decisions), (who, purpose, operation, rows)
        assert [bool(row["path"]) for row in rows] == [decision == "permitted" for decision in decisions]
        assert all(row["reason"].startswith(row["decision"] + ": ") for row in rows if not row["path"]), rows
        written = [path for path in files_below(out) if path.suffix == ".dcm"]
        assert sorted(map(str, written)) == sorted(row["path"] for row in rows if row["path"])
        for path in written:
            assert self.verdicts(path) == {str(path): "genuine"}
        assert self.requests() == before + len(decisions), "each request is an entry"
        return rows


def grounds_by_role(node):
    for who, purpose, operation, expected in (
            (None, "operations", "read", "permitted"), (None, "operations", "export", "permitted"),
            (None, "operations", "extract", "PURPOSE"), (None, "treatment", "read", "PURPOSE"),
            ("house-radiologist", "treatment", "read", "permitted"), ("house-radiologist", "research", "read", "NO_CONSENT"),
            ("radiologist", "treatment", "read", "NO_CONSENT"), ("oncologist", "emergency", "read", "NO_CONSENT"),
            ("researcher", "treatment", "read", "PURPOSE"), ("researcher", "research", "read", "NO_CONSENT"),
            ("engineer", "research", "extract", "NO_CONSENT"), ("regulator", "audit", "read", "permitted"),
            ("regulator", "audit", "export", "PURPOSE")):
        node.ask(who, purpose, expected, operation=operation)


def grant(node, *terms, organisation="Research", roles="researcher,data-engineer", operations="read,extract"):
    before = set(row["consent"] for row in node.rows("consent", "list", "--subject", PATIENT))
    node.do("consent", "grant", "--subject", PATIENT, "--organisation", organisation, "--roles", roles, "--purposes",
            "research", "--operations", operations, *terms)
    after = set(row["consent"] for row in node.rows("consent", "list", "--subject", PATIENT))
    return (after - before).pop()


def consents(node):
    grant(node, "--until", "2020-12-31")
    node.ask("researcher", "research", "NO_CONSENT")                        # expired
    one = grant(node, "--studies", STUDIES[0])
    node.ask("researcher", "research", ("permitted", "NO_CONSENT"))         # decided study by study
    node.ask("researcher", "research", ("permitted",), "--study", STUDIES[0])
    node.ask("researcher", "research", "NO_CONSENT", operation="export")    # not what was consented to
    node.ask("radiologist", "research", "NO_CONSENT")                       # nor to whom
    everything = grant(node)
    node.ask("researcher", "research", "permitted")
    denial = grant(node, "--deny", "--studies", STUDIES[1])
    node.ask("researcher", "research", ("permitted", "CONSENT_DENIES"))     # a denial overrides
    node.do("consent", "revoke", denial)
    node.ask("researcher", "research", "permitted")
    node.do("consent", "revoke", everything)
    node.do("consent", "revoke", one)
    node.ask("researcher", "research", "NO_CONSENT")
    before = node.requests()
    node.do("member", "revoke", "engineer", "--as", "research-admin")
    out = node.home.parent / "revoked"
    done = node.do("retrieve", "--subject", PATIENT, "--purpose", "research", "--as", "engineer", "-o", out, code=3)
    assert "REVOKED: " in done.stderr and node.requests() == before and not files_below(out)


def broken_glass(node):
    arguments = ("break-glass", "--subject", PATIENT, "--reason", REASON)
    assert "ROLE: " in node.do(*arguments, "--as", "researcher", code=3).stderr
    glass = node.rows(*arguments, "--as", "oncologist")["id"]
    assert {row["basis"] for row in node.ask("oncologist", "emergency", "permitted")} == {"break-glass"}
    node.ask("radiologist", "emergency", "NO_CONSENT")
    for reader, reads in (("oncologist", True), ("oncology-admin", True), ("regulator", True), ("researcher", False), (None, False)):
        row, = node.rows("break-glass", "list", *(("--as", reader) if reader else ()))
        assert row["id"] == glass and row["review"] == "open" and (row.get("reason") == REASON) == reads, (reader, row)
        assert row["broken_at"][:10] < row["review_due"][:10]
    if node.later:
        node.ask("oncologist", "emergency", "NO_CONSENT", days=1.1)
        assert node.rows("break-glass", "list", days=7.5)[0]["review"] == "overdue"
        node.ask("oncologist", "emergency", "REVIEW_OVERDUE", days=7.5)
        node.ask("oncologist", "treatment", "REVIEW_OVERDUE", days=7.5)
        assert "REVIEW_OVERDUE: " in node.do(*arguments, "--as", "oncologist", code=3, days=7.5).stderr
    review = ("break-glass", "review", glass, "--reason", FOUND, "--outcome")
    for who, refusal in (("oncologist", "ROLE"), ("radiology-admin", "SCOPE")):
        assert f"{refusal}: " in node.do(*review, "justified", "--as", who, code=3).stderr
    node.do(*review, "justified", "--as", "oncology-admin")
    assert "ALREADY_REVIEWED: " in node.do(*review, "unjustified", "--as", "regulator", code=3).stderr
    assert node.rows("break-glass", "list") == []
    row, = node.rows("break-glass", "list", "--all", "--as", "regulator")
    assert (row["review"], row["review_reason"]) == ("justified", FOUND)


def killed(node, scratch):
    """As soon as something begins to come out, the program dies: the request is in the log all the same."""
    volume = scratch / "large.nii"
    write_nifti(volume, 5, side=256)
    node.do("seal", "--subject", "P2", volume)
    for number in range(3):
        before, out = node.requests(), scratch / f"killed{number}"
        process = subprocess.Popen([node.program, "retrieve", "--home", node.home, "--subject", "P2", "--purpose", "operations",
                                    "-o", out], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not (out.exists() and files_below(out)):
            time.sleep(0.0005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert files_below(out) and node.requests() == before + 1, "given out before it was logged"
    node.fsck(check=0)


def measuring(node, scratch):
    image, mask, other = scratch / "image.nii", scratch / "mask.nii", scratch / "other.nii"
    write_nifti(image, 1)
    write_nifti(other, 2)
    header = image.read_bytes()[:352]
    mask.write_bytes(header + b"".join((b"\1\0" if place % 24 < 12 else b"\0\0") for place in range(24 ** 3)))
    node.do("seal", "--subject", PATIENT, image, mask)
    node.do("seal", "--subject", "P3", other)
    table = scratch / "cases.csv"
    table.write_text(f"Image,Mask\n{image},{mask}\n{other},{mask}\n")
    measure = ("extract", "--purpose", "research", "--as", "researcher", "--batch", table, "-o", scratch / "table.csv", "--quiet")
    before = node.requests()
    node.do(*measure, code=3)
    consent = grant(node)
    node.do(*measure, code=3)
    rows = (scratch / "table.csv").read_text().splitlines()
    assert len(rows) == 3 and rows[1].endswith(",") and rows[2].endswith("NO_CONSENT: no consent covers this"), rows
    assert node.requests() == before + 2 * 4, "image and mask of either case, twice"
    node.do("consent", "revoke", consent)


def bundles(node, scratch):
    there, out = scratch / "there", scratch / "bundles"
    reader = node.run("key", "new", "reader", "--home", there, check=0).stdout.strip()
    export = ("retrieve", "--subject", PATIENT, "--study", STUDIES[0], "--purpose", "operations", "--operation", "export", "--for",
              there / "keys" / "reader.pub", "-o", out)
    assert "the recipient: UNKNOWN_SIGNER" in node.do(*export, code=3).stderr
    node.do("member", "grant", reader, "--role", "researcher", "--as", "research-admin")
    assert "the recipient: NO_CONSENT" in node.do(*export, code=3).stderr and not files_below(out)
    consent = grant(node)
    bundle = pathlib.Path(node.do(*export).stdout.strip())
    log = node.home / "keys" / "log.vkey"
    opened = node.run("open", bundle, "--key", "reader", "--log", log, "-o", scratch / "in", "--home", there, check=0)
    path, = [path for path in files_below(scratch / "in") if path.suffix == ".dcm"]
    assert str(path) in opened.stdout and node.verdicts(path) == {str(path): "genuine"} and bundle.name.split(".")[0] == path.stem
    content = bytearray(bundle.read_bytes())
    content[-20] ^= 1
    bundle.write_bytes(content)
    node.run("open", bundle, "--key", "reader", "--log", log, "-o", scratch / "bad", "--home", there, check=1)
    node.run("key", "new", "other", "--home", there, check=0)
    node.run("open", bundle, "--key", "other", "--log", log, "-o", scratch / "bad", "--home", there, check=4)
    assert not files_below(scratch / "bad")
    node.do("consent", "revoke", consent)


def nothing_personal(node):
    words = [word.encode() for word in (PATIENT, NAME, REASON, FOUND, *STUDIES, "P2", "1.2.77.1.5")]
    for path in files_below(node.home):
        if "receipts" not in path.parts and "objects" not in path.parts:
            content = path.read_bytes()
            assert not [word for word in words if len(word) > 2 and word in content], path


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        node = Node(sys.argv[1], scratch / "node")
        node.later = sys.argv[2] if len(sys.argv) > 2 else None
        node.run("init", node.home, "--consortium", "--quiet", check=0)
        for key, (role, admin) in MEMBERS.items():
            node.do("key", "new", key)
            node.do("member", "grant", key, "--role", role, *(("--as", admin) if admin else ()))
        for number, study in enumerate(STUDIES, 1):
            path = scratch / f"{number}.dcm"
            write_dicom(path, number, patient=PATIENT, name=NAME, study=study, series=study + ".5")
            node.do("seal", path)
        grounds_by_role(node)
        consents(node)
        broken_glass(node)
        bundles(node, scratch)
        measuring(node, scratch)
        killed(node, scratch)
        nothing_personal(node)
        node.fsck(check=0)
        print(f"{node.requests()} requests decided and logged; nothing came out without one")
    return 0


if __name__ == "__main__":
    sys.exit(main())
