"""Predictions and follow-up judged from the command line: `evaluate.py RADSEAL [DATA]`. Reference values are R's."""
import csv
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile


SHARES = ("survival", "incidence", "harrell_c", "uno_c", "auc", "observed_risk", "brier", "average_precision", "f1",
          "balanced_accuracy", "sensitivity", "specificity", "accuracy")


class Program:
    def __init__(self, path):
        self.path = str(pathlib.Path(path).resolve())

    def __call__(self, status, *arguments, sentence=""):
        done = subprocess.run([self.path, "evaluate", *map(str, arguments)], capture_output=True, text=True, timeout=120)
        assert done.returncode == status and sentence in done.stderr, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def findings(self, *arguments):
        rows = json.loads(self(0, *arguments, "--json"))
        for row in rows:  # no interval of a share leaves its range
            name = row["name"].split("_at_")[0].removesuffix("_bootstrap")
            if name in SHARES and "interval" in row:
                assert all(0 <= end <= 1 for end in row["interval"]), row
        return {(row["of"], row["name"]): row for row in rows}


def near(value, expected, tolerance=1e-8):
    assert abs(value - expected) <= tolerance * max(1e-3, abs(expected)), (value, expected)


def write_mgus2(data, path):
    with open(data / "prognosis/r_survival/mgus2.csv") as file, open(path, "w") as out:
        out.write("days,status,sex,age,old\n")
        for row in csv.DictReader(file):
            status = "pcm" if row["pstat"] == "1" else "death" if row["death"] == "1" else "alive"
            days = row["ptime"] if row["pstat"] == "1" else row["futime"]
            out.write(f"{days},{status},{row['sex']},{row['age']},{int(float(row['age']) > 75)}\n")


def check_competing(run, data, folder):
    table, reference = folder / "mgus2.csv", json.loads((data / "prognosis/reference/competing.json").read_text())
    write_mgus2(data, table)
    options = table, "--time", "days", "--event", "status", "--event-value", "pcm", "--censored", "alive"
    found = run.findings(*options, "--score", "age", "--group", "sex", "--times", "60,120,240,360")
    for time, states, errors in zip(reference["aj"]["times"], reference["aj"]["pstate"], reference["aj"]["std_err"]):
        for name, state, error in zip(["pcm", "death"], states[1:], errors[1:]):
            row = found[f"status = {name}", f"incidence_at_{time}"]
            near(row["value"], state)
            assert row["interval"][0] < state < row["interval"][1] < state + 3 * error
    for name, chi_square, p in zip(["pcm", "death"], reference["gray_test"]["stat"], reference["gray_test"]["pv"]):
        near(found[f"sex, status = {name}", "gray"]["value"], chi_square)
        near(found[f"sex, status = {name}", "gray"]["p"], p)
    ratio = found["age", "subdistribution_hazard_ratio_per_deviation"]
    assert ratio["value"] < 1 and ratio["interval"][1] < 1 and ratio["p"] < 0.01
    stratified = run.findings(*options, "--group", "old", "--strata", "sex")
    assert stratified["old, status = death", "gray"]["p"] < 1e-9


def check_times(run, data, folder):
    """Numbers of R's riskRegression 2022.11.28, as in src/survival/prediction_test.c."""
    table, times = folder / "lung.csv", (200, 365, 600)
    with open(data / "prognosis/r_survival/lung.csv") as file, open(table, "w") as out:
        out.write("days,died,age,score,s200,s365,s600\n")
        for row in csv.DictReader(file):
            if row["ph.ecog"] == "NA":
                continue
            score = 0.02 * (float(row["age"]) - 60) - 0.5 * (float(row["sex"]) - 1.5) + 0.45 * (float(row["ph.ecog"]) - 1)
            survival = (repr(math.exp(-time / 450 * math.exp(score))) for time in times)
            out.write(f"{row['time']},{int(row['status'] == '2')},{row['age']},{score!r},{','.join(survival)}\n")
    found = run.findings(table, "--time", "days", "--event", "died", "--score", "score", "--score", "age", "--times", "200,365,600",
                         "--survival", "s200,s365,s600")
    for time, auc, brier, none in zip(times, (0.676275741973421, 0.644638752887044, 0.659207360879976),
                                      (0.203100006389797, 0.227509627032545, 0.162473056384552),
                                      (0.216412232099961, 0.242086910302026, 0.168505835141538)):
        near(found["score", f"auc_at_{time}"]["value"], auc, 1e-3)  # rounding makes and breaks ties
        near(found[f"s{time}", f"auc_at_{time}"]["value"], auc)
        near(found[f"s{time}", f"brier_at_{time}"]["value"], brier)
        near(found[f"s{time}", f"brier_gained_at_{time}"]["value"], none - brier)
        near(found[f"s{time}", f"scaled_brier_at_{time}"]["value"], 1 - brier / none)
        assert found["score - age", f"auc_difference_at_{time}"]["p"] < 0.2
    near(found["s365", "ici_at_365"]["value"], 0.0285710244183698)
    whole = found["", "integrated_brier"]
    near(whole["value"], ((0.203100006389797 + 0.227509627032545) * 165 + (0.227509627032545 + 0.162473056384552) * 235) / 800)
    assert 0.17 < whole["interval"][0] < whole["value"] < whole["interval"][1] < 0.24
    run(2, table, "--time", "days", "--event", "died", "--times", "200", "--survival", "s200,s365", sentence="for each of the times")
    run(1, table, "--time", "days", "--event", "died", "--times", "200", "--survival", "age", sentence="no probability of survival")


