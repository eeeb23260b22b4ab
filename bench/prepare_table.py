#!/usr/bin/env python3
"""Steps of preparation beside SimpleITK in one run; see bench/prepare.

usage: prepare_table.py BUILD [--peer PYTHON] [--quick]
A generated study of 256 x 256 x 60 voxels of 1 mm. Seconds of the processor in one thread and seconds by the clock in two,
medians of three; the ratio is the peer's by radseal's, errors are against what was applied: mm of points in the body
(registration), deviation of the field's logarithm (N4), grey levels of noise left (filters); of resampling the mean is told."""
import argparse
import pathlib
import subprocess
import tempfile

# work, what is printed, turns of the peer
WORKS = [
    ("rigid", "rigid registration", 1),
    ("bspline", "free-form registration", 1),
    ("resample", "cubic resampling", 3),
    ("n4", "N4", 1),
    ("median", "median 3 x 3 x 3", 3),
    ("diffusion", "diffusion, 5 steps", 3),
    ("nlm", "non-local means, 9 x 9 x 9", 1),
]
LINE = "{:28s} {:>8s} {:>8s} {:>6s}  {:>8s} {:>8s} {:>6s}  {:>9s} {:>9s}"


def figures_of(command):
    """(seconds by the clock, of the processor, error), or None."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=1800)
    return tuple(map(float, done.stdout.split())) if done.returncode == 0 else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--peer", default="")
    parser.add_argument("--quick", action="store_true", help="once each, without the peer")
    asked = parser.parse_args()
    own, peer = pathlib.Path(asked.build) / "bench/prepare_bench", pathlib.Path(__file__).with_name("prepare_peer.py")
    print(LINE.format("", "cpu, 1", "peer's", "ratio", "clock, 2", "peer's", "ratio", "error", "peer's"))
    with tempfile.TemporaryDirectory() as data:
        subprocess.run([own, "data", data], check=True)
        for work, title, turns in WORKS:
            row = [title]
            for threads, which in ((1, 1), (2, 0)):
                ours = figures_of([own, work, data, threads, 1 if asked.quick else 3])
                theirs = figures_of([asked.peer, peer, work, data, threads, turns]) if asked.peer and not asked.quick else None
                row += [f"{ours[which]:.3f}", f"{theirs[which]:.3f}" if theirs else "",
                        f"{theirs[which] / ours[which]:.1f}" if theirs else ""]
            print(LINE.format(*row, f"{ours[2]:.4g}", f"{theirs[2]:.4g}" if theirs else ""), flush=True)


main()
