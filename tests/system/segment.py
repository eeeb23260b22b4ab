"""Regions outlined and masks compared at the command line: `segment.py RADSEAL [REAL_STUDY]`."""
import gzip
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import export
from node_tools import Radseal

SIZE, SPACING = (24, 22, 12), (1.0, 1.0, 2.5)


def run(status, *arguments, sentence="", text=None):
    done = subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=300, input=text)
    assert done.returncode == status and sentence in done.stderr, (arguments, done.returncode, done.stdout[-500:], done.stderr)
    return done.stdout


def write_nrrd(path, kind, letter, values, size=SIZE):
    head = (f"NRRD0004\ntype: {kind}\ndimension: 3\nsizes: {size[0]} {size[1]} {size[2]}\nendian: little\nencoding: raw\n"
            "space: left-posterior-superior\nspace directions: ({},0,0) (0,{},0) (0,0,{})\nspace origin: (5,6,7)\n\n".format(*SPACING))
    path.write_bytes(head.encode() + struct.pack(f"<{len(values)}{letter}", *values))


def ball(centre, radius, size=SIZE):
    """Of millimetres from the first voxel."""
    return [int(sum((v * s - c) ** 2 for v, s, c in zip((x, y, z), SPACING, centre)) <= radius ** 2)
            for z in range(size[2]) for y in range(size[1]) for x in range(size[0])]


def check_compare(radseal, folder):
    first, second = ball((11, 11, 14), 8), ball((12, 11, 14), 8)
    write_nrrd(folder / "a.nrrd", "uchar", "B", [v * 2 for v in first])
    write_nrrd(folder / "b.nrrd", "uchar", "B", [v * 2 or 5 * (i == 0) for i, v in enumerate(second)])
    write_nrrd(folder / "none.nrrd", "uchar", "B", [0] * len(first))
    write_nrrd(folder / "small.nrrd", "uchar", "B", ball((3, 3, 5), 3, (8, 8, 8)), (8, 8, 8))
    same, moved, extra = json.loads(run(0, radseal, "segment", "compare", folder / "a.nrrd", folder / "a.nrrd", folder / "b.nrrd",
                                        "--tolerance", "1", "--json"))
    assert same["dice"] == same["surface_dice"] == 1 and same["hausdorff_mm"] == 0 and same["label"] == 2
    both = sum(a and b for a, b in zip(first, second))
    assert abs(moved["dice"] - 2 * both / (sum(first) + sum(second))) < 1e-12 and moved["voxels_both"] == both
    assert abs(moved["volume_first_ml"] - sum(first) * 2.5e-3) < 1e-12 and moved["surface_dice"] == 1 and moved["hausdorff_95_mm"] == 1
    assert extra["label"] == 5 and extra["dice"] == 0 and extra["hausdorff_mm"] is None and extra["voxels_this"] == 1
    (only,) = json.loads(run(0, radseal, "segment", "compare", folder / "a.nrrd", folder / "b.nrrd", "--label", "2", "--json"))
    assert only == {**moved, "mask": only["mask"]}
    assert "0.9" in run(0, radseal, "segment", "compare", folder / "a.nrrd", folder / "b.nrrd")
    run(4, radseal, "segment", "compare", folder / "none.nrrd", folder / "none.nrrd", sentence="no voxel is set")
    run(3, radseal, "segment", "compare", folder / "a.nrrd", folder / "small.nrrd", sentence="24")
    run(2, radseal, "segment", "compare", folder / "a.nrrd", sentence="two masks")
    run(2, radseal, "segment", "compare", folder / "a.nrrd", folder / "a.nrrd", "--tolerance", "-1", sentence="not below 0")
    run(2, radseal, "segment", "colour", folder / "a.nrrd", sentence="say one of grow, refine")


def dice(radseal, first, second):
    (row,) = json.loads(run(0, radseal, "segment", "compare", first, second, "--json"))
    return row["dice"]


