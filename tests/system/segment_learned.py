"""Learned segmentation at the command line: `segment_learned.py RADSEAL`. Phantoms are made here: a bent organ in a body with
texture, in it a ball of other contrast, in three images with noise."""
import gzip
import json
import math
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

from node_tools import Radseal

SIZE, SPACING = (28, 26, 14), (3.0, 3.0, 4.0)
CASES = 8


def run(status, *arguments, sentence=""):
    done = subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == status and sentence in done.stderr, (arguments, done.returncode, done.stdout[-500:], done.stderr)
    return done.stdout


def write_nrrd(path, kind, letter, values):
    head = ("NRRD0004\ntype: {}\ndimension: 3\nsizes: {} {} {}\nendian: little\nencoding: raw\nspace: left-posterior-superior\n"
            "space directions: ({},0,0) (0,{},0) (0,0,{})\nspace origin: (5,6,7)\n\n".format(kind, *SIZE, *SPACING))
    path.write_bytes(head.encode() + struct.pack(f"<{len(values)}{letter}", *values))


def phantom(folder, number):
    made = random.Random(number)
    middle = [made.uniform(0.35, 0.65) * n * s for n, s in zip(SIZE, SPACING)]
    reach, scale, images, mask = made.uniform(13, 19), made.uniform(100, 900), ([], [], []), []
    phase = made.uniform(0, 6)
    for z in range(SIZE[2]):
        for y in range(SIZE[1]):
            for x in range(SIZE[0]):
                at = [v * s for v, s in zip((x, y, z), SPACING)]
                away = math.dist(at, middle)
                inside = away < reach
                organ = abs(at[1] - middle[1] - 0.01 * (at[0] - middle[0]) ** 2) < 15
                body = math.dist(at[:2], (40, 38)) < 38
                wave = 1 + 0.15 * math.sin(at[0] / 8 + phase)
                mask.append(3 * inside)
                for image, levels in zip(images, ((0.6, 1.1, 0.8), (1.5, 0.8, 1.0), (0.5, 0.9, 1.0))):
                    level = body * levels[0 if inside else 1 if organ else 2]
                    image.append(scale * (wave * level + 0.1 * made.random()))
    names = [f"{number}_{kind}.nrrd" for kind in ("t1", "t2", "adc")]
    for name, image in zip(names, images):
        write_nrrd(folder / name, "float", "f", image)
    write_nrrd(folder / f"{number}_mask.nrrd", "uchar", "B", mask)
    return names, mask


def write_table(path, rows):
    path.write_text("subject,T1,T2,ADC,mask\n" + "".join(",".join(row) + "\n" for row in rows))


def read_nifti(path, letter):
    data = gzip.decompress(path.read_bytes())
    count = SIZE[0] * SIZE[1] * SIZE[2]
    assert struct.unpack_from("<3h", data, 42) == SIZE
    return struct.unpack_from(f"<{count}{letter}", data, int(struct.unpack_from("<f", data, 108)[0]))


def dice(first, second):
    both = sum(bool(a) and bool(b) for a, b in zip(first, second))
    return 2 * both / (sum(map(bool, first)) + sum(map(bool, second)))


def check_learning(radseal, folder, rows, truth):
    report = json.loads(run(0, radseal, "segment", "train", folder / "cases.csv", "-o", folder / "a.model", "--validate", "0.25",
                            "--epochs", "10", "--patches", "4", "--width", "4", "--spacing", "3", "--json"))
    held = {row["subject"]: row for row in report["held_out"]}
    assert report["channels"] == ["T1", "T2", "ADC"] and report["trained_on"] == CASES - 2 and len(held) == 2, report
    print(f"# held-out Dice {report['dice_mean']:.3f}")
    assert report["dice_mean"] > 0.8 and report["dice_least"] <= report["dice_median"], report
    # What training said of a case is what applying the file makes of it.
    for number, row in enumerate(rows):
        if row[0] not in held:
            continue
        mask, unsure = folder / "m.nii.gz", folder / "u.nii.gz"
        told = json.loads(run(0, radseal, "segment", "apply", folder / "a.model", *(folder / name for name in row[1:4]),
                              "-o", mask, "--uncertainty", unsure, "--json"))
        found, bits = read_nifti(mask, "B"), read_nifti(unsure, "f")
        assert told["model"] == report["model"] and told["voxels"] == sum(found), told
        assert abs(dice(found, truth[number]) - held[row[0]]["dice"]) < 1e-9
        wrong = [b for b, a, t in zip(bits, found, truth[number]) if bool(a) != bool(t)]
        assert 0 <= min(bits) and max(bits) <= 1 and sum(wrong) / max(1, len(wrong)) > 2 * sum(bits) / len(bits)
        # One image of three missing: worse, but no nonsense.
        run(0, radseal, "segment", "apply", folder / "a.model", *(folder / name for name in row[1:3]), "-", "-o", mask)
        assert dice(read_nifti(mask, "B"), truth[number]) > 0.4
    return report


