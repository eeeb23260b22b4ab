"""Whose a file is: which files share a subject, whose key erases them together, and which never do; and that nothing in
the node tells a name: `subjects.py RADSEAL`."""
import contextlib
import json
import pathlib
import sqlite3
import struct
import sys
import tempfile

from node_tools import Radseal, files_below, write_nifti

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MASKS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.481.3")  # SEG, RTSTRUCT
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"


def element(group, number, vr, text):
    """PS3.5 §7.1.2, explicit VR with a length of 16 bits; UIDs are padded with zero, texts with a blank."""
    value = text.encode()
    value += b"" if len(value) % 2 == 0 else b"\0" if vr == "UI" else b" "
    return struct.pack("<HH2sH", group, number, vr.encode(), len(value)) + value


def write_dicom(path, number, **fields):
    """A Part 10 file without pixels; SOPInstanceUID 1.2.NUMBER."""
    uid = f"1.2.{number}"
    sop_class = fields.get("sop_class", SECONDARY_CAPTURE)
    head = element(2, 2, "UI", sop_class) + element(2, 3, "UI", uid) + element(2, 0x10, "UI", EXPLICIT_LITTLE_ENDIAN)
    head = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(head)) + head
    body = element(8, 0x16, "UI", sop_class) + element(8, 0x18, "UI", uid)
    for key, place in (("name", (0x10, 0x10, "PN")), ("patient", (0x10, 0x20, "LO")), ("issuer", (0x10, 0x21, "LO")),
                       ("study", (0x20, 0x0d, "UI")), ("series", (0x20, 0x0e, "UI"))):
        if key in fields:
            body += element(*place, fields[key])
    path.write_bytes(bytes(128) + b"DICM" + head + body)


def subject_of(node, path, *options):
    node.run("seal", "--home", node.home, "--quiet", *options, path, check=0)
    with contextlib.closing(sqlite3.connect(node.home / "index.sqlite")) as index:
        return index.execute("SELECT subject FROM record ORDER BY id DESC LIMIT 1").fetchone()[0].hex()


def objects_on_ledger(node):
    """Of the contract's state (src/contract/rows.h): the subjects' tokens, and of each object its kind, subject and study."""
    def blob(value, at):
        return (b"", at + 1) if value[at] == 0x40 else (value[at + 2:at + 34], at + 34)
    with contextlib.closing(sqlite3.connect(node.home / "ledger.sqlite")) as ledger:
        rows = dict(ledger.execute("SELECT key, value FROM state"))
    objects = []
    for key, value in rows.items():
        if key[:1] == b"B":
            subject, at = blob(value, len(value) - 1 - 34 - (34 if value[-35:-33] == b"\x58\x20" else 1))
            objects.append((value[1], subject, blob(value, at)[0]))
    return {key[1:] for key in rows if key[:1] == b"S"}, objects


def one_object_for_each_subject(node, scratch):
    """The same bytes are stored once for a subject, under whatever name and however often they come, and never once for
    two: no answer tells that somebody else has them, and erasing one takes nothing from the other."""
    def sealed(*arguments):
        return [row["outcome"] for row in json.loads(node.seal(*arguments).stdout)]

    def objects():
        return {path.name for path in files_below(node.home / "vault" / "objects")}
    names = [scratch / "once.nii", scratch / "other name.nii", scratch / "third.nii"]
    for name in names:
        write_nifti(name, 4711, side=4)
    before = objects()
    assert sealed("--subject", "Q1", *names) == ["sealed", "known", "known"]
    assert sealed("--subject", "Q1", names[1]) == ["known"]
    assert len(objects() - before) == 1
    assert sealed("--subject", "Q2", names[0]) == ["sealed"], "it is told that somebody else has these bytes"
    assert sealed("--subject", "Q2", names[0]) == ["known"] and sealed(names[2]) == ["sealed"]
    stored = [path for path in files_below(node.home / "vault" / "objects") if path.name not in before]
    assert len(stored) == 3 and len({path.read_bytes()[64:] for path in stored}) == 3, "three ciphertexts, none alike"
    assert node.verdicts(*names) == {str(name): "genuine" for name in names}


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        node = Radseal(sys.argv[1], scratch / "node")
        node.init()
        files = [
            ("A1", {"patient": "4711", "issuer": "Ward", "study": "1.2.3", "name": "Doe^Jane"}),
            ("A2", {"patient": "4711", "issuer": "Ward", "study": "1.2.4", "name": "Doe^J"}),
            ("B", {"patient": "4711", "issuer": "Clinic", "study": "1.2.3"}),
            ("C", {"patient": "4711", "study": "1.2.3"}),
            ("D1", {"study": "1.2.3", "series": "1.2.3.1"}),
            ("D2", {"study": "1.2.3", "series": "1.2.3.2"}),
            ("E", {"study": "1.2.5"}),
            ("F1", {}),
            ("F2", {}),
        ]
        subjects = {}
        for number, (name, fields) in enumerate(files, 1):
            write_dicom(scratch / f"{name}.dcm", number, **fields)
            subjects[name] = subject_of(node, scratch / f"{name}.dcm")
        for number, (name, options) in enumerate([("G1", ["--subject", "P1"]), ("G2", ["--subject", "P1"]),
                                                  ("H", ["--subject", "P2"]), ("I1", []), ("I2", [])]):
            write_nifti(scratch / f"{name}.nii", number, side=4)
            subjects[name] = subject_of(node, scratch / f"{name}.nii", *options)
        # What the file says of its patient comes before what the user says.
        write_dicom(scratch / "A3.dcm", 90, patient="4711", issuer="Ward")
        subjects["A3"] = subject_of(node, scratch / "A3.dcm", "--subject", "P1")
        # The letter is the person; a file alone (F, I) is a person of its own.
        for one in subjects:
            for other in subjects:
                same = one == other or (one[0] == other[0] and one[0] not in "FI")
                assert (subjects[one] == subjects[other]) == same, f"{one} and {other}"
        tokens, objects = objects_on_ledger(node)
        assert len(tokens) == len(set(subjects.values())) and {subject for _, subject, _ in objects} == tokens
        assert all(kind == 1 for kind, *_ in objects), "images"
        # Two of one study have its name in common, patient by patient; what has no study names none.
        studies = [study for *_, study in objects]
        assert len(set(studies)) == 7 and studies.count(b"") == 8, (len(set(studies)), studies.count(b""))
        for number, sop_class in enumerate(MASKS, 100):
            write_dicom(scratch / "mask.dcm", number, patient="4711", issuer="Ward", study="1.2.3", sop_class=sop_class)
            subject_of(node, scratch / "mask.dcm")
        again, objects = objects_on_ledger(node)
        assert again == tokens and sorted(kind for kind, *_ in objects).count(2) == len(MASKS), "masks"
        one_object_for_each_subject(node, scratch)
        node.fsck(check=0)
        told = b"".join(path.read_bytes() for path in files_below(node.home) if "receipts" not in path.parts)
        for word in (b"4711", b"Doe^J", b"Clinic", b"1.2.3.1", b"P1\0"):
            assert word not in told, f"the node tells {word}"
    print(f"{len(subjects)} files, {len(set(subjects.values()))} subjects, as their headers and the user say; no name told")
    return 0


if __name__ == "__main__":
    sys.exit(main())
