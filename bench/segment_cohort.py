"""Growing on simulated patients: `segment_cohort.py RADSEAL [--patients N] [--seed S] [--size small|full] [--work DIR] [--cases]`.
Makes a cohort, prepares each study (rigid registration; small: 2 mm, full: 1 mm), and holds what grows from three strokes or a
box against the true tumour, which the generator knows and `prepare --mask` lays on the same grid. What is in DIR already is used
again. The seed is not one by which the method was tuned (101).

The strokes are what somebody would paint who sees the border, with a brush of 1 mm radius:
  in   a line in the axial slice with most tumour, through its innermost point, in the direction in which the tumour is longest
       there, from 55 % of the way to the border on one side to 55 % on the other;
  in   the same up and down through that point;
  out  a closed line around the tumour in that axial slice, of 20 corners, each beyond the outermost border in its direction by
       5 mm on average, of a standard deviation of 1.5 mm, and never by less than 2.5 mm."""
import argparse
import gzip
import json
import math
import pathlib
import random
import statistics
import struct
import subprocess
import tempfile
import zlib

SEQUENCES = ("T2", "T1", "DWI_b0800", "ADC", "DCE_02", "DCE_04", "DCE_06", "DCE_10")
PIPELINE = "reference: T2\nsteps:\n  - adc\n  - dce: {{model: none}}\n  - register: {{transform: rigid}}\n  - resample: {{spacing_mm: {}, margin_mm: 30}}\n"
BOX_MM = 4