def check_refusals(run, folder):
    table = folder / "small.csv"
    table.write_text("t,e,g,s\n1,1,a,3\n2,0,b,2\n3,1,a,1\n")
    survival = table, "--time", "t", "--event", "e"
    for options, sentence in [(("--times", "2,1"), "ascend"), (("--times", "1,x"), "numbers with commas"),
                              (("--times", ""), "needs a value"), (("--strata", "g"), "strata need groups"),
                              (("--times", ",".join(map(str, range(1, 40)))), "at most 32"),
                              (("--censored", "1"), "cannot stand for the event and for no event")]:
        run(2, *survival, *options, sentence=sentence)
    assert run.findings(*survival, "--times", "2,99")["", "survival_at_99"]["value"] is None


def check_partial(run, data):
    """pROC's auc(partial.auc = c(1, 0.9)), with and without partial.auc.correct."""
    reference = json.loads((data / "prognosis/reference/roc_delong_aSAH.json").read_text())
    found = run.findings(data / "prognosis/roc/aSAH.csv", "--class", "outcome", "--positive", "Poor", "--score", "s100b", "--specificity", "0.9")
    near(found["s100b", "partial_auc"]["value"], reference["pauc_spec_1_09"])
    near(found["s100b", "partial_auc_corrected"]["value"], reference["pauc_corrected"])
    run(2, data / "prognosis/roc/aSAH.csv", "--class", "outcome", "--score", "s100b", "--specificity", "1", sentence="below 1")


def check_odds(run, data):
    """R's glm of the same columns; a column told twice and one that separates have no ratio."""
    reference = json.loads((data / "prognosis/reference/logistic_calibration_aSAH.json").read_text())
    table, options = data / "prognosis/roc/aSAH.csv", ("--class", "outcome", "--positive", "Poor")
    found = run.findings(table, *options, "--covariates", "age,gender,s100b,ndka,wfns")
    names = {"age": "age", "gender = Male": "genderFemale", "s100b": "s100b", "ndka": "ndka", "wfns": "as.integer(wfns)"}
    for name, theirs in names.items():
        sign = -1 if theirs == "genderFemale" else 1
        near(found[name, "coefficient"]["value"], sign * reference["coef"][theirs])
        assert abs(found[name, "standard_error"]["value"] / reference["se"][theirs] - 1) < 1e-6, name
        low, high = found[name, "odds_ratio"]["interval"]
        assert low < found[name, "odds_ratio"]["value"] < high
    near(found["logistic", "deviance"]["value"], reference["deviance"])
    near(found["logistic", "aic"]["value"], reference["deviance"] + 12)
    assert run.findings(table, *options, "--covariates", "gos6", "--factors", "gos6")["logistic", "converged"]["value"] == 0
    assert "wfns = 5" in {of for of, _ in run.findings(table, *options, "--covariates", "wfns", "--factors", "wfns")}
    for more, sentence in [(("--factors", "wfns", "--score", "ndka"), "factors need covariates"), ((), "give 1 to 16 scores"),
                           (("--covariates", "age", "--report", "x.html"), "needs a score"), (("--covariates", "years"), "years")]:
        run(2, table, *options, *more, sentence=sentence)


