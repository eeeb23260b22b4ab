"""Who may do what, from a shell: `people.py RADSEAL`. Paper A's five organisations; every role at every command that changes
who is who; revoked, expired, rotated and stolen keys; names that stay off the ledger; warnings before a role ends."""
import json
import os
import pathlib
import sys
import tempfile

from node_tools import Radseal, files_below, write_nifti

ROLES = {  # role: the organisation that gives it
    "radiologist": "radiology-admin", "oncologist": "oncology-admin", "researcher": "research-admin",
    "data-engineer": "research-admin", "hospital-administrator": "radiology-admin", "regulator": "regulator-admin",
    "patient": "oncology-admin"}
GOVERNS = {"hospital-administrator"}
ORGANISES = {"hospital-administrator", "regulator"}
ENROLS = {"hospital-administrator", "data-engineer"}


class Node(Radseal):
    def do(self, *arguments, code=0, name=None):
        done = self.run(*arguments, "--home", self.home)
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        if name:
            assert done.stderr.split("radseal: ")[-1].startswith(name + ": "), (arguments, done.stderr)
        return done

    def refused(self, name, *arguments):
        before = self.size()
        self.do(*arguments, code=3, name=name)
        assert self.size() == before, "a refusal left an entry"

    def size(self):
        return len(json.loads(self.do("log", "--json").stdout)["entries"])

    def key(self, name):
        return self.do("key", "new", name).stdout.strip()

    def rows(self, *arguments):
        return json.loads(self.do(*arguments, "--json").stdout)

    def row(self, command, key):
        return next(row for row in self.rows(command, "list") if row["key"] == key)


def five_organisations(node):
    node.run("init", node.home, "--consortium", "--quiet", check=0)
    kinds = {row["name"]: row["kind"] for row in node.rows("organisation", "list")}
    assert kinds == {"Hospital Administration": "hospital-administration", "Radiology": "radiology",
                     "Oncology": "oncology", "Research": "research", "Regulator": "regulator"}, kinds
    for role, admin in ROLES.items():
        key = node.key(role)
        node.do("member", "grant", role, "--role", role, "--as", admin)
        row = node.row("member", key)
        assert (row["role"], row["state"], row["until"]) == (role, "valid", None), row
    for role, other in (("oncologist", "radiology-admin"), ("regulator", "oncology-admin"),
                        ("researcher", "regulator-admin"), ("patient", "research-admin")):
        node.refused("ORGANISATION_KIND", "member", "grant", node.key(f"x-{role}"), "--role", role, "--as", other)


def every_role_at_every_command(node):
    """The table of contracts/README.md, by what a shell sees; each role acts within its own organisation."""
    spare = iter(range(100))
    organisations = {row["key"]: row["organisation"] for row in node.rows("member", "list")}
    for role, admin in ROLES.items():
        own = organisations[node.do("key", "show", role).stdout.strip()]
        has_devices = own in ("Radiology", "Oncology", "Hospital Administration")
        victim, device = node.key(f"victim-{role}"), node.key(f"device-{role}")
        node.do("member", "grant", victim, "--role", "hospital-administrator", "--as", admin)

        def attempt(allowed, *arguments, refusal="ROLE"):
            if allowed:
                node.do(*arguments, "--as", role)
            else:
                node.refused(refusal, *arguments, "--as", role)
        attempt(role in GOVERNS, "member", "grant", node.key(f"new-{role}"), "--role", "hospital-administrator")
        attempt(role in GOVERNS, "member", "revoke", victim)
        attempt(role in ORGANISES, "organisation", "add", f"Clinic {next(spare)}", "--kind", "radiology",
                "--administrator", node.key(f"head-{role}"))
        enrols = role in ENROLS and has_devices
        attempt(enrols, "device", "enrol", device,
                refusal="ORGANISATION_KIND" if role in ENROLS else "ROLE")
        if not enrols:
            device = node.key(f"other-device-{role}")
            node.do("device", "enrol", device, "--as", "radiology-admin")
        refusal = "SCOPE" if role in ENROLS else "ROLE"
        rotated = node.key(f"rotated-{role}")
        attempt(enrols, "device", "rotate", device, rotated, refusal=refusal)
        attempt(enrols, "device", "revoke", rotated if enrols else device, refusal=refusal)
    node.refused("SCOPE", "member", "grant", node.key("far"), "--role", "radiologist", "--org", "Radiology",
                 "--as", "oncology-admin")
    node.refused("SCOPE", "organisation", "add", "Overseers", "--kind", "regulator", "--administrator",
                 node.key("overseer"), "--as", "radiology-admin")
    node.refused("ALREADY_THERE", "organisation", "add", "Radiology", "--administrator", node.key("again"))
    node.refused("NOT_THERE", "member", "revoke", node.key("unknown"))
    node.refused("UNKNOWN_SIGNER", "member", "revoke", "radiologist", "--as", "unknown")


