#!/usr/bin/env python3
"""What learned segmentation is worth on synthetic patients that it never saw: two cohorts of different seeds are made and prepared,
a network is trained on the one, and applied to the other.

usage: segment_learned.py RADSEAL [--train 36] [--judge 12] [--folder DIR] [options of segment train]
A folder that has the cohorts already is taken as it is. Truth is the first reader's outline, on the prepared grid."""
import argparse
import json
import pathlib
import subprocess
import tempfile
import time

PIPELINE = """reference: T2
steps:
  - adc
  - dce: {model: none}
  - register: {transform: rigid}
  - resample: {spacing_mm: 2.5, order: 1, margin_mm: -1}
"""
CHANNELS = ["T2", "T1", "DWI_b0800", "ADC", "DCE_05", "DCE_time_to_peak", "DCE_wash_out"]


def run(*command, may=(0,)):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode in may, (command, done.stderr)
    return done.stdout


def prepared(radseal, folder, name, patients, seed):
    """The images and the mask of each patient; a sequence that could not be prepared is None."""
    cohort, made, rows = folder / name, folder / f"{name}-prepared", {}
    (folder / "pipeline.yaml").write_text(PIPELINE)
    if not cohort.exists():
        run(radseal, "demo", "cohort", "--patients", patients, "--seed", seed, "-o", cohort, "--quiet")
    made.mkdir(exist_ok=True)
    for study in sorted(cohort.glob("SIM-*")):
        out = made / study.name
        if not out.exists():
            run(radseal, "prepare", study / "study", "-o", out, "--pipeline", folder / "pipeline.yaml",
                "--mask", study / "masks/reader1.dcm", "--quiet", may=(0, 1))
        paths = [out / f"{channel}.nii.gz" for channel in CHANNELS]
        rows[study.name] = ([path if path.exists() else None for path in paths], out / "mask.nii.gz")
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("radseal")
    parser.add_argument("--train", type=int, default=36)
    parser.add_argument("--judge", type=int, default=12)
    parser.add_argument("--folder", default="")
    asked, options = parser.parse_known_args()
    kept = None if asked.folder else tempfile.TemporaryDirectory()
    folder = pathlib.Path(asked.folder or kept.name)
    folder.mkdir(exist_ok=True)
    table, model, dices = folder / "train.csv", folder / "tumour.model", []
    with open(table, "w") as out:
        print("subject", *CHANNELS, "mask", sep=",", file=out)
        for name, (images, mask) in prepared(asked.radseal, folder, "train", asked.train, 101).items():
            print(name, *(image.resolve() if image else "" for image in images), mask.resolve(), sep=",", file=out)
    began = time.monotonic()
    print(run(asked.radseal, "segment", "train", table, "-o", model, "--validate", "0", *options), end="")
    print(f"trained in {time.monotonic() - began:.0f} s")
    for name, (images, mask) in prepared(asked.radseal, folder, "judge", asked.judge, 202).items():
        found = folder / "found.nii.gz"
        run(asked.radseal, "segment", "apply", model, *(image or "-" for image in images), "-o", found, "--quiet")
        told = json.loads(run(asked.radseal, "segment", "compare", mask, found, "--json", may=(0, 1)))
        dices.append(told[0]["dice"] or 0)
        print(name, dices[-1], flush=True)
    print(f"{len(dices)} patients of another seed: mean Dice {sum(dices) / len(dices):.3f}, least {min(dices):.3f}")


main()
