"""Results for others: `export.py RADSEAL DICOM_LIST`.

A small CT series and a mask of two regions are made here. The segmentation measures as the mask it was made of; the report and the
bundle hold the numbers of `radseal extract`, their references lead somewhere, the hashes are those of the files; dciodvfy, where it
is installed, finds no error."""
import csv
import hashlib
import io
import json
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile

from convert import element

SIDE, SLICES = 24, 6


def slice_file(number):
    made = random.Random(number)
    short = lambda v: struct.pack("<H", v)
    text = lambda group, tag, vr, value: element(group, tag, vr, value.encode() + b" " * (len(value) % 2) if vr != "UI" else value.encode())
    pixels = b"".join(struct.pack("<h", 40 + (x - y) * 3 + made.randrange(60)) for y in range(SIDE) for x in range(SIDE))
    meta = text(2, 2, "UI", "1.2.840.10008.5.1.4.1.1.2") + text(2, 3, "UI", f"2.25.77.{number}") + text(2, 0x10, "UI", "1.2.840.10008.1.2.1")
    return (bytes(128) + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(meta))) + meta + text(8, 0x16, "UI", "1.2.840.10008.5.1.4.1.1.2") +
            text(8, 0x18, "UI", f"2.25.77.{number}") + text(8, 0x20, "DA", "20260102") + text(8, 0x30, "TM", "101112") +
            text(8, 0x50, "SH", "A7") + text(8, 0x60, "CS", "CT") + text(8, 0x90, "PN", "") + text(0x10, 0x10, "PN", "Doe^Jane") +
            text(0x10, 0x20, "LO", "P7") + text(0x10, 0x30, "DA", "19700101") + text(0x10, 0x40, "CS", "F") +
            text(0x18, 0x50, "DS", "2.5") + text(0x20, 0xD, "UI", "2.25.77001") + text(0x20, 0xE, "UI", "2.25.77002") +
            text(0x20, 0x10, "SH", "S1") + text(0x20, 0x13, "IS", str(number)) + text(0x20, 0x32, "DS", f"-10\\5\\{2.5 * number}") +
            text(0x20, 0x37, "DS", "1\\0\\0\\0\\1\\0") + text(0x20, 0x52, "UI", "2.25.77003") + element(0x28, 2, "US", short(1)) +
            text(0x28, 4, "CS", "MONOCHROME2") + element(0x28, 0x10, "US", short(SIDE)) + element(0x28, 0x11, "US", short(SIDE)) +
            text(0x28, 0x30, "DS", "0.5\\0.5") + element(0x28, 0x100, "US", short(16)) + element(0x28, 0x101, "US", short(16)) +
            element(0x28, 0x102, "US", short(15)) + element(0x28, 0x103, "US", short(1)) + element(0x7fe0, 0x10, "OW", pixels))


def mask_file():
    """NRRD, LPS: labels 2 and 5, of which one has holes and both slices of their own."""
    labels = bytearray(SIDE * SIDE * SLICES)
    for z in range(SLICES):
        for y in range(SIDE):
            for x in range(SIDE):
                if 1 <= z <= 3 and (x - 8) ** 2 + (y - 9) ** 2 <= 30 and (x + y) % 7:
                    labels[(z * SIDE + y) * SIDE + x] = 2
                if z >= 4 and 14 <= x < 20 and 3 <= y < 12:
                    labels[(z * SIDE + y) * SIDE + x] = 5
    head = (f"NRRD0004\ntype: uint8\ndimension: 3\nspace: left-posterior-superior\nsizes: {SIDE} {SIDE} {SLICES}\n"
            "space directions: (0.5,0,0) (0,0.5,0) (0,0,2.5)\nspace origin: (-10,5,0)\nencoding: raw\n\n")
    return head.encode() + bytes(labels)


class Tools:
    def __init__(self, program, lister):
        self.program, self.lister = program, lister

    def __call__(self, status, *arguments):
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True, timeout=300)
        assert done.returncode == status, (arguments, done.returncode, done.stdout[-300:], done.stderr)
        return done.stdout if status == 0 else done.stderr

    def listed(self, path):
        rows = [json.loads(line) for line in subprocess.run([self.lister, str(path)], capture_output=True, text=True).stdout.splitlines()]
        return {row[0]: row[5] for row in rows[:-1]}

    def features(self, image, mask, label):
        (row,) = csv.DictReader(io.StringIO(self(0, "extract", image, mask, "--label", label, "--format", "csv", "--quiet")))
        return {name: float(value) for name, value in row.items() if name.startswith("original_") and value not in ("", "nan")}


def check_segmentation(run, folder):
    run(0, "export", folder / "ct", folder / "mask.nrrd", "--format", "dicom-seg", "-o", folder / "seg.dcm", "--algorithm", "net 1")
    for segment, label in ((1, 2), (2, 5)):
        assert run.features(folder / "ct", folder / "seg.dcm", segment) == run.features(folder / "ct", folder / "mask.nrrd", label)
    listed = run.listed(folder / "seg.dcm")
    assert listed["00100020"] == ["P7"] and listed["0020000d"] == ["2.25.77001"] and listed["00200052"] == ["2.25.77003"]
    assert listed["00280008"] == ["5"] and listed["00620002[1].00620008"] == ["AUTOMATIC"], listed
    for frame, (number, segment) in enumerate([(1, 1), (2, 1), (3, 1), (4, 2), (5, 2)]):
        groups = f"52009230[{frame}]."
        assert listed[groups + "00089124[0].00082112[0].00081155"] == [f"2.25.77.{number}"]
        assert listed[groups + "0062000a[0].0062000b"] == [segment]
    run(0, "export", folder / "ct", folder / "mask.nrrd", "--format", "dicom-seg", "-o", folder / "one.dcm", "--label", 5)
    assert run.listed(folder / "one.dcm")["00280008"] == ["2"]


