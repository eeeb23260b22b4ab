"""Whose a file is: which files share a subject, whose key erases them together, and which never do; and that nothing in
the node tells a name: `subjects.py RADSEAL`."""
import contextlib
import pathlib
import sqlite3
import struct
import sys
import tempfile

from node_tools import Radseal, files_below, write_nifti

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"


def element(group, number, vr, text):
    """PS3.5 §7.1.2, explicit VR with a length of 16 bits; UIDs are padded with zero, texts with a blank."""
    value = text.encode()
    value += b"" if len(value) % 2 == 0 else b"\0" if vr == "UI" else b" "
    return struct.pack("<HH2sH", group, number, vr.encode(), len(value)) + value


def write_dicom(path, number, **fields):
    """A Part 10 file without pixels; SOPInstanceUID 1.2.NUMBER."""
    uid = f"1.2.{number}"
    head = element(2, 2, "UI", SECONDARY_CAPTURE) + element(2, 3, "UI", uid) + element(2, 0x10, "UI", EXPLICIT_LITTLE_ENDIAN)
    head = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(head)) + head
    body = element(8, 0x16, "UI", SECONDARY_CAPTURE) + element(8, 0x18, "UI", uid)
    for key, place in (("name", (0x10, 0x10, "PN")), ("patient", (0x10, 0x20, "LO")), ("issuer", (0x10, 0x21, "LO")),
                       ("study", (0x20, 0x0d, "UI")), ("series", (0x20, 0x0e, "UI"))):
        if key in fields:
            body += element(*place, fields[key])
    path.write_bytes(bytes(128) + b"DICM" + head + body)


def subject_of(node, path, *options):
    node.run("seal", "--home", node.home, "--quiet", *options, path, check=0)
    with contextlib.closing(sqlite3.connect(node.home / "index.sqlite")) as index:
        return index.execute("SELECT subject FROM record ORDER BY id DESC LIMIT 1").fetchone()[0].hex()


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
        node.fsck(check=0)
        told = b"".join(path.read_bytes() for path in files_below(node.home) if "receipts" not in path.parts)
        for word in (b"4711", b"Doe^J", b"Clinic", b"1.2.3.1", b"P1\0"):
            assert word not in told, f"the node tells {word}"
    print(f"{len(subjects)} files, {len(set(subjects.values()))} subjects, as their headers and the user say; no name told")
    return 0


if __name__ == "__main__":
    sys.exit(main())
