"""De-identification scored as the MIDI-B challenge scores it (arXiv 2507.23608), on generated objects: of each planted value what
had to happen to it did, everywhere alike, and nothing else: `deidentify.py RADSEAL`. Reads the copies with code of its own."""
import collections
import datetime
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

from node_tools import Radseal
from subjects import EXPLICIT_LITTLE_ENDIAN

LONG = {"OB", "OW", "SQ", "UN", "UT", "UC", "UR"}
MR = "1.2.840.10008.5.1.4.1.1.4"
NAMES = ("Winterbottom", "Okonkwo-Reyes", "Þorsteinsdóttir", "Nakamura")
SAFE = "AXIAL T2 TSE liver 5mm"


def element(tag, vr, value):
    value = value.encode() if isinstance(value, str) else value
    value += b"" if len(value) % 2 == 0 else b"\0" if vr in ("UI", "OB", "OW") else b" "
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return head + (struct.pack("<HI", 0, len(value)) if vr in LONG else struct.pack("<H", len(value))) + value


def sequence(tag, *items):
    return element(tag, "SQ", b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in items))


def parse(data, at=0, end=None, depth=0):
    """(tag, vr, value) of explicit little endian; sequences as lists of items, whatever their lengths."""
    found = []
    while at < (len(data) if end is None else end):
        group, number = struct.unpack_from("<HH", data, at)
        tag = group << 16 | number
        if tag in (0xFFFEE00D, 0xFFFEE0DD):
            return found, at + 8
        vr = data[at + 4:at + 6].decode()
        size, at = (struct.unpack_from("<I", data, at + 8)[0], at + 12) if vr in LONG else \
            (struct.unpack_from("<H", data, at + 6)[0], at + 8)
        if vr != "SQ":
            found.append((tag, vr, data[at:at + size]))
            at += size
            continue
        items, stop = [], None if size == 0xFFFFFFFF else at + size
        while stop is None or at < stop:
            mark, length = struct.unpack_from("<HHI", data, at)[1], struct.unpack_from("<I", data, at + 4)[0]
            at += 8
            if mark == 0xE0DD:
                break
            item, after = parse(data, at, None if length == 0xFFFFFFFF else at + length, depth + 1)
            at = after if length == 0xFFFFFFFF else at + length
            items.append(item)
        found.append((tag, vr, items))
    return found, at


def texts(elements):
    for _, vr, value in elements:
        if vr == "SQ":
            for item in value:
                yield from texts(item)
        elif vr not in ("OB", "OW"):
            yield value.decode("latin-1")


class Study:
    """One patient's: what is planted, and what has to come of it by the Basic Profile with shifted dates and clean descriptors."""

    def __init__(self, generator, number):
        self.name, self.id = f"{generator.choice(NAMES)}^{number}", f"MRN{generator.randrange(10**7):07}"
        self.uid = f"1.2.826.0.1.3680043.{number}"
        self.day = datetime.date(1990, 1, 1) + datetime.timedelta(generator.randrange(12000))
        self.phone = f"+44 20 {generator.randrange(10**4):04} {generator.randrange(10**4):04}"

    def write(self, path, instance, later):
        day = (self.day + datetime.timedelta(later)).strftime("%Y%m%d")
        who, series = self.name.replace("^", " "), f"{self.uid}.{later}"
        self.instance = f"{series}.{instance}"
        self.pixels = random.Random(self.instance).randbytes(128)
        inner = element(0x00081150, "UI", MR) + element(0x00081155, "UI", f"{series}.1")
        planted = [
            (0x00080005, "CS", "ISO_IR 192", "keep"), (0x00080016, "UI", MR, "keep"),
            (0x00080018, "UI", self.instance, "uid"), (0x00080020, "DA", day, "date"), (0x00080030, "TM", "093000", "keep"),
            (0x00080050, "SH", self.id[3:], "empty"), (0x00080060, "CS", "MR", "keep"), (0x00080080, "LO", f"{who} Clinic", "other"),
            (0x00080081, "ST", f"12 Elm Road, {self.phone}", "gone"), (0x00080090, "PN", self.name, "empty"),
            (0x0008103E, "LO", f"{SAFE} {who}", "clean"), (0x00081140, "SQ", sequence(0x00081140, inner), "sequence"),
            (0x00090010, "LO", f"{who} PRIVATE", "gone"), (0x00091001, "UN", self.id, "gone"),
            (0x00100010, "PN", self.name, "pseudonym"), (0x00100020, "LO", self.id, "pseudonym"),
            (0x00100030, "DA", "19500101", "empty"), (0x00100040, "CS", "F", "empty"), (0x00101010, "AS", "071Y", "gone"),
            (0x00101040, "LO", "12 Elm Road", "gone"), (0x00102154, "SH", self.phone, "gone"),
            (0x00104000, "LT", f"{who}, {day}; {SAFE}; call {self.phone}", "clean"),
            (0x00180050, "DS", "5", "keep"), (0x00180087, "DS", "1.5", "keep"), (0x0020000D, "UI", self.uid, "uid"),
            (0x0020000E, "UI", series, "uid"), (0x00200010, "SH", self.id, "empty"), (0x00200013, "IS", str(instance), "keep"),
            (0x00280010, "US", struct.pack("<H", 8), "keep"), (0x00280011, "US", struct.pack("<H", 8), "keep"),
            (0x00321032, "PN", self.name, "gone"), (0x00400244, "DA", day, "date"), (0x7FE00010, "OW", self.pixels, "keep")]
        head = element(0x00020002, "UI", MR) + element(0x00020003, "UI", self.instance) + \
            element(0x00020010, "UI", EXPLICIT_LITTLE_ENDIAN) + element(0x00020016, "AE", "CLINIC_AE")
        head = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(head)) + head
        body = b"".join(value if vr == "SQ" else element(tag, vr, value) for tag, vr, value, _ in planted)
        path.write_bytes(bytes(128) + b"DICM" + head + body)
        return planted


