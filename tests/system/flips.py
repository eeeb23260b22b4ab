"""Flips one random bit at a time, of originals, stored objects, receipts and the ledger's content, and
expects radseal to name each: `flips.py RADSEAL [--count N] [--data DIR] [--seed N]`."""
import argparse
import pathlib
import random
import shutil
import sys
import tempfile

from dicom_peer import EXPLICIT, meta, small_instance
from node_tools import DATABASES, Radseal, files_below, flip_cell, flip_file, write_nifti


def make_originals(data, folder):
    if data:
        shutil.copytree(data, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
    else:
        for number in range(4):
            write_nifti(folder / f"volume{number}.nii", number, side=10)
        for number in range(4):
            sop_class, instance, content = small_instance(number, patient=f"P{number % 2}")
            (folder / f"image{number}.dcm").write_bytes(meta(sop_class, instance, EXPLICIT) + content)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("radseal")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--data")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    generator = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        originals = scratch / "originals"
        originals.mkdir()
        make_originals(options.data, originals)
        node = Radseal(options.radseal, scratch / "node")
        node.init()
        node.seal(originals)
        node.fsck(check=0)
        sealed = [path for path, verdict in node.verdicts(*files_below(originals)).items() if verdict == "genuine"]
        print(f"{len(sealed)} files sealed, all genuine; {options.count} flips")
        places = {
            "original": [pathlib.Path(path) for path in sealed],
            "object": files_below(node.home / "vault"),
            "receipt": files_below(node.home / "receipts"),
            "key": [node.home / "keys" / "node.key"],
        }
        missed, done = [], {}
        while sum(done.values()) < options.count:
            place = generator.choice(["original", "object", "receipt", "database", "database", "key"])
            if place == "database":
                undo, where = flip_cell(node.home / generator.choice(DATABASES), generator)
                if undo is None:
                    continue
            else:
                undo, where = flip_file(generator.choice(places[place]), generator)
            target = where.split()[0]
            if place == "original":
                found = node.verify(*[p for p in places["original"] if p.name == target]).returncode == 1
            else:
                found = node.fsck().returncode in (1, 3, 4)
            if not found:
                missed.append(where)
                print("MISSED", where, flush=True)
            done[place] = done.get(place, 0) + 1
            undo()
        node.fsck(check=0)
        print(f"flips named: {sum(done.values()) - len(missed)} of {sum(done.values())} ({done})")
        return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