def revoked_and_expired(node):
    key = node.key("leaver")
    node.do("member", "grant", "leaver", "--role", "hospital-administrator", "--as", "oncology-admin")
    node.do("member", "grant", node.key("hired"), "--role", "oncologist", "--as", "leaver")
    node.do("member", "revoke", key[:12], "--as", "oncology-admin")
    node.refused("REVOKED", "member", "grant", node.key("friend"), "--role", "oncologist", "--as", "leaver")
    node.refused("ALREADY_THERE", "member", "grant", "leaver", "--role", "oncologist", "--as", "oncology-admin")
    row = node.row("member", key)
    assert row["state"] == "revoked" and row["revoked_at"].startswith("20") and row["rotated_to"] is None, row

    guest = node.key("guest")
    node.do("member", "grant", "guest", "--role", "hospital-administrator", "--from", "2020-01-01", "--until",
            "2021-01-01", "--as", "oncology-admin")
    late = node.do("member", "grant", "friend", "--role", "oncologist", "--as", "guest", code=3)
    assert "ended at 2021-01-01T00:00:00.000Z" in late.stderr and "OUT_OF_PERIOD: " in late.stderr, late.stderr
    assert node.row("member", guest)["state"] == "expired"
    node.do("member", "grant", "guest", "--role", "hospital-administrator", "--from", "+300d", "--as", "oncology-admin")
    node.refused("OUT_OF_PERIOD", "member", "grant", "friend", "--role", "oncologist", "--as", "guest")
    assert node.row("member", guest)["state"] == "not yet"
    node.do("member", "grant", "guest", "--role", "hospital-administrator", "--until", "+10d", "--as", "oncology-admin")
    warned = node.do("member", "grant", "friend", "--role", "oncologist", "--as", "guest")
    assert warned.stderr.count("ends at 20") == 1 and guest[:16] in warned.stderr, warned.stderr
    assert not node.do("member", "grant", "friend", "--role", "oncologist", "--as", "guest", "--quiet").stderr
    assert [row["key"] for row in node.rows("member", "list", "--expiring", "10")] == [guest]
    assert node.rows("member", "list", "--expiring", "9") == []
    history = node.rows("member", "list", "--history", "guest")
    assert [row["type"] for row in history] == ["member-grant"] * 3
    assert [bool(row["until"]) for row in history] == [True, False, True]
    node.do("member", "grant", node.key("gone"), "--role", "patient", "--from", "2020-01-01", "--until", "2020-02-01",
            "--as", "oncology-admin")
    fsck = node.do("fsck").stdout
    assert fsck.count("expired: ") == 1 and "(patient of Oncology) ended at 2020-02-01" in fsck, fsck
    assert len(node.rows("fsck")["expired"]) == 1


def rotations(node):
    old, new = node.key("reader"), node.key("reader-2")
    node.do("member", "grant", "reader", "--role", "hospital-administrator", "--until", "+100d", "--name", "Dr. Q. Example",
            "--as", "radiology-admin")
    node.do("member", "rotate", "reader", "reader-2", "--as", "reader")
    node.refused("REVOKED", "member", "revoke", "reader-2", "--as", "reader")
    first, second = node.row("member", old), node.row("member", new)
    assert first["rotated_to"] == new and first["state"] == "revoked" and second["state"] == "valid"
    assert (second["until"], second["name"]) == (first["until"], "Dr. Q. Example"), second
    assert node.rows("member", "list", "--history", "reader-2")[0]["rotated_from"] == old[:16]
    node.do("member", "rotate", "reader", "reader-2", "--as", "radiology-admin", code=2)

    scanner = node.key("mr-1")
    successor = node.key("mr-2")
    node.do("device", "enrol", "mr-1", "--name", "MR, room 4", "--as", "radiology-admin")
    node.do("device", "rotate", "mr-1", "mr-2", "--as", "mr-1")
    row = node.row("device", scanner)
    assert row["rotated_to"] == successor and row["name"] == "MR, room 4", row
    # A stolen key: the old one rotated, the new one revoked; neither acts again.
    node.refused("ROTATED", "device", "rotate", "mr-1", node.key("mr-3"), "--as", "mr-1")
    node.do("device", "revoke", "mr-2", "--as", "radiology-admin")
    node.refused("REVOKED", "device", "rotate", "mr-2", "mr-3", "--as", "mr-2")
    node.refused("ALREADY_THERE", "device", "enrol", "mr-2", "--as", "radiology-admin")
    assert [row["type"] for row in node.rows("device", "list", "--history", "mr-2")] == ["device-rotate", "device-revoke"]


