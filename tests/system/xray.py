"""Paper B's scenario by its functions' names: `xray.py RADSEAL`. Host, doctor and gov; hashes of X-rays; the patient's profile;
after removePermission the doctor's next setXrayhash is refused, as in the paper."""
import json
import pathlib
import sys
import tempfile

from node_tools import Radseal, files_below, write_nifti

BIRTHDAY, CONTACT, NAME, PLACE = "1931-07-08", "14 Example Lane, Sampletown", "Dr. B. Specimen", "left hand, dorsopalmar"


class Node(Radseal):
    def xray(self, *arguments, code=0):
        done = self.run("xray", *arguments, "--home", self.home)
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        return done

    def json(self, *arguments):
        return json.loads(self.xray(*arguments, "--json").stdout)

    def key(self, name):
        return self.run("key", "new", name, "--home", self.home, check=0).stdout.strip()

    def entries(self):
        return json.loads(self.run("log", "--json", "--home", self.home, check=0).stdout)["entries"]


def permissions_and_hashes(node, scratch):
    doctor = node.key("doctor")
    images = [scratch / f"hand{i}.nii" for i in range(3)]
    for i, path in enumerate(images):
        write_nifti(path, i, side=6)
    # Nobody registers anything before the host says so.
    assert "UNKNOWN_SIGNER: " in node.xray("setXrayhash", images[0], "--subject", "P1", "--as", "doctor", code=3).stderr
    node.xray("setPermission", "doctor", "--type", "doctor", "--name", NAME)
    first = node.xray("setXrayhash", images[0], "--subject", "P1", "--place", PLACE, "--as", "doctor").stdout.strip()
    assert first.endswith(".tlog-proof")
    node.xray("setXrayhash", images[1], "--subject", "P1", "--as", "doctor")
    assert node.xray("getXrayhashCount", "--subject", "P1").stdout == "2\n"
    assert node.json("getXrayhashCount", "--subject", "P1") == {"count": 2}
    row = node.json("getXrayhash", "0", "--subject", "P1", "--place", PLACE)
    assert row["doctor"] == doctor and row["doctor_name"] == NAME and row["place"] == PLACE, row
    assert row["place_label"] and len(row["commitment"]) == 64, row
    assert node.json("getXrayhash", "1", "--subject", "P1")["place_label"] is None
    node.xray("getXrayhash", "0", "--subject", "P1", "--place", "right hand", code=1)
    node.xray("getXrayhash", "2", "--subject", "P1", code=4)
    # What the paper's hash is for: is the picture the one that was registered?
    node.run("verify", images[0], "--offline", "--receipt", first, "--key", node.home / "keys" / "log.vkey", check=0)
    altered = scratch / "altered.nii"
    altered.write_bytes(images[0].read_bytes()[:-1] + b"\x55")
    node.run("verify", altered, "--offline", "--receipt", first, "--key", node.home / "keys" / "log.vkey", check=1)

    node.xray("removePermission", "doctor")
    before = len(node.entries())
    refused = node.xray("setXrayhash", images[2], "--subject", "P1", "--as", "doctor", code=3)
    assert "REVOKED: the signer was revoked" in refused.stderr, refused.stderr
    assert len(node.entries()) == before and node.json("getXrayhashCount", "--subject", "P1") == {"count": 2}
    node.xray("setPermission", "doctor", "--type", "doctor", code=3)  # a revoked key does not come back
    other = node.key("other")
    node.xray("setPermission", "other", "--type", "doctor", "--until", "2999-01-01")
    node.xray("setXrayhash", images[2], "--subject", "P1", "--as", "other")
    assert node.json("getXrayhash", "2", "--subject", "P1")["doctor"] == other
    node.xray("setPermission", "other", "--type", "doctor", "--deny")
    node.xray("setXrayhash", altered, "--subject", "P1", "--as", "other", code=3)


