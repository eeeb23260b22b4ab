"""Peers of bench/prognosis in Python: `prognosis_peer.py FOLDER WORK TURNS` prints package and version, tab, seconds of the
processor (median). Ends with status 3 where a package is not installed."""
import csv
import pathlib
import statistics
import sys
import time

try:
    import numpy as np
    import sklearn
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.svm import SVC
except ImportError:
    sys.exit(3)

folder, work, turns = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])


def table(name):
    with open(folder / f"{name}.csv") as file:
        rows = list(csv.reader(file))[1:]
    return [[float(cell) for cell in row[2:]] for row in rows], [int(row[1]) for row in rows]


def timed(run, package=sklearn):
    seconds = []
    for _ in range(turns):
        begin = time.process_time()
        run()
        seconds.append(time.process_time() - begin)
    print(f"{package.__name__} {package.__version__}\t{statistics.median(seconds):.6f}")


def forest():
    x, y = table("radiomics")
    timed(lambda: RandomForestClassifier(500, n_jobs=1, random_state=1).fit(x, y))


def reasons():
    import shap
    x, y = table("radiomics")
    timed(lambda: shap.TreeExplainer(RandomForestClassifier(500, n_jobs=1, random_state=1).fit(x, y)).shap_values(np.array(x)), shap)


def xgboost():
    import xgboost as package
    x, y = table("radiomics")
    options = {"objective": "binary:logistic", "tree_method": "exact", "max_depth": 4, "eta": 0.05, "nthread": 1}
    timed(lambda: package.train(options, package.DMatrix(x, y, nthread=1), 200), package)


def svm():
    x, y = table("radiomics")
    timed(lambda: SVC(gamma="auto", probability=True).fit(x, y))


WORKS = {"forest": forest, "reasons": reasons, "xgboost": xgboost, "svm": svm}
if work not in WORKS:
    sys.exit(3)
try:
    WORKS[work]()
except ImportError:
    sys.exit(3)