def check_same(radseal, folder):
    short = ("--epochs", "1", "--patches", "1", "--width", "2", "--spacing", "4", "--label", "3", "--quiet")
    for threads in 1, 2:
        run(0, radseal, "segment", "train", folder / "cases.csv", "-o", folder / f"{threads}.model", "--threads", threads, *short)
    one = (folder / "1.model").read_bytes()
    assert one == (folder / "2.model").read_bytes()
    run(0, radseal, "segment", "train", folder / "cases.csv", "-o", folder / "2.model", "--seed", "2", *short)
    assert one != (folder / "2.model").read_bytes()


def check_refusals(radseal, folder, rows):
    model, mask = folder / "a.model", folder / "no.nrrd"
    images = [folder / name for name in rows[0][1:4]]
    run(2, radseal, "segment", "train", folder / "cases.csv", sentence="--output")
    run(2, radseal, "segment", "apply", model, *images, sentence="--output")
    run(2, radseal, "segment", "apply", model, *images[:2], "-o", mask, sentence="3 images, in this order: T1, T2, ADC")
    run(2, radseal, "segment", "apply", model, "-", "-", "-", "-o", mask, sentence="at least one image")
    (folder / "cut.model").write_bytes(model.read_bytes()[:-100])
    assert run_any(radseal, "segment", "apply", folder / "cut.model", *images, "-o", mask).returncode != 0
    write_table(folder / "wrong.csv", [rows[0], ["B", "none.nrrd", "", "", rows[0][4]]])
    assert "none.nrrd" in run_any(radseal, "segment", "train", folder / "wrong.csv", "-o", mask, "--validate", "0").stderr
    assert not mask.exists()


def check_sealing(program, folder, rows):
    """In a node: nothing is read without leave; the model is made from what it learned of, the mask from images and model."""
    node = Radseal(program, folder / "node")
    node.run("init", node.home, "--consortium", "--quiet", check=0)
    at_home = ("--home", node.home)
    for key, role, admin in (("doctor", "radiologist", None), ("researcher", "researcher", "research-admin")):
        node.run("key", "new", key, *at_home, check=0)
        node.run("member", "grant", key, "--role", role, *(("--as", admin) if admin else ()), *at_home, check=0)
    for row in rows:
        node.run("seal", "--subject", row[0], *(folder / name for name in row[1:] if name), *at_home, check=0)
    model, mask = folder / "sealed.model", folder / "sealed.nii.gz"
    research, care = ("--as", "researcher", "--purpose", "research"), ("--as", "doctor", "--purpose", "treatment")
    train = ("segment", "train", folder / "few.csv", "-o", model, "--validate", "0", "--epochs", "1", "--patches", "1", "--width", "1",
             *research, *at_home)
    assert "NO_CONSENT: " in node.run(*train, check=3).stderr and not model.exists()
    for row in rows:
        node.run("consent", "grant", "--subject", row[0], "--organisation", "Research", "--roles", "researcher",
                 "--purposes", "research", "--operations", "read,train", *at_home, check=0)
    told = json.loads(node.run(*train, "--json", check=0).stdout)
    assert pathlib.Path(told["receipt"]).exists() and told["held_out"] == []
    images = [folder / name for name in rows[0][1:4]]
    apply = ("segment", "apply", model, *images, "-o", mask, *at_home)
    node.run(*apply, check=2)  # for what purpose?
    node.run(*apply, *care, check=0)
    other = ("segment", "apply", model, images[0], folder / rows[1][2], "-", "-o", folder / "other.nrrd", *at_home, *care)
    assert "several subjects" in node.run(*other, check=3).stderr and not (folder / "other.nrrd").exists()
    assert node.verdicts(model, mask) == {str(model): "genuine", str(mask): "genuine"}
    entries = json.loads(node.run("audit", "all", "--json", *at_home, check=0).stdout)["lines"]
    objects = [entry for entry in entries if entry["type"] == "object-register" and entry["kind"] in ("model", "mask")][-2:]
    assert [entry["kind"] for entry in objects] == ["model", "mask"], objects
    assert len(objects[0]["parents"].split()) == sum(1 for row in rows for name in row[1:] if name), objects
    assert len(objects[1]["parents"].split()) == 4 and objects[0]["object"] in objects[1]["parents"], objects
    stranger = ("segment", "apply", folder / "a.model", *images, "-o", mask, *at_home, *care)
    assert "not sealed in the node" in node.run(*stranger, check=4).stderr


def run_any(*arguments):
    return subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=300)


def main():
    radseal = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rows, truth = [], []
        for number in range(CASES):
            names, mask = phantom(folder, number)
            rows.append([f"S{number}", *names, f"{number}_mask.nrrd"])
            truth.append(mask)
        rows[2][3] = ""  # a study without ADC
        write_table(folder / "cases.csv", rows)
        check_learning(radseal, folder, rows, truth)
        check_same(radseal, folder)
        check_refusals(radseal, folder, rows)
        write_table(folder / "few.csv", rows[:3])
        check_sealing(radseal, folder, rows[:3])
    print("ok")


main()