def check_report(run, folder):
    run(0, "export", folder / "ct", folder / "seg.dcm", "--format", "dicom-sr", "-o", folder / "sr.dcm")
    listed = run.listed(folder / "sr.dcm")
    root = max(path[:len("0040a730[0]")] for path in listed if path.endswith(".0040a730[0].00081199[0].0062000b")
               or ".0062000b" in path)
    for group, segment in ((0, 1), (1, 2)):
        prefix = f"{root}.0040a730[{group}].0040a730["
        rows = {path[len(prefix):]: value for path, value in listed.items() if path.startswith(prefix)}
        assert any(value == [segment] for path, value in rows.items() if path.endswith("0062000b")), rows.keys()
        numbers = {}
        for path, value in rows.items():
            if path.endswith("].0040a300[0].0040a30a"):
                item = path.split("]")[0]
                numbers[rows[item + "].0040a043[0].00080104"][0]] = (float(value[0]), rows[item + "].0040a043[0].00080102"][0])
        wanted = run.features(folder / "ct", folder / "seg.dcm", segment)
        assert set(numbers) == {name[:64] for name in wanted}, set(numbers) ^ set(wanted)
        for name, value in wanted.items():
            assert abs(numbers[name][0] - value) <= 1e-9 * abs(value), (name, numbers[name], value)
        assert sum(scheme == "IBSI" for _, scheme in numbers.values()) > 80
    return listed


def check_bundle(run, folder):
    (folder / "risk.csv").write_text("id,risk,survival_12,survival_12_lower,model\nP6,1,0.5,0.4,ab\nP7,2.5,0.75,0.6,cd\n")
    run(0, "export", folder / "ct", folder / "seg.dcm", "--format", "fhir", "-o", folder / "b.json", "--prediction", folder / "risk.csv",
        "--id", "P7")
    bundle = json.loads((folder / "b.json").read_text())
    by_url = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    kinds = [resource["resourceType"] for resource in by_url.values()]
    assert kinds == ["ImagingStudy", "Device", "Observation", "Observation", "DiagnosticReport", "RiskAssessment", "Provenance"]

    def references(node):
        if isinstance(node, dict):
            yield from ([node["reference"]] if "reference" in node else [])
            node = list(node.values())
        if isinstance(node, list):
            for child in node:
                yield from references(child)
    assert set(references(bundle)) <= set(by_url)
    resources = {resource["resourceType"]: resource for resource in by_url.values()}
    for observation, segment in zip([r for r in by_url.values() if r["resourceType"] == "Observation"], (1, 2)):
        values = {part["code"]["text"]: part["valueQuantity"]["value"] for part in observation["component"]}
        assert values == run.features(folder / "ct", folder / "seg.dcm", segment)
    (chance,) = resources["RiskAssessment"]["prediction"]
    assert chance == {"outcome": {"text": "no event until time 12"}, "probabilityDecimal": 0.75}
    assert "risk: 2.5" in resources["RiskAssessment"]["note"][0]["text"]
    hashes = {entity["what"]["identifier"]["value"] for entity in resources["Provenance"]["entity"]}
    assert hashes == {"urn:sha256:" + hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "ct").glob("*.dcm")}
    study = resources["ImagingStudy"]
    assert study["subject"]["identifier"]["value"] == "P7" and study["series"][0]["numberOfInstances"] == SLICES


def check_refusals(run, folder):
    out = ("-o", folder / "no.dcm")
    assert "DICOM SEG" in run(1, "export", folder / "ct", folder / "mask.nrrd", "--format", "dicom-sr", *out)
    assert "is no DICOM" in run(1, "export", folder / "mask.nrrd", folder / "mask.nrrd", "--format", "dicom-seg", *out)
    assert "--format is" in run(2, "export", folder / "ct", folder / "mask.nrrd", *out)
    assert "-o FILE" in run(2, "export", folder / "ct", "--format", "fhir")
    assert "CODE,SCHEME" in run(2, "export", folder / "ct", folder / "mask.nrrd", "--format", "dicom-seg", "--segment-type", "x", *out)
    table = ("--prediction", folder / "risk.csv")
    assert "goes with" in run(2, "export", folder / "ct", folder / "mask.nrrd", "--format", "dicom-seg", *table, *out)
    assert "--id" in run(2, "export", folder / "ct", folder / "mask.nrrd", "--format", "fhir", *table, *out)
    assert not (folder / "no.dcm").exists()


def check_validity(folder):
    if not shutil.which("dciodvfy"):
        return
    for name in ("seg.dcm", "one.dcm", "sr.dcm"):
        said = subprocess.run(["dciodvfy", str(folder / name)], capture_output=True, text=True)
        assert "Error" not in said.stdout + said.stderr, (name, said.stdout, said.stderr)


def main():
    run = Tools(*(str(pathlib.Path(argument).resolve()) for argument in sys.argv[1:3]))
    with tempfile.TemporaryDirectory(prefix="radseal-export-") as name:
        folder = pathlib.Path(name)
        (folder / "ct").mkdir()
        for number in range(SLICES):
            (folder / "ct" / f"{number}.dcm").write_bytes(slice_file(number))
        (folder / "mask.nrrd").write_bytes(mask_file())
        check_segmentation(run, folder)
        check_report(run, folder)
        check_bundle(run, folder)
        check_refusals(run, folder)
        check_validity(folder)
    print("export: well")


if __name__ == "__main__":
    main()