def check_grow(radseal, folder):
    """A bright ball in noise: by strokes, by a box, by a mask of strokes, and by lines of JSON with a correction."""
    made, truth = random.Random(5), ball((12, 11, 15), 7)
    image, out = folder / "image.nrrd", folder / "grown.nrrd"
    write_nrrd(image, "short", "h", [round(made.gauss(100 + 60 * inside, 12)) for inside in truth])
    write_nrrd(folder / "truth.nrrd", "uchar", "B", truth)
    strokes = ["--stroke", "in:9,11,6/15,11,6", "--stroke", "out:2,2,6/22,2,6/22,20,6"]
    told = json.loads(run(0, radseal, "segment", "grow", image, *strokes, "-o", out, "--json"))
    assert dice(radseal, folder / "truth.nrrd", out) > 0.85 and told["mask"] == str(out) and told["changed"]["size"][0] > 8, told
    first = out.read_bytes()
    in_mm = ["--mm", "--stroke", "in:14,17,22/20,17,22", "--stroke", "out:7,8,22/27,8,22/27,26,22"]
    run(0, radseal, "segment", "grow", image, *in_mm, "-o", out)
    assert out.read_bytes() == first, "the same strokes in mm"
    run(0, radseal, "segment", "grow", image, "--box", "4,3,2,20,19,10", "-o", folder / "boxed.nii.gz", "--quiet")
    assert dice(radseal, folder / "truth.nrrd", folder / "boxed.nii.gz") > 0.8
    place = lambda x, y, z: (z * SIZE[1] + y) * SIZE[0] + x
    painted = [0] * len(truth)
    for x in range(9, 16):
        painted[place(x, 11, 6)] = 7
        for y, z in ((1, 6), (20, 6), (11, 1), (11, 11)):
            painted[place(x, y, z)] = 8
    write_nrrd(folder / "seeds.nrrd", "uchar", "B", painted)
    run(0, radseal, "segment", "grow", image, "--seeds", folder / "seeds.nrrd", "--inside", "7", "--outside", "8", "-o", out)
    assert dice(radseal, folder / "truth.nrrd", out) > 0.8
    run(4, radseal, "segment", "grow", image, "--seeds", folder / "seeds.nrrd", "-o", out, sentence="no voxel has the label 1 (inside)")
    check_refusals(radseal, image, out)
    check_several(radseal, folder, image, strokes, truth)
    write_nrrd(folder / "rough.nrrd", "uchar", "B", ball((14, 11, 15), 7.5))
    run(0, radseal, "segment", "refine", image, folder / "rough.nrrd", "--band", "4", "-o", out)
    before, after = (dice(radseal, folder / "truth.nrrd", path) for path in (folder / "rough.nrrd", out))
    assert before < 0.85 < after, (before, after)
    run(2, radseal, "segment", "refine", image, folder / "rough.nrrd", "--band", "0", "-o", out, sentence="a band is wider")
    check_interactive(radseal, image, out, strokes)


def check_several(radseal, folder, image, strokes, truth):
    """Two images, neither of which has the border all around: each is as bright as the ball on another side of it."""
    made, halves, out = random.Random(6), [folder / "left.nrrd", folder / "right.nrrd"], folder / "several.nrrd"
    for side, path in enumerate(halves):
        write_nrrd(path, "short", "h", [round(made.gauss(100 + 60 * (inside or (i % SIZE[0] > 12) == side), 12)) for i, inside in enumerate(truth)])
    grow = [radseal, "segment", "grow", *halves, *strokes, "-o", out]
    run(0, *grow, "--quiet")
    together, first = dice(radseal, folder / "truth.nrrd", out), out.read_bytes()
    run(0, *grow, "--quiet", "-j", "2")
    assert together > 0.85 and out.read_bytes() == first, together
    run(0, radseal, "segment", "grow", halves[0], *strokes, "--learn", "-o", out, "--quiet")
    assert dice(radseal, folder / "truth.nrrd", out) < together - 0.05
    answers = run(0, *grow, "--interactive", text=json.dumps({"stroke": "out", "points": [[12, 6, 6]], "radius": 2}))
    before, bitten = (json.loads(line) for line in answers.splitlines())
    assert before["voxels"] > bitten["voxels"] > before["voxels"] / 2, answers
    run(2, *grow, "--walk", sentence="--walk takes one image")
    run(3, radseal, "segment", "grow", image, folder / "small.nrrd", *strokes, "-o", out, sentence="small.nrrd beside")
    write_nrrd(folder / "flat.nrrd", "short", "h", [7] * len(truth))
    run(3, radseal, "segment", "grow", folder / "flat.nrrd", folder / "flat.nrrd", *strokes, "-o", out, sentence="the same value")


def check_refusals(radseal, image, out):
    for status, arguments, sentence in [
            (2, ["-o", out], "give --stroke"), (2, ["--stroke", "in:1,2,3"], "--output"),
            (2, ["--stroke", "in:1,2,3", "-o", "x.txt"], "written as .nii"), (2, ["--stroke", "in:1,2", "-o", out], "X,Y,Z"),
            (2, ["--stroke", "at:1,2,3", "-o", out], "begins with in:"), (2, ["--stroke", "in:90,2,3", "-o", out], "does not touch"),
            (2, ["--box", "1,2,3", "-o", out], "two opposite corners"), (2, ["--box", "30,2,3,50,6,7", "-o", out], "the image has 0 to 23"),
            (2, ["--stroke", "out:1,2,3", "-o", out], "paint a stroke inside"), (2, ["--edge", "0", "--box", "4,3,2,20,19,10", "-o", out], "edge"),
            (1, ["--stroke", "in:1,2,3", "-o", out.with_suffix(".dcm")], "DICOM")]:
        run(status, radseal, "segment", "grow", image, *arguments, sentence=sentence)


