"""Volumes registered at the command line: `register.py RADSEAL [DATA]`. A body is generated as two scans of different
contrast, the second one shifted; DATA may hold real MR, whose registration may not become worse."""
import json
import math
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

SIZE, SPACING = (36, 32, 12), (4, 4, 8)
SHIFT = (7, -5, 7)
ORGANS = [((0, 0, 0), (64, 52, 60), (100, 200)), ((-24, -4, 4), (26, 28, 30), (180, 90)), ((30, 6, -6), (18, 24, 26), (50, 160)),
          ((4, 32, 0), (11, 10, 60), (230, 40)), ((8, -22, 10), (20, 8, 10), (150, 240))]


def run(status, *arguments, sentence=""):
    done = subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == status and sentence in done.stderr, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout


def write_nrrd(path, kind, letter, values, origin):
    head = (f"NRRD0004\ntype: {kind}\ndimension: 3\nsizes: {SIZE[0]} {SIZE[1]} {SIZE[2]}\nendian: little\nencoding: raw\n"
            f"space: left-posterior-superior\nspace directions: ({SPACING[0]},0,0) (0,{SPACING[1]},0) (0,0,{SPACING[2]})\n"
            f"space origin: ({origin[0]},{origin[1]},{origin[2]})\n\n")
    path.write_bytes(head.encode() + struct.pack(f"<{len(values)}{letter}", *values))


def scan(path, sequence, shift, far=0):
    """The body lies `shift` mm away in patient coordinates; its last organ is label 1 of a mask beside."""
    made, origin = random.Random(sequence), [-(n - 1) * s / 2 for n, s in zip(SIZE, SPACING)]
    values, labels = [], []
    for z in range(SIZE[2]):
        for y in range(SIZE[1]):
            for x in range(SIZE[0]):
                at, value, label = [o + i * s - d for o, i, s, d in zip(origin, (x, y, z), SPACING, shift)], 0, 0
                for number, (centre, half, greys) in enumerate(ORGANS):
                    depth = (1 - math.sqrt(sum(((p - c) / h) ** 2 for p, c, h in zip(at, centre, half)))) * min(half)
                    value += (greys[sequence] - value) / (1 + math.exp(-max(-30, min(30, depth))))
                    label = number == len(ORGANS) - 1 and depth > 0
                values.append(abs(round(value + made.gauss(0, 3))))
                labels.append(int(label))
    origin[2] += far
    write_nrrd(path, "short", "h", values, origin)
    write_nrrd(path.with_name("m_" + path.name), "uchar", "B", labels, origin)


def voxels_of(path):
    """Of a raw or gzipped NRRD that radseal wrote, as floats or labels."""
    data = path.read_bytes()
    head, body = data.split(b"\n\n", 1)
    if b"gzip" in head:
        import gzip
        body = gzip.decompress(body)
    count = SIZE[0] * SIZE[1] * SIZE[2]
    return struct.unpack(f"<{count}{ {4: 'f', 1: 'B', 2: 'H'}[len(body) // count] }", body)


def check_real(radseal, data, folder):
    found = json.loads(run(0, radseal, "register", data / "t2_image", data / "adc_image", "--transform", folder / "adc.cbor",
                           "--samples", 20000, "--json"))
    assert found["mutual_information_after"] > found["mutual_information_before"] and found["greatest_mm"] < 15, found


def main():
    radseal = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        fixed, moving, far = folder / "fixed.nrrd", folder / "moving.nrrd", folder / "far.nrrd"
        scan(fixed, 0, (0, 0, 0))
        scan(moving, 1, SHIFT)
        scan(far, 1, SHIFT, far=500)
        common = [radseal, "register", fixed, moving, "--samples", 8000]
        for kind in ("rigid", "affine", "bspline"):
            told = json.loads(run(0, *common, "--kind", kind, "-o", folder / "laid.nrrd", "--transform", folder / f"{kind}.cbor",
                                  "--threads", 1, "--json"))
            assert told["kind"] == kind and told["mutual_information_after"] > told["mutual_information_before"] + 0.1, told
            assert math.hypot(*SHIFT) - 3 < told["greatest_mm"] < math.hypot(*SHIFT) + 12, told
            run(0, *common, "--kind", kind, "--transform", folder / "again.cbor", "--threads", 2)
            assert (folder / f"{kind}.cbor").read_bytes() == (folder / "again.cbor").read_bytes()
            run(0, radseal, "register", fixed, moving, "--apply", folder / f"{kind}.cbor", "-o", folder / "again.nrrd")
            assert (folder / "laid.nrrd").read_bytes() == (folder / "again.nrrd").read_bytes()
            run(0, radseal, "register", fixed, folder / "m_moving.nrrd", "--apply", folder / f"{kind}.cbor", "--labels", "-o",
                folder / "labels.nrrd")
            ours, theirs = voxels_of(folder / "labels.nrrd"), voxels_of(folder / "m_fixed.nrrd")
            both = sum(1 for a, b in zip(ours, theirs) if a and b)
            assert 2 * both / (sum(ours) + sum(theirs)) > 0.7, (kind, both, sum(ours), sum(theirs))
        masked = json.loads(run(0, *common, "--fixed-mask", folder / "m_fixed.nrrd", "--transform", folder / "x.cbor", "--json"))
        assert masked["mutual_information_after"] >= masked["mutual_information_before"], masked
        run(3, radseal, "register", fixed, far, "-o", folder / "x.nrrd", sentence="the fields of view do not overlap")
        assert not (folder / "x.nrrd").exists()
        run(2, *common, sentence="-o OUT says where")
        run(2, *common, "--kind", "elastic", "-o", folder / "x.nrrd", sentence="rigid, affine and bspline")
        run(2, *common, "--labels", "-o", folder / "x.nrrd", sentence="--labels takes a mask along")
        (folder / "bad.cbor").write_bytes((folder / "rigid.cbor").read_bytes()[:-1])
        run(1, radseal, "register", fixed, moving, "--apply", folder / "bad.cbor", "-o", folder / "x.nrrd", sentence="bad.cbor")
        if len(sys.argv) > 2:
            check_real(radseal, pathlib.Path(sys.argv[2]) / "SCAN_001", folder)
    print("registered, laid, applied again, refused")


main()