def check_bootstrap(run, folder):
    """Each subject has two rows, nearly alike; drawing rows alone would take them for two subjects."""
    made, table = random.Random(4), folder / "twice.csv"
    with open(table, "w") as out:
        out.write("who,y,p,q,t\n")
        for i in range(120):
            p, q = made.random(), made.random()
            y, t = int(made.random() < p), made.expovariate(1 + p)
            out.writelines(f"s{i},{y},{p:.4f},{q:.4f},{t + 0.001 * k:.5f}\n" for k in range(2))
    options = table, "--class", "y", "--score", "p", "--score", "q", "--bootstrap", 400
    rows, subjects = run.findings(*options), run.findings(*options, "--subject", "who", "--threads", 2)
    for name in ("auc", "average_precision", "balanced_accuracy", "f1", "mcc", "brier"):
        narrow, wide = rows["p", f"{name}_bootstrap"], subjects["p", f"{name}_bootstrap"]
        assert narrow["value"] == wide["value"] and wide["interval"][0] < wide["value"] < wide["interval"][1], name
        near(wide["value"], rows["p", name]["value"])
        assert 1.15 < (wide["interval"][1] - wide["interval"][0]) / (narrow["interval"][1] - narrow["interval"][0]) < 1.8, name
    assert run.findings(*options, "--subject", "who", "--threads", 1) == subjects
    assert run.findings(*options, "--subject", "who", "--seed", 2) != subjects
    better = rows["p - q", "accuracy_difference"]
    near(better["value"], rows["p", "accuracy"]["value"] - rows["q", "accuracy"]["value"])
    assert better["value"] > 0.1 and better["p"] < 0.05, better
    found = run.findings(table, "--time", "t", "--event", "y", "--score", "p", "--bootstrap", 200, "--subject", "who")
    for name in ("harrell_c", "uno_c"):
        low, high = found["p", f"{name}_bootstrap"]["interval"]
        assert low < found["p", name]["value"] < high
    run(2, *options[:-1], 5, sentence="100 to 100000")
    run(2, table, "--class", "y", "--score", "p", "--subject", "who", sentence="say how often")


def check_degenerate(run, folder):
    """A sentence, or findings; no number that JSON does not have."""
    table = folder / "odd.csv"
    for name, rows in [("nobody", []), ("one", [(5, 1, 0.5, "a")]), ("one censored", [(5, 0, 0.5, "a")]),
                       ("no event", [(i, 0, 0.5, "ab"[i % 2]) for i in range(6)]),
                       ("one time", [(3, 1, i / 6, "ab"[i % 2]) for i in range(6)]),
                       ("ties", [(2, "102"[i % 3], 0.5, "ab"[i % 2]) for i in range(6)]),
                       ("rivals only", [(i, 2, i / 6, "ab"[i % 2]) for i in range(6)]),
                       ("separated", [(9 - i, int(i > 3), int(i > 3), "ab"[i > 3]) for i in range(8)]),
                       ("a group each", [(i, 1, i / 6, i) for i in range(6)]),
                       ("negative times", [(i - 9, i % 2, i / 6, "a") for i in range(6)])]:
        table.write_text("t,e,s,g\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
        for options in [("--time", "t", "--event", "e", "--group", "g", "--times", "1,3,99", "--survival", "s,s,s"),
                        ("--time", "t", "--event", "e", "--censored", "0", "--group", "g", "--strata", "g", "--times", "2", "--bootstrap", "100"),
                        ("--class", "e", "--bootstrap", "100"), ("--class", "e", "--positive", "2", "--threshold", "0.5")]:
            done = subprocess.run([run.path, "evaluate", table, *options, "--score", "s", "--json"], capture_output=True, text=True,
                                  timeout=60)
            assert done.returncode in (0, 1, 2, 4), (name, options, done)
            if done.returncode:
                assert done.stderr.startswith("radseal: ") and done.stderr.count("\n") == 1, (name, options, done)
            else:
                json.loads(done.stdout, parse_constant=lambda word: 1 / 0)


def main():
    run = Program(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        check_refusals(run, folder)
        check_degenerate(run, folder)
        check_bootstrap(run, folder)
        if len(sys.argv) > 2:
            check_competing(run, pathlib.Path(sys.argv[2]), folder)
            check_times(run, pathlib.Path(sys.argv[2]), folder)
            check_partial(run, pathlib.Path(sys.argv[2]))
            check_odds(run, pathlib.Path(sys.argv[2]))


main()