def check_interactive(radseal, image, out, strokes):
    lines = ["", json.dumps({"stroke": "out", "points": [[12, 6, 6]], "radius": 2}), "nonsense", '{"stroke": "up"}',
             json.dumps([{"stroke": "in", "points": [[30, 23, 22], [17, 17, 22]], "mm": True}])]
    answers = [json.loads(line) for line in run(0, radseal, "segment", "grow", image, *strokes, "--interactive", "-o", out,
                                                text="\n".join(lines)).splitlines()]
    start, bitten, nonsense, side, mended = answers
    assert start["voxels"] > bitten["voxels"] and bitten["changed"]["size"][1] >= 3 and bitten["ms"] > 0, answers
    assert "no JSON" in nonsense["error"] and "in" in side["error"] and mended["voxels"] > bitten["voxels"], answers


def check_staple(radseal, folder):
    readers = [ball((11 + k, 11, 14), 6 + k / 2) for k in range(3)]
    paths = [folder / f"reader{k}.nrrd" for k in range(3)]
    for path, reader in zip(paths, readers):
        write_nrrd(path, "uchar", "B", [3 * v for v in reader])
    rows = json.loads(run(0, radseal, "segment", "staple", *paths, "-o", folder / "staple.nii", "--probability", folder / "p.nrrd", "--json"))
    assert [row["mask"] for row in rows] == list(map(str, paths)) and all(0.3 < row["sensitivity"] <= 1 for row in rows), rows
    run(0, radseal, "segment", "staple", *paths, "-o", folder / "vote.nrrd", "--vote", "--quiet")
    write_nrrd(folder / "majority.nrrd", "uchar", "B", [int(sum(votes) >= 2) for votes in zip(*readers)])
    assert dice(radseal, folder / "majority.nrrd", folder / "vote.nrrd") == 1 and dice(radseal, folder / "vote.nrrd", folder / "staple.nii") > 0.7
    run(2, radseal, "segment", "staple", paths[0], "-o", folder / "x.nii", sentence="2 to 16 masks")


def check_agreement(radseal, folder):
    """Readers' features: those of a table that extract writes, and Shrout and Fleiss' (1979) example of four judges."""
    judges = [(9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7)]
    (folder / "judges.csv").write_text("patient,Measurement,rating,note\n" + "".join(
        f"s{s},j{j},{v},free text\n" for s, row in enumerate(judges) for j, v in enumerate(row)))
    (head, row) = (line.split(",") for line in run(0, radseal, "segment", "agreement", folder / "judges.csv").splitlines())
    found = dict(zip(head, row))
    assert found["feature"] == "rating" and found["subjects"] == "6" and found["readers"] == "4", found
    assert round(float(found["agreement"]), 2) == 0.29 and round(float(found["consistency"]), 2) == 0.71, found  # their table 4
    with open(folder / "cases.csv", "w") as cases:
        cases.write("patient,reader,Image,Mask\n")
        for s in range(2):
            for r in range(2):
                write_nrrd(folder / f"m{s}{r}.nrrd", "uchar", "B", ball((11 + r / 2, 11, 14), 6 + 2 * s))
                cases.write(f"p{s},r{r},image.nrrd,m{s}{r}.nrrd\n")
    run(0, radseal, "extract", folder / "cases.csv", "-o", folder / "repeats.csv", "--quiet")
    run(0, radseal, "segment", "agreement", folder / "repeats.csv", "--reader", "reader", "-o", folder / "icc.csv")
    rows = {line.split(",")[0]: line.split(",") for line in (folder / "icc.csv").read_text().splitlines()}
    assert float(rows["original_shape_VoxelVolume"][3]) > 0.9 and len(rows) > 100
    run(4, radseal, "segment", "agreement", folder / "cases.csv", sentence="--reader")
    (folder / "judges.csv").write_text("patient,Measurement,rating\na,1,2\na,2,3\nb,1,4\nb,1,5\n")
    run(1, radseal, "segment", "agreement", folder / "judges.csv", sentence="subject b")


