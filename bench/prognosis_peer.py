"""Peers of bench/prognosis in Python: `prognosis_peer.py FOLDER WORK TURNS` prints package and version, tab, seconds of the
processor (median). Ends with status 3 where a package is not installed."""
import csv
import pathlib
import statistics
import sys
import time

try:
    import sklearn
    from sklearn.ensemble import RandomForestClassifier
except ImportError:
    sys.exit(3)

folder, work, turns = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])


def table(name):
    with open(folder / f"{name}.csv") as file:
        rows = list(csv.reader(file))[1:]
    return [[float(cell) for cell in row[2:]] for row in rows], [int(row[1]) for row in rows]


def timed(run):
    seconds = []
    for _ in range(turns):
        begin = time.process_time()
        run()
        seconds.append(time.process_time() - begin)
    print(f"scikit-learn {sklearn.__version__}\t{statistics.median(seconds):.6f}")


def forest():
    x, y = table("radiomics")
    timed(lambda: RandomForestClassifier(500, n_jobs=1, random_state=1).fit(x, y))


WORKS = {"forest": forest}
if work not in WORKS:
    sys.exit(3)
WORKS[work]()
