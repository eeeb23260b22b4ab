#!/usr/bin/env python3
"""Models and measures beside R and scikit-learn in one run; see bench/prognosis.

usage: prognosis_table.py BUILD [--quick] [WORK…]
Seconds of the processor in one thread, medians, reading left out. A peer that is not installed leaves its columns empty. The
ratio is the peer's time by radseal's."""
import json
import pathlib
import resource
import subprocess
import sys
import tempfile

# work, what is printed, turns of radseal and of the peer, target in seconds
WORKS = [
    ("kaplan-meier", "Kaplan-Meier, n = 100,000", 9, 3, 0.125),
    ("delong", "DeLong, n = 100,000", 9, 3, 0.065),
    ("concordance", "concordance, n = 100,000", 9, 3, 0.085),
    ("cox", "Cox, n = 100,000, 10 columns", 3, 1, None),
    ("bootstrap", "1,000 bootstraps of Cox and C, 228 x 3", 3, 1, 0.25),
    ("cox-path", "Cox path, 10 folds, 201 x 438", 3, 1, 2),
    ("survival-forest", "survival forest, 500 trees, 2,982 x 9", 1, 1, 2.5),
    ("forest", "forest, 500 trees, 200 x 1,200", 1, 1, 0.6),
    ("reasons", "the same, and why of each of 200 rows", 1, 1, 1.5),
    ("xgboost", "XGBoost, 200 rounds, 200 x 1,200", 1, 1, None),
    ("svm", "SVM with probabilities, 200 x 1,200", 3, 3, None),
]
LINE = "{:40s} {:>9s} {:>8s} {:>5s}  {:24s} {:>9s} {:>7s}"
HERE = pathlib.Path(__file__).resolve().parent


def peers_of(data, work, turns):
    """(name, seconds) of each peer that is installed."""
    for command in (["Rscript", "--vanilla", HERE / "prognosis_peer.R"], [sys.executable, HERE / "prognosis_peer.py"]):
        try:
            done = subprocess.run([*map(str, command), str(data), work, str(turns)], capture_output=True, text=True, timeout=600)
        except (FileNotFoundError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            name, seconds = done.stdout.strip().splitlines()[-1].split("\t")
            yield name, float(seconds)


def pictures(build):
    """Training a network on PneumoniaMNIST, where it is there: CPU seconds of all, and the test pictures' AUC."""
    archive = HERE.parent.parent / "shared/data/prognosis/pneumoniamnist/pneumoniamnist.npz"
    if not archive.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        study = pathlib.Path(folder) / "chest.yaml"
        study.write_text(f"pictures: {archive}\n")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([pathlib.Path(build) / "src/cli/radseal", "train", study, "-o", f"{folder}/chest.model", "--threads", "1",
                               "--json"], check=True, capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    auc = next(row["value"] for row in json.loads(done.stdout)["findings"] if (row["of"], row["name"]) == ("network", "auc"))
    print(LINE.format(f"PneumoniaMNIST, AUC {auc:.4f} (0.96 wanted)", f"{own:.1f}", "60", "yes" if own <= 60 and auc >= 0.96 else "NO",
                      "", "", ""), flush=True)


def main():
    build, *words = sys.argv[1:]
    quick, chosen = "--quick" in words, {word for word in words if not word.startswith("--")}
    bench = pathlib.Path(build) / "bench" / "prognosis_bench"
    print(LINE.format("seconds of one thread", "radseal", "target", "met", "peer", "peer's", "ratio"))
    with tempfile.TemporaryDirectory() as data:
        if not quick:
            subprocess.run([bench, "data", data], check=True)
        for work, title, turns, peer_turns, target in WORKS:
            if chosen and work not in chosen:
                continue
            own = float(subprocess.run([bench, work, str(turns)], check=True, capture_output=True, text=True).stdout)
            peers = [] if quick else list(peers_of(data, work, peer_turns))
            for name, seconds in peers or [("", None)]:
                print(LINE.format(title, f"{own:.4f}", f"{target:g}" if target else "", "" if not target else
                                  "yes" if own <= target else "NO", name, f"{seconds:.3f}" if seconds else "",
                                  f"{seconds / own:.1f}" if seconds else ""), flush=True)
    if not chosen or "pictures" in chosen:
        pictures(build)


main()