def profile(node, scratch):
    birthday, contact = scratch / "birthday", scratch / "contact"
    birthday.write_text(BIRTHDAY + "\n")
    contact.write_text(CONTACT)
    node.key("gov"), node.key("patient"), node.key("reader")
    node.xray("setPermission", "gov", "--type", "gov")
    node.xray("setPermission", "reader", "--type", "doctor")
    node.run("member", "grant", "patient", "--role", "patient", "--home", node.home, check=0)
    for who in ("gov", "reader"):
        assert "ROLE: " in node.xray("setBirthday", birthday, "--subject", "P1", "--as", who, code=3).stderr
    assert "SCOPE: " in node.xray("setContact", contact, "--subject", "P1", "--as", "patient", code=3).stderr
    node.xray("setBirthday", birthday, "--subject", "P1")
    node.run("member", "act-for", "patient", "--subject", "P1", "--home", node.home, check=0)
    node.xray("setContact", contact, "--subject", "P1", "--as", "patient")
    seen = node.json("profile", "--subject", "P1")
    assert seen["birthday"] is None and seen["contact"] is None and seen["patient"], seen
    assert len(seen["birthday_commitment"]) == len(seen["contact_commitment"]) == 64
    assert BIRTHDAY not in str(node.entries())

    before = len(node.entries())
    seen = node.json("profile", "--subject", "P1", "--reveal", "--purpose", "patient-request", "--as", "patient")
    assert (seen["birthday"], seen["contact"]) == (BIRTHDAY, CONTACT), seen
    assert [entry["type"] for entry in node.entries()[before:]] == ["access-request"] * 2
    refused = node.xray("profile", "--subject", "P1", "--reveal", "--purpose", "research", "--as", "reader", code=3)
    assert "NO_CONSENT: " in refused.stderr and BIRTHDAY not in refused.stdout, refused
    assert node.entries()[-1]["type"] == "access-request", "what was refused is recorded, too"
    node.xray("profile", "--subject", "P1", "--reveal", "--purpose", "audit", "--as", "gov")
    node.xray("profile", "--subject", "P1", "--reveal", code=2)


def backed_up(node, scratch):
    """Garbage collection and backups know the profile's values; a restored node has them, and members' names."""
    node.run("vault", "gc", "--home", node.home, check=0)
    node.run("backup", scratch / "data", "--keys", scratch / "keys", "--home", node.home, check=0)
    keys, = (scratch / "keys").iterdir()
    restored = Node(node.program, scratch / "restored")
    restored.run("restore", scratch / "data", "--keys", keys, "--unlock-file", node.home / "keys" / "unlock.key",
                 "--home", restored.home, check=0)
    restored.fsck(check=0)
    seen = restored.json("profile", "--subject", "P1", "--reveal", "--purpose", "operations")
    assert (seen["birthday"], seen["contact"]) == (BIRTHDAY, CONTACT), seen
    assert restored.json("getXrayhash", "0", "--subject", "P1")["doctor_name"] == NAME


def nothing_in_clear(node):
    for path in files_below(node.home):
        content = path.read_bytes()
        for text in (BIRTHDAY, "Example Lane", "Specimen", "dorsopalmar", "P1\0"):
            assert text.encode() not in content, (path, text)
    node.fsck(check=0)
    node.run("erase", "--subject", "P1", "--home", node.home, check=0)
    node.fsck(check=0)
    node.xray("profile", "--subject", "P1", code=4)


def usage(node, scratch):
    for arguments in ((), ("mint",), ("setPermission", "x"), ("setPermission", "gov", "--type", "king"), ("profile",),
                      ("getXrayhash", "first", "--subject", "P1"), ("getXrayhashCount",), ("setBirthday", scratch / "contact")):
        node.xray(*arguments, code=2)
    node.xray("getXrayhashCount", "--subject", "nobody", code=4)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        node = Node(sys.argv[1], scratch / "node")
        node.init()
        permissions_and_hashes(node, scratch)
        profile(node, scratch)
        backed_up(node, scratch)
        nothing_in_clear(node)
        usage(node, scratch)
    print("paper B's functions do what the paper says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
