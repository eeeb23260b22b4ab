"""Cases perturbed, measured again, and a study that keeps what stays: `perturb.py RADSEAL`."""
import csv
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

SIDE = 20
WAYS = ["as_is", "grown", "shrunk", "moved_x", "moved_y", "noise"]


def run(status, *arguments, sentence=""):
    done = subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == status and sentence in done.stderr, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout


def write_nrrd(path, kind, letter, values):
    head = (f"NRRD0004\ntype: {kind}\ndimension: 3\nsizes: {SIDE} {SIDE} {SIDE}\nendian: little\nencoding: raw\n"
            "space: left-posterior-superior\nspace directions: (1,0,0) (0,1,0) (0,0,2)\nspace origin: (5,6,7)\n\n")
    path.write_bytes(head.encode() + struct.pack(f"<{SIDE ** 3}{letter}", *values))


def write_cases(folder, subjects):
    """Bright balls of several sizes in noise, as label 3."""
    made = random.Random(4)
    with open(folder / "cases.csv", "w") as cases, open(folder / "clinic.csv", "w") as clinic:
        cases.write("patient,Image,Mask,Label\n")
        clinic.write("patient,late\n")
        for s in range(subjects):
            radius, bright = made.uniform(4, 7), made.uniform(50, 150)
            places = [(x, y, z) for z in range(SIDE) for y in range(SIDE) for x in range(SIDE)]
            ball = [(x - 9.5) ** 2 + (y - 9.5) ** 2 + (z - 9.5) ** 2 < radius ** 2 for x, y, z in places]
            write_nrrd(folder / f"i{s}.nrrd", "short", "h", [round(made.gauss(100, 5) + bright * inside) for inside in ball])
            write_nrrd(folder / f"m{s}.nrrd", "uchar", "B", [3 * inside for inside in ball])
            cases.write(f"p{s},i{s}.nrrd,m{s}.nrrd,3\n")
            clinic.write(f"p{s},{s % 2}\n")


def check_measurements(rows, subjects):
    assert [row["Measurement"] for row in rows] == WAYS * subjects and rows[6]["patient"] == "p1"
    for first in range(0, len(rows), 6):
        volume = {row["Measurement"]: float(row["original_shape_VoxelVolume"]) for row in rows[first:first + 6]}
        assert abs(volume["grown"] / volume["as_is"] - 1.2) < 0.01 and abs(volume["shrunk"] / volume["as_is"] - 0.8) < 0.01, volume
        assert volume["moved_x"] == volume["moved_y"] == volume["noise"] == volume["as_is"], volume
        mean = {row["Measurement"]: float(row["original_firstorder_Mean"]) for row in rows[first:first + 6]}
        assert mean["shrunk"] > mean["moved_x"] > 0 and 0 < abs(mean["noise"] - mean["as_is"]) < 3, mean


def main():
    radseal = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder, subjects = pathlib.Path(name), 12
        write_cases(folder, subjects)
        told = json.loads(run(0, radseal, "perturb", folder / "cases.csv", "-o", folder / "again", "--volume", 20, "--json"))
        assert len(told) == 6 * subjects and told[0]["measurement"] == "as_is"
        first = {path.name: path.read_bytes() for path in (folder / "again").iterdir()}
        run(0, radseal, "perturb", folder / "cases.csv", "-o", folder / "again", "--volume", 20)
        assert first == {path.name: path.read_bytes() for path in (folder / "again").iterdir()}
        for output, cases in (("repeats.csv", folder / "again/cases.csv"), ("features.csv", folder / "cases.csv")):
            run(0, radseal, "extract", cases, "-o", folder / output)
        check_measurements(list(csv.DictReader(open(folder / "repeats.csv"))), subjects)
        study = folder / "study.yaml"
        study.write_text("tables: [features.csv, clinic.csv]\nid: patient\ntarget: {class: {column: late}}\nfolds: 2\nmodel: ridge\n"
                         "features: {ct: ['original_*']}\nrepeated: {table: repeats.csv, measurement: Measurement}\nsteps: [stable: 0.9]\n")
        report = json.loads(run(0, radseal, "train", study, "-o", folder / "m.model", "--json"))
        kept = next(row["value"] for row in report["findings"] if row["name"] == "inputs")
        assert 3 < kept < 90, kept
        run(2, radseal, "perturb", folder / "cases.csv", "-o", folder / "x", "--only", "grown,turned", sentence="turned is not")
        run(2, radseal, "perturb", folder / "again/cases.csv", "-o", folder / "x", sentence="a column Measurement already")
        (folder / "few.csv").write_text("Image,Mask,Label\ni0.nrrd,m0.nrrd,1\n")
        run(4, radseal, "perturb", folder / "few.csv", "-o", folder / "x", sentence="no voxel has label 1")
    print("perturbed, measured again, kept what stays")


main()
