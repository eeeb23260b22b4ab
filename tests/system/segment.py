"""Masks compared at the command line: `segment.py RADSEAL`."""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

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
    run(2, radseal, "segment", "colour", folder / "a.nrrd", sentence="say one of compare")


def main():
    radseal = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        check_compare(radseal, pathlib.Path(name))
    print("segment: good")


if __name__ == "__main__":
    main()