class Score:
    def __init__(self):
        self.counts, self.right = collections.Counter(), collections.Counter()
        self.uids, self.pseudonyms, self.shifts, self.wrong = {}, {}, {}, []

    def count(self, kind, holds, what):
        self.counts[kind] += 1
        self.right[kind] += bool(holds)
        if not holds:
            self.wrong.append((kind, what))

    def same(self, table, key, value):
        return table.setdefault(key, value) == value

    def one(self, study, planted, copy):
        data = copy.read_bytes()
        assert data[:128] == bytes(128), "nothing may hide in the preamble"
        elements, _ = parse(data, 132)
        now = {tag: value if vr == "SQ" else value.rstrip(b" \0") for tag, vr, value in elements}
        for tag, vr, value, what in planted:
            before = value.encode() if isinstance(value, str) else value
            found = now.get(tag)
            holds = {
                "keep": lambda: found == before.rstrip(b" \0"), "gone": lambda: found is None, "empty": lambda: found == b"",
                "other": lambda: found and found != before, "clean": lambda: found == SAFE.encode(),
                "uid": lambda: found.startswith(b"2.25.") and self.same(self.uids, before, found),
                "sequence": lambda: dict((t, v) for t, _, v in found[0][0:])[0x00081155].startswith(b"2.25."),
                "pseudonym": lambda: found != before and self.same(self.pseudonyms, study.id, found),
                "date": lambda: self.same(self.shifts, study.id, datetime.date.fromisoformat(before.decode()) -
                                          datetime.date.fromisoformat(found.decode())),
            }[what]
            self.count(what, holds(), (hex(tag), found))
        all_text = "\n".join(texts(elements)) + copy.as_posix()
        for secret in (study.name.split("^")[0], study.id, study.phone, "Elm Road", study.uid, "CLINIC_AE"):
            self.count("nowhere", secret not in all_text, secret)
        self.count("stated", now[0x00120062] == b"YES" and now[0x00280303] == b"MODIFIED" and len(now[0x00120064]) == 3, "codes")
        self.count("named", copy.stem == now[0x00080018].decode() and now[0x00020003] == now[0x00080018], copy.name)


