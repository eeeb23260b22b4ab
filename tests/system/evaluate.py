"""Predictions and follow-up judged from the command line: `evaluate.py RADSEAL [DATA]`. Reference values are R's."""
import csv
import json
import pathlib
import subprocess
import sys
import tempfile


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
            if row["name"].split("_at_")[0] in ("survival", "incidence", "harrell_c", "uno_c", "auc", "observed_risk") and "interval" in row:
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


def main():
    run = Program(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        check_refusals(run, folder)
        if len(sys.argv) > 2:
            check_competing(run, pathlib.Path(sys.argv[2]), folder)


main()