def sealing(node, scratch):
    """Whoever seals signs: members and devices of their organisations, until they are revoked or rotated."""
    paths = iter(range(100))

    def seal(name, refusal=None):
        path = scratch / f"image{next(paths)}.nii"
        write_nifti(path, path.name, side=4)
        done = node.seal(path, "--subject", f"P-{path.name}", "--as", name, check=3 if refusal else 0)
        assert not refusal or f": {refusal}: " in done.stderr, done.stderr
        return f"P-{path.name}"
    node.key("scanner"), node.key("scanner-2")
    node.do("device", "enrol", "scanner", "--as", "radiology-admin")
    subject = seal("scanner")
    entries = json.loads(node.do("log", "--json").stdout)["entries"][-2:]
    key = node.do("key", "show", "scanner").stdout.strip()
    assert [entry["type"] for entry in entries if entry["signer"] == key][-1] == "object-register", entries
    for role in ROLES:
        seal(role, {"patient": "ROLE", "regulator": "ROLE", "researcher": "UNKNOWN_SUBJECT"}.get(role))
    node.do("device", "rotate", "scanner", "scanner-2", "--as", "scanner")
    seal("scanner", "ROTATED")
    seal("scanner-2")
    node.do("device", "revoke", "scanner-2", "--as", "radiology-admin")
    seal("scanner-2", "REVOKED")
    node.key("locum")
    node.do("member", "grant", "locum", "--role", "radiologist", "--from", "2020-01-01", "--until", "2020-01-02",
            "--as", "radiology-admin")
    seal("locum", "OUT_OF_PERIOD")
    node.refused("NOT_A_PATIENT", "member", "act-for", "radiologist", "--subject", subject, "--as", "radiology-admin")
    node.refused("ROLE", "member", "act-for", "patient", "--subject", subject, "--as", "regulator")
    node.do("member", "act-for", "patient", "--subject", subject, "--as", "radiology-admin")
    node.do("member", "act-for", "patient", "--subject", "nobody", "--as", "radiology-admin", code=4)
    node.do("member", "act-for", "patient", code=2)


def names_stay_here(node):
    for path in files_below(node.home):
        assert b"Q. Example" not in path.read_bytes(), path
    assert "Q. Example" not in node.do("log", "--json").stdout
    assert "Dr. Q. Example" in node.do("member", "list").stdout
    node.do("member", "forget", "reader")
    node.do("member", "forget", "reader-2")
    assert "Q. Example" not in node.do("member", "list").stdout
    node.do("member", "forget", "reader", code=4)


def usage(node, scratch):
    for arguments in (("member",), ("member", "fire", "x"), ("member", "grant"), ("member", "grant", "reader"),
                      ("member", "grant", "reader", "--role", "device"), ("member", "grant", "reader", "--role", "king"),
                      ("member", "grant", "reader", "--role", "patient", "--until", "soon"),
                      ("member", "grant", "reader", "--role", "patient", "--from", "2027-01-01", "--until", "2026-01-01"),
                      ("organisation", "add", "X"), ("organisation", "add", "X", "--kind", "y", "--administrator", "node"),
                      ("device", "enrol"), ("member", "list", "x"), ("member", "revoke", "reader", "--as", "../node")):
        node.do(*arguments, code=2)
    node.do("member", "revoke", "nobody-here", code=4)
    node.run("init", scratch / "twice", "--consortium", "--org", "X", check=2)
    node.run("init", scratch / "kind", "--kind", "shop", check=2)

def anchors(node, scratch):
    pin, vkey = node.home / "keys" / "last-checkpoint", node.home / "keys" / "log.vkey"
    old = scratch / "old-checkpoint"
    old.write_bytes(pin.read_bytes())
    node.refused("ROLE", "anchor", "--as", "researcher")
    node.do("anchor")
    node.do("anchor")  # of the entry that the first one made
    node.do("anchor", old, code=2)
    node.refused("ROLLED_BACK", "anchor", old, "--key", vkey)
    node.refused("SCOPE", "anchor", "--as", "radiology-admin")
    altered = scratch / "altered-checkpoint"
    altered.write_text(old.read_text().replace("\n", "\n1", 1))
    node.do("anchor", altered, "--key", vkey, code=1)


def the_nodes_own_key(node, scratch):
    """Handed on like any other: what the node signed by itself is refused from then on, the new key's is not."""
    for name, seed in (("a", 1), ("b", 2)):
        write_nifti(scratch / f"{name}.nii", seed, side=4)
    node.seal(scratch / "a.nii")
    node.key("node-2")
    node.do("member", "rotate", "node", "node-2")
    done = node.seal(scratch / "b.nii", check=3)
    assert ": REVOKED: " in done.stderr, done.stderr
    node.seal(scratch / "b.nii", env={**os.environ, "RADSEAL_AS": "node-2"})
    node.fsck(check=0)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        node = Node(sys.argv[1], scratch / "node")
        five_organisations(node)
        every_role_at_every_command(node)
        revoked_and_expired(node)
        rotations(node)
        sealing(node, scratch)
        names_stay_here(node)
        node.fsck(check=0)
        usage(node, scratch)
        anchors(node, scratch)
        the_nodes_own_key(node, scratch)
    print("roles, refusals, periods, rotations and names as the contract says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