def run(program, *arguments, check=0):
    done = subprocess.run([program, "deidentify", *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == check, (arguments, done)
    return done


def refusals(program, folder):
    study = Study(random.Random(1), 900)
    study.write(folder / "a.dcm", 1, 0)
    key = folder / "other.key"
    assert "whose pseudonyms" in run(program, folder / "a.dcm", "-o", folder / "x", check=2).stderr
    assert "none of its words" in run(program, folder / "a.dcm", "-o", folder / "x", "--key", key, "--retain", "all", check=2).stderr
    data = (folder / "a.dcm").read_bytes()
    capture = folder / "capture.dcm"
    capture.write_bytes(data.replace(MR.encode() + b"\0", b"1.2.840.10008.5.1.4.1.1.7\0").replace(b"CS\2\0MR", b"CS\2\0OT"))
    assert "may hold text" in run(program, capture, "-o", folder / "x", "--key", key, check=1).stderr
    assert not (folder / "x").exists(), "what is put aside is not written"
    run(program, capture, "-o", folder / "x", "--key", key, "--pixels-are-clean")
    copy, = (folder / "x").rglob("*.dcm")
    capture.write_bytes(capture.read_bytes().replace(b"IS\2\0001 ", b"IS\2\0002 "))
    before = copy.read_bytes()
    assert "same SOPInstanceUID" in run(program, capture, "-o", folder / "x", "--key", key, "--pixels-are-clean", check=1).stderr
    assert copy.read_bytes() == before
    assert key.stat().st_mode & 0o777 == 0o600 and len(key.read_text()) == 64
    (folder / "short.key").write_text("12")
    assert "64 hexadecimal digits" in run(program, capture, "-o", folder / "x", "--key", folder / "short.key", check=1).stderr


def back_to_the_patient(program, folder):
    """A project of a node: whom the contract allows gets the original of a copy; others do not, and the request stands."""
    node = Radseal(program, folder / "node")
    node.init()
    study = Study(random.Random(3), 901)
    original = folder / "original.dcm"
    study.write(original, 1, 0)
    node.seal(original)
    for name, role in (("doctor", "radiologist"), ("student", "researcher")):
        node.run("key", "new", name, "--home", node.home, "--quiet", check=0)
        node.run("member", "grant", name, "--role", role, "--home", node.home, check=0)
    node.run("deidentify", original, "-o", folder / "trial", "--project", "trial", "--home", node.home, check=0)
    copy, = (folder / "trial").rglob("*.dcm")
    ask = ("retrieve", "--copy", copy, "-o", folder / "back", "--home", node.home)
    node.run(*ask, "--project", "trial", "--as", "student", "--purpose", "research", check=3)
    assert not list((folder / "back").glob("*.dcm"))
    node.run(*ask, "--project", "other", "--as", "doctor", "--purpose", "treatment", check=4)
    node.run(*ask, "--as", "doctor", "--purpose", "treatment", check=2)
    node.run(*ask, "--project", "trial", "--as", "doctor", "--purpose", "treatment", check=0)
    found, = (folder / "back").glob("*.dcm")
    assert found.read_bytes() == original.read_bytes()
    acts = json.loads(node.run("audit", "subject", "--subject", study.id, "--home", node.home, "--json", check=0).stdout)
    assert json.dumps(acts).count("access-request") >= 2, acts


def main():
    program, generator, score = sys.argv[1], random.Random(20), Score()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        refusals(program, folder)
        back_to_the_patient(program, folder)
        objects = []
        for number in range(12):
            study = Study(generator, number)
            for later in (0, 30):
                for instance in (1, 2):
                    path = folder / f"in/{number}-{later}-{instance}.dcm"
                    path.parent.mkdir(exist_ok=True)
                    objects.append((study, study.write(path, instance, later), path))
        options = ("--dates", "shift", "--clean", "descriptors", "--json")
        done = run(program, folder / "in", "-o", folder / "out", "--key", folder / "k", "--log", folder / "log", *options)
        copies = {pathlib.Path(row["input"]): pathlib.Path(row["output"]) for row in json.loads(done.stdout)}
        for study, planted, path in objects:
            score.one(study, planted, copies[path])
        lines = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
        assert len(lines) == len(objects) and lines[0]["(0010,0030)"] == "emptied" and not any(
            name.split("-")[0] in (folder / "log").read_text() for name in NAMES), "a log of actions, without values"
        once = {path: path.read_bytes() for path in copies.values()}
        run(program, folder / "in", "-o", folder / "out", "--key", folder / "k", *options)
        assert all(path.read_bytes() == data for path, data in once.items()), "the same key, the same copies"
    total, right = sum(score.counts.values()), sum(score.right.values())
    print(f"de-identified: {right} of {total} required actions ({100 * right / total:.2f} %), {len(objects)} objects")
    assert right == total and len(set(score.pseudonyms.values())) == 12 and len(set(score.shifts.values())) > 6, score.wrong[:5]
    return 0


if __name__ == "__main__":
    sys.exit(main())