class Truth:
    """Of a mask in NIfTI: the places that are set."""

    def __init__(self, path):
        data = gzip.decompress(path.read_bytes())
        self.size, self.spacing = struct.unpack_from("<3h", data, 42), struct.unpack_from("<3f", data, 80)
        assert struct.unpack_from("<h", data, 72)[0] == 8, "labels are bytes"
        width, height, depth = self.size
        labels = data[int(struct.unpack_from("<f", data, 108)[0]):]
        self.set = {(i % width, i // width % height, i // width // height) for i in range(width * height * depth) if labels[i]}

    def has(self, place):
        return tuple(math.floor(v + 0.5) for v in place) in self.set

    def reach(self, start, way, outermost=False):
        """mm from a voxel along a direction to where the region ends, the first time or for good."""
        far = 0
        for step in range(400):
            mm = step / 4
            inside = self.has([start[a] + way[a] * mm / self.spacing[a] for a in range(3)])
            if inside:
                far = mm
            elif not outermost:
                break
        return far

    def innermost(self, z):
        """Of a slice: the voxel farthest from what is not inside."""
        inside = sorted(p for p in self.set if p[2] == z)
        beside = {(x + i, y + j) for x, y, _ in inside for i in (-1, 0, 1) for j in (-1, 0, 1)} - {p[:2] for p in inside}
        return max(inside, key=lambda p: min(math.hypot((p[0] - x) * self.spacing[0], (p[1] - y) * self.spacing[1]) for x, y in beside))


def at(start, way, mm, spacing):
    return [start[a] + way[a] * mm / spacing[a] for a in range(3)]


def strokes_of(truth, seed):
    made = random.Random(seed)
    slices = [p[2] for p in truth.set]
    middle = truth.innermost(max(sorted(set(slices)), key=slices.count))
    line = lambda way: [at(middle, [s * w for w in way], 0.55 * truth.reach(middle, [s * w for w in way]), truth.spacing) for s in (-1, 1)]
    ways = [(math.cos(math.pi * k / 12), math.sin(math.pi * k / 12), 0) for k in range(12)]
    longest = max(ways, key=lambda way: truth.reach(middle, way) + truth.reach(middle, [-w for w in way]))
    ring = []
    for k in range(20):
        way = (math.cos(math.pi * k / 10), math.sin(math.pi * k / 10), 0)
        ring.append(at(middle, way, truth.reach(middle, way, True) + max(2.5, made.gauss(5, 1.5)), truth.spacing))
    words = []
    for side, points in (("in", line(longest)), ("in", line((0, 0, 1))), ("out", [*ring, ring[0]])):
        words += ["--stroke", side + ":" + "/".join(",".join(f"{v:.2f}" for v in p) for p in points)]
    return words


def box_of(truth):
    low, high = ([f(p[a] for p in truth.set) for a in range(3)] for f in (min, max))
    return ["--box", ",".join(f"{v:.0f}" for v in [low[a] - BOX_MM / truth.spacing[a] for a in range(3)] + [high[a] + BOX_MM / truth.spacing[a] for a in range(3)])]


def run(*words):
    return subprocess.run([*map(str, words)], check=True, capture_output=True, text=True).stdout


def compared(radseal, first, other):
    (row,) = json.loads(run(radseal, "segment", "compare", first, other, "--tolerance", "2", "--json", "--quiet"))
    return row["dice"], row["surface_dice"]


def prepare(radseal, work, patient, spacing):
    """Its folder, and whether it was there."""
    out = work / "prepared" / patient.name
    if not (out / "prepared.json").exists():
        (work / "pipeline.yaml").write_text(PIPELINE.format(spacing))
        run(radseal, "prepare", patient / "study", "-o", out, "--pipeline", work / "pipeline.yaml", "--mask", patient / "truth/tumour.nii.gz", "--quiet")
    return out


def judge(radseal, work, patient, folder, rows):
    truth, grown = folder / "mask.nii.gz", work / "grown.nii"
    shape = Truth(truth)
    strokes, box = strokes_of(shape, zlib.crc32(patient.name.encode())), box_of(shape)
    every = [folder / f"{name}.nii.gz" for name in SEQUENCES]
    for name, images, words in [("T2, paths", every[:1], strokes), ("T2, --walk", every[:1], [*strokes, "--walk"]),
                                ("DWI b=800, paths", every[2:3], strokes), ("DWI b=800, --walk", every[2:3], [*strokes, "--walk"]),
                                (f"{len(every)} sequences", every, strokes), (f"{len(every)} sequences, box alone", every, box), ("T2, box alone", every[:1], box)]:
        told = json.loads(run(radseal, "segment", "grow", *images, *words, "-o", grown, "--json", "-j", "1"))
        rows.setdefault(name, []).append((*compared(radseal, truth, grown), told["ms"] / 1000))
    drawn = [patient / "truth/tumour.nii.gz", patient / "masks/reader1.dcm", patient / "masks/reader2.dcm"]
    for name, a, b in (("reader 1 (T2's own grid)", 0, 1), ("reader 2 (T2's own grid)", 0, 2)):
        rows.setdefault(name, []).append((*compared(radseal, drawn[a], drawn[b]), None))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("radseal")
    parser.add_argument("--patients", type=int, default=12)
    parser.add_argument("--seed", type=int, default=9202)
    parser.add_argument("--size", default="small")
    parser.add_argument("--work", type=pathlib.Path)
    parser.add_argument("--cases", action="store_true", help="each case's Dice, too")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work, rows = wanted.work or pathlib.Path(name), {}
        work.mkdir(parents=True, exist_ok=True)
        if not (work / "cohort").exists():
            run(wanted.radseal, "demo", "cohort", "--patients", wanted.patients, "--seed", wanted.seed, "--size", wanted.size, "--truth", "-o", work / "cohort", "--quiet")
        for patient in sorted((work / "cohort").glob("SIM-*"))[:wanted.patients]:
            judge(wanted.radseal, work, patient, prepare(wanted.radseal, work, patient, 1 if wanted.size == "full" else 2), rows)
    print(f"{wanted.patients} patients, {wanted.size}, seed {wanted.seed}    Dice: mean  median  worst   surface Dice (2 mm)   seconds")
    for name, found in rows.items():
        dice, surface, took = zip(*found)
        print(f"{name:36s} {statistics.mean(dice):9.3f} {statistics.median(dice):7.3f} {min(dice):6.3f} {statistics.mean(surface):14.3f}"
              + ("" if took[0] is None else f"{statistics.median(took):18.2f}"))
        if wanted.cases:
            print("   ", " ".join(f"{d:.2f}" for d in dice))


main()