def check_sealed(radseal, folder):
    """Of a sealed series: a mask as DICOM SEG, signed by who drew it, then its correction as its next version."""
    node, series = Radseal(radseal, folder / "node"), folder / "ct"
    series.mkdir()
    for number in range(export.SLICES):
        (series / f"{number}.dcm").write_bytes(export.slice_file(number))
    grow = ["segment", "grow", series, "--stroke", "in:10,10,3/13,10,3", "--stroke", "out:2,2,3/20,2,3/20,20,3/2,20,3"]
    home = ["--home", node.home]
    node.run("init", node.home, "--quiet", check=0)
    run(4, radseal, *grow, "-o", folder / "seg.dcm", *home, sentence="is not sealed in this node")
    node.run("seal", series, *home, check=0)
    for name in ("reader", "second"):
        node.run("key", "new", name, *home, check=0)
        node.run("member", "grant", name, "--role", "radiologist", *home, check=0)
    by = lambda name: [*home, "--as", name, "--purpose", "treatment"]
    told = json.loads(run(0, radseal, *grow, "-o", folder / "seg.dcm", "--label-name", "lesion", *by("reader"), "--json"))
    assert pathlib.Path(told["receipt"]).exists(), told
    corrected = [*grow, "--stroke", "out:10,6,3/14,6,3", "-o", folder / "better.nii.gz", "--replaces", folder / "seg.dcm"]
    run(0, radseal, *corrected, *by("second"))
    assert node.verdicts(folder / "seg.dcm", folder / "better.nii.gz") == {str(folder / name): "genuine" for name in ("seg.dcm", "better.nii.gz")}
    run(0, radseal, "segment", "refine", series, folder / "better.nii.gz", "-o", folder / "refined.nrrd", *by("reader"))
    run(0, radseal, "segment", "staple", folder / "better.nii.gz", folder / "refined.nrrd", "--image", series, "--vote", "-o", folder / "both.nii",
        *by("reader"))
    masks = [entry for entry in json.loads(node.run("audit", "all", *home, "--json", check=0).stdout)["lines"] if (entry["type"], entry.get("kind")) == ("object-register", "mask")]
    assert len(masks) == 4 and masks[0]["signer"] != masks[1]["signer"] and masks[1]["previous"] == masks[0]["object"], masks
    assert len(masks[3]["parents"].split()) == 3 and "previous" not in masks[3], masks[3]
    assert dice(radseal, folder / "seg.dcm", folder / "better.nii.gz") > 0.5
    node.fsck(check=0)
    run(4, radseal, *grow, "-o", folder / "seg2.dcm", "--replaces", folder / "ct" / "x", *by("reader"))


def check_real(radseal, folder, data):
    """The left kidney of a real study, by T2 and ADC: places that were looked at in pictures. Its parenchyma; not its sinus, the spleen
    that touches it, the colon or fat."""
    pipeline, case, out = folder / "pipeline.yaml", folder / "real", folder / "kidney.nrrd"
    pipeline.write_text("reference: T2\nsteps:\n  - register: {transform: rigid}\n  - resample: {spacing_mm: 2}\n")
    run(0, radseal, "prepare", data, "-o", case, "--pipeline", pipeline, "--quiet")
    run(0, radseal, "segment", "grow", case / "T2.nii.gz", case / "ADC.nii.gz", "--box", "121,77,33,163,124,84",
        "--stroke", "in:131,105,70/140,120,70/149,107,70", "--stroke", "in:145,90,54/152,97,54/143,110,54",
        "--stroke", "out:124,112,62/125,94,62/138,83,62/150,83,62/158,90,62/158,108,62/152,118,62/138,121,62/127,118,62/124,112,62",
        "-o", out, "--quiet")
    head, labels = out.read_bytes().split(b"\n\n", 1)
    (sizes,) = (tuple(map(int, line.split()[1:])) for line in head.decode().splitlines() if line.startswith("sizes:"))
    if b"gzip" in head:
        labels = gzip.decompress(labels)
    assert sizes == (200, 176, 133) and 90 < sum(map(bool, labels)) * 0.008 < 160, (sizes, sum(map(bool, labels)))
    for inside, places in ((True, [(151, 97, 46), (152, 100, 54), (147, 105, 70), (137, 112, 78)]),
                           (False, [(143, 94, 46), (140, 68, 62), (159, 95, 70), (158, 95, 78), (160, 110, 46)])):
        for x, y, z in places:
            assert bool(labels[(z * sizes[1] + y) * sizes[0] + x]) == inside, (x, y, z)


def main():
    radseal = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        check_compare(radseal, pathlib.Path(name))
        check_grow(radseal, pathlib.Path(name))
        check_staple(radseal, pathlib.Path(name))
        check_agreement(radseal, pathlib.Path(name))
        check_sealed(radseal, pathlib.Path(name))
        if len(sys.argv) > 2:
            check_real(radseal, pathlib.Path(name), pathlib.Path(sys.argv[2]))
    print("segment: good")


if __name__ == "__main__":
    main()
