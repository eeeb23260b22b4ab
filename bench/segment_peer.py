"""Growing from the same strokes beside scikit-image's random_walker and SimpleITK's confidence-connected growing, in the same run, on
one core: `segment_peer.py SEGMENT_BENCH RADSEAL` with scikit-image, pyamg (optional) and SimpleITK."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy
import SimpleITK
from skimage.segmentation import random_walker


def dice(first, second):
    return 2 * (first & second).sum() / (first.sum() + second.sum())


def timed(work):
    begin = time.monotonic()
    made = work()
    return made, time.monotonic() - begin


def confident(image, seeds):
    points = [tuple(int(v) for v in place[::-1]) for place in numpy.argwhere(seeds == 1)]
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    grown = SimpleITK.ConfidenceConnected(image, seedList=points, numberOfIterations=4, multiplier=2.0, initialNeighborhoodRadius=1)
    return SimpleITK.GetArrayFromImage(grown) > 0


def main():
    bench, radseal = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as name:
        paths = [pathlib.Path(name) / file for file in ("image.nii", "truth.nii", "seeds.nii", "grown.nii")]
        subprocess.run([bench, "case", *map(str, paths[:3])], check=True)
        image = SimpleITK.ReadImage(str(paths[0]))
        truth, seeds = (SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))) for path in paths[1:3])
        values = SimpleITK.GetArrayFromImage(image)
        told, whole = timed(lambda: json.loads(subprocess.run(
            [radseal, "segment", "grow", str(paths[0]), "--seeds", str(paths[2]), "-o", str(paths[3]), "--json", "-j", "1"],
            check=True, capture_output=True).stdout))
        ours = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(paths[3]))) > 0
        walker, walked = timed(lambda: random_walker(values, seeds, mode="cg_j") == 1)
        confidence, connected = timed(lambda: confident(image, seeds))
        print(f"128^3  radseal segment grow       {whole:6.2f} s with reading and writing ({told['ms'] / 1000:.2f} s), Dice {dice(truth > 0, ours):.3f}")
        print(f"       scikit-image random_walker {walked:6.2f} s, Dice {dice(truth > 0, walker):.3f}; radseal takes {whole / walked:.3f} of it")
        print(f"       ITK confidence connected   {connected:6.2f} s, Dice {dice(truth > 0, confidence):.3f}")


main()
