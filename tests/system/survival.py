"""Curves, tests and regressions from the command line: `survival.py RADSEAL [DATA]`. Reference values are those of R 4.2 with
survival 3.5.3 and cmprsk 2.2.11 (the calls stand beside them)."""
import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree


class Program:
    def __init__(self, path):
        self.path = str(pathlib.Path(path).resolve())

    def __call__(self, status, *arguments, sentence=""):
        done = subprocess.run([self.path, "survival", *map(str, arguments)], capture_output=True, text=True, timeout=60)
        assert done.returncode == status and sentence in done.stderr, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def findings(self, *arguments):
        rows = json.loads(self(0, *arguments, "--json"))
        found = {(row["of"], row["name"]): row for row in rows}
        assert len(found) == len(rows), "two findings of one name"
        return found


def near(value, expected, tolerance=1e-8):
    assert abs(value - expected) <= tolerance * max(1e-3, abs(expected)), (value, expected)


def same(row, value, interval=None, p=None):
    near(row["value"], value)
    for end, expected in zip(row["interval"], interval) if interval else []:
        near(end, expected)
    if p is not None:
        near(row["p"], p, 1e-6)


def check_groups(run, data):
    """survfit(Surv(time, status == 2) ~ sex, lung, conf.type = "logit"): summary(times =), summary(rmean = 365)."""
    found = run.findings(data / "r_survival/lung.csv", "--time", "time", "--event", "status", "--event-value", 2, "--group", "sex",
                         "--times", "200,365", "--tau", 365, "--interval", "logit")
    for sex, time, at_risk, survival, lower, upper, hazard in (
            (1, 200, 78, 0.607307235417155, 0.523337293320339, 0.685377766754205, 0.495215948404162),
            (1, 365, 35, 0.336087834639379, 0.256888606901163, 0.425716085542243, 1.080255217129636),
            (2, 200, 66, 0.794593489487731, 0.697095369004600, 0.866709752938155, 0.228287613615646),
            (2, 365, 30, 0.526463030185906, 0.410065948415241, 0.640053188341561, 0.634789284547899)):
        same(found[f"sex = {sex}", f"survival_at_{time}"], survival, (lower, upper))
        assert found[f"sex = {sex}", f"at_risk_at_{time}"]["value"] == at_risk
        same(found[f"sex = {sex}", f"cumulative_hazard_at_{time}"], hazard)
    same(found["sex = 1", "restricted_mean"], 241.495085192057)
    same(found["sex = 2", "restricted_mean"], 297.465409532037)
    same(found["sex = 2 - sex = 1", "restricted_mean_difference"], 55.9703243399798, (26.6529363773313, 85.2877123026282),
         1.82706461311161e-04)
    same(found["sex = 2 / sex = 1", "restricted_mean_ratio"], 1.231765894098704, (1.103343390562059, 1.375136001033977),
         0.000206761222503229)
    reference = json.loads((data / "reference/logrank.json").read_text())
    for name, key in (("log_rank", "lung_sex"), ("peto", "lung_sex_peto")):
        same(found["sex", name], reference[key]["chisq"], p=reference[key]["p"])
    found = run.findings(data / "r_survival/veteran.csv", "--time", "time", "--event", "status", "--group", "trt", "--strata", "celltype")
    same(found["trt", "log_rank"], reference["veteran_trt_strat_celltype"]["chisq"], p=reference["veteran_trt_strat_celltype"]["p"])


def check_reference(run, data):
    """coxph.json and km.json through the command: hazard ratios with intervals, p, tests, concordance, survival at times."""
    reference = json.loads((data / "reference/coxph.json").read_text())
    lung = "lung.csv", "--time", "time", "--event", "status", "--event-value", 2, "--covariates"
    for name, options in (("lung_age_sex_ecog_efron", (*lung, "age,sex,ph.ecog")), ("lung_sex", (*lung, "sex")),
                          ("lung_age_sex_ecog_breslow", (*lung, "age,sex,ph.ecog", "--ties", "breslow")),
                          ("heart_start_stop", ("heart.csv", "--start", "start", "--time", "stop", "--event", "event", "--covariates",
                                                "age,year,surgery,transplant")),
                          ("kidney_cluster", ("kidney.csv", "--time", "time", "--event", "status", "--covariates", "age,sex"))):
        want, found = reference[name], run.findings(data / "r_survival" / options[0], *options[1:])
        for at, of in enumerate(want["coef"]):
            pick = (lambda value: value[at] if isinstance(value, list) else value[of])
            same(found[of, "coefficient"], want["coef"][of])
            same(found[of, "standard_error"], pick(want["se"]))
            same(found[of, "hazard_ratio"], found[of, "hazard_ratio"]["value"], [pick(want["hr_ci"][end]) for end in ("lower", "upper")],
                 pick(want["p"]))
        same(found["cox", "concordance"], want["concordance"])
        near(found["cox", "log_likelihood"]["value"], want["loglik"][1])
        near(2 * found["cox", "degrees_of_freedom"]["value"] - 2 * found["cox", "log_likelihood"]["value"], want["aic"])
        for test, key in (("likelihood_ratio", "lrt"), ("score", "score")):
            same(found["cox", test], want[key][0], p=want[key][2])
    want = json.loads((data / "reference/km.json").read_text())["lung_sex_at_times_loglog"]
    found = run.findings(data / "r_survival/lung.csv", "--time", "time", "--event", "status", "--event-value", 2, "--group", "sex", "--times",
                         "90,180,365,730")
    for group, time, survival, lower, upper, at_risk in zip(*(want[key] for key in ("strata", "time", "surv", "lower", "upper", "n_risk"))):
        of = group.replace("=", " = ")
        same(found[of, f"survival_at_{time}"], survival, (lower, upper))
        assert found[of, f"at_risk_at_{time}"]["value"] == at_risk


def check_intervals(run, data):
    """All five scales of intervals, at every time of lung."""
    reference = json.loads((data / "reference/km.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        curve = pathlib.Path(folder) / "curve.csv"
        for scale in ("log", "log-log", "plain", "logit", "arcsin"):
            run(0, data / "r_survival/lung.csv", "--time", "time", "--event", "status", "--event-value", 2, "--interval", scale, "--curves",
                curve)
            want = reference[f"lung_all_{scale}"]
            rows = list(csv.DictReader(curve.open()))
            assert len(rows) == len(want["time"]) > 180
            for name, key in (("time", "time"), ("at_risk", "n_risk"), ("events", "n_event"), ("survival", "surv"), ("lower", "lower"),
                              ("upper", "upper"), ("cumulative_hazard", "cumhaz_na"), ("cumulative_hazard_error", "std_chaz")):
                for row, value in zip(rows, want[key]):
                    if row[name] and value not in (None, "NA"):
                        near(float(row[name]), float(value))


def check_periods(run, data, folder):
    """coxph(Surv(start, stop, event) ~ age + surgery + strata(transplant), heart, cluster = id), cox.zph(transform = "rank"),
    survfit(newdata = data.frame(age = 0, surgery = 1)), residuals()."""
    residuals = folder / "residuals.csv"
    found = run.findings(data / "r_survival/heart.csv", "--start", "start", "--time", "stop", "--event", "event", "--covariates",
                         "age,surgery", "--strata", "transplant", "--cluster", "id", "--trend", "rank", "--at", "age=0,surgery=1", "--times",
                         "50,100", "--residuals", residuals)
    same(found["age", "coefficient"], 0.0321252443538)
    same(found["age", "standard_error"], 0.0140678101087)
    same(found["surgery", "standard_error"], 0.3343585464355)
    same(found["surgery", "hazard_ratio"], 0.4632634639014, (0.240558961056, 0.892143182046))
    same(found["cox", "concordance"], 0.608831254103743)
    near(found["cox", "wald"]["p"], 0.0036368339, 1e-7)
    for of, chi_square, p in (("age", 0.69254328836427415, 0.405300658943032), ("surgery", 0.00749150890547944, 0.931026426251332),
                              ("cox", 0.70531337354915125, 0.702818438828617)):
        same(found[of, "proportionality"], chi_square, p=p)
    for stratum, time, survival, lower, upper in ((0, 50, 0.786259501838442, 0.656798431773498, 0.941238551014731),
                                                  (0, 100, 0.720906631407583, 0.557962077618617, 0.931436726713643),
                                                  (1, 50, 0.824797157436565, 0.685212949533252, 0.992815957986249),
                                                  (1, 100, 0.671525133651080, 0.500165075213523, 0.901594348491026)):
        same(found[f"age=0,surgery=1, transplant = {stratum}", f"predicted_survival_at_{time}"], survival, (lower, upper))
    rows = list(csv.DictReader(residuals.open()))
    assert len(rows) == 172 and rows[0]["line"] == "2"
    for row, martingale, deviance in zip(rows, (0.7008552920215, 0.8679638810251, -0.0135788242721),
                                         (1.005954827489660, 1.520996965284747, -0.164795778296151)):
        near(float(row["martingale"]), martingale)
        near(float(row["deviance"]), deviance)


def check_factors(run, data, folder):
    """coxph(Surv(time, status) ~ factor(celltype) + karno + age + strata(trt), veteran), survreg(dist = "weibull")."""
    page, image = folder / "page.html", folder / "curves.svg"
    table = data / "r_survival/veteran.csv", "--time", "time", "--event", "status"
    found = run.findings(*table, "--covariates", "celltype,karno,age", "--strata", "trt", "--report", page, "--group", "celltype")
    for level, value, error in (("large", -0.80776299349100145, 0.30242527420007120), ("smallcell", -0.32057379453398216, 0.27015541230755846),
                                ("squamous", -1.17492022107892291, 0.31030798461169490)):
        same(found[f"celltype = {level}", "coefficient"], value)
        same(found[f"celltype = {level}", "standard_error"], error)
    near(found["celltype", "wald"]["value"], 16.9224160445341)
    for of, chi_square in (("celltype", 11.75643572644041), ("karno", 14.07348659107130), ("age", 1.97045805745412), ("cox", 26.60596117472167)):
        same(found[of, "proportionality"], chi_square)
    near(found["celltype", "log_rank"]["p"], 4.48336908e-05, 1e-6)
    tree.fromstring(page.read_text().split("\n", 1)[1])
    assert all(text in page.read_text() for text in ("Hazard ratios", "Kaplan–Meier", "log-rank p", "celltype = large"))
    run(0, *table, "--group", "celltype", "--report", image)
    root = tree.parse(image).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and "squamous" in image.read_text()
    found = run.findings(*table, "--covariates", "karno,age", "--parametric", "weibull", "--at", "age=50,karno=60", "--times", 100)
    near(found["intercept", "time_coefficient"]["value"], 2.65714676208019)
    near(found["parametric", "scale"]["value"], 1.022418266, 1e-8)
    same(found["age=50,karno=60", "parametric_median"], 79.0989320158094, (61.2602097112007, 102.1322172342757))
    for name, median in (("weibull", 3.81916003052811), ("exponential", 3.73494910939763), ("rayleigh", 4.06702857747958),
                         ("log-normal", 3.57886202870588), ("log-logistic", 3.50299182736849)):
        found = run.findings(data / "r_survival/aml.csv", "--time", "time", "--event", "status", "--covariates", "x", "--parametric", name,
                             "--times", 20, "--at", "x=Maintained")
        near(found["x=Maintained", "parametric_median"]["value"], 2.718281828459045**median)


def check_competing(run, data, folder):
    """cmprsk's crr(etime, status, cbind(age, sex == "M")) and survival's coxph(finegray(…), cluster = id) of mgus2."""
    table = folder / "mgus2.csv"
    with open(data / "r_survival/mgus2.csv") as file, open(table, "w") as out:
        out.write("days,status,sex,age\n")
        for row in csv.DictReader(file):
            status = "pcm" if row["pstat"] == "1" else "death" if row["death"] == "1" else "alive"
            out.write(f"{row['ptime'] if row['pstat'] == '1' else row['futime']},{status},{row['sex']},{row['age']}\n")
    options = table, "--time", "days", "--event", "status", "--event-value", "pcm", "--censored", "alive", "--covariates", "age,sex"
    reference = json.loads((data / "reference/competing.json").read_text())["finegray"]
    found = run.findings(*options, "--ties", "breslow", "--times", "120,240", "--at", "age=70,sex=M")
    for of, name, error in (("age", "age", reference["se"][0]), ("sex = M", "sexM", reference["se"][1])):
        near(found[of, "subdistribution_coefficient"]["value"], reference["coef"][name], 1e-7)  # crr stops at a gradient of 1e-6
        near(found[of, "subdistribution_standard_error"]["value"], error, 1e-7)
    near(found["fine_gray", "log_likelihood"]["value"], reference["loglik"])
    near(found["age=70,sex=M", "predicted_incidence_at_120"]["value"], 0.0554351568764464, 1e-7)
    near(found["age=70,sex=M", "predicted_incidence_at_240"]["value"], 0.0869243197400675, 1e-7)
    same(found["age", "cause_specific_coefficient"], 0.0130377951520864)
    found = run.findings(*options)
    near(found["age", "subdistribution_coefficient"]["value"], -0.017301705075068, 1e-7)
    near(found["age", "subdistribution_standard_error"]["value"], 0.00570293163538402, 1e-7)
    run(2, *options, "--tau", 100, sentence="restricted means are of one event")


def check_refusals(run, folder):
    table = folder / "small.csv"
    table.write_text("s,t,e,g,x,w\n0,1,1,a,3,u\n1,2,0,b,2,v\n0,3,1,a,\"1,5\",u\n2,2,1,b,1,v\n")
    options = table, "--time", "t", "--event", "e"
    for more, sentence in ((("--covariates", "x"), "line 4, column x: a decimal comma"), (("--start", "s"), "line 5: the start 2 is not before"),
                           (("--strata", "g"), "strata need groups or covariates"), (("--residuals", "r"), "need covariates"),
                           (("--covariates", "nothing"), "has no column nothing; it has s, t"),
                           (("--covariates", "w", "--at", "w=u"), "predictions need covariates and times"),
                           (("--covariates", "w", "--at", "w=z", "--times", "1"), "no row of the table has this value"),
                           (("--covariates", "w", "--at", "x=1", "--times", "1"), "must name the covariate w once"),
                           (("--covariates", "w", "--at", "w=u,x=1", "--times", "1"), "names 2 columns; there are 1"),
                           (("--covariates", "w", "--factors", "x"), "the factor x is no covariate"), (("--trend", "up"), "not one of km, rank"),
                           (("--tau", "-1"), "a time above 0"), (("--level", "2"), "between 0 and 1")):
        run(1 if sentence.startswith("line") else 2, *options, *more, sentence=sentence)
    run(0, *options, "--tau", "9")  # the last event takes the curve to 0: nothing lies behind it
    table.write_text("t,e,g\n1,1,a\n2,0,b\n3,1,a\n4,0,b\n")
    run(2, *options, "--group", "g", "--tau", "9", sentence="of g = b nobody was seen after 4")
    run(2, table, "--time", "t", sentence="give a time and an event")


def check_degenerate(run, folder):
    """A sentence, or findings; no number that JSON does not have."""
    table = folder / "odd.csv"
    for name, rows in (("nobody", []), ("one", [(0, 5, 1, 0.5, "a")]), ("one censored", [(0, 5, 0, 0.5, "a")]),
                       ("no event", [(0, i + 1, 0, 0.5, "ab"[i % 2]) for i in range(6)]),
                       ("one time", [(0, 3, 1, i / 6, "ab"[i % 2]) for i in range(6)]),
                       ("constant", [(0, i + 1, 1, 7, "a") for i in range(6)]), ("NaN", [(0, "NaN", 1, "nan", "a")] * 3),
                       ("infinite", [(0, "inf", 1, 3, "a"), (0, 2, 1, 3, "b")]),
                       ("separated", [(0, 9 - i, 1, i, "ab"[i > 3]) for i in range(8)]),
                       ("a group each", [(0, i + 1, 1, i / 6, i) for i in range(6)]),
                       ("backwards", [(4, i + 1, 1, i / 6, "a") for i in range(6)]),
                       ("negative", [(-9, i - 6, i % 2, i * i / 6, "ab"[i % 2]) for i in range(6)]),
                       ("huge", [(0, 1e300 * (i + 1), 1, 1e300 * i * i, "ab"[i % 2]) for i in range(6)])):
        table.write_text("s,t,e,x,g\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
        for options in (("--group", "g", "--times", "1,3,99"), ("--group", "g", "--covariates", "x,g", "--strata", "g"),
                        ("--covariates", "x,g", "--start", "s", "--cluster", "g", "--trend", "log", "--residuals", folder / "r.csv"),
                        ("--covariates", "x", "--factors", "x", "--parametric", "log-normal", "--curves", folder / "c.csv"),
                        ("--parametric", "logistic", "--times", "2", "--report", folder / "r.html", "--group", "g"),
                        ("--censored", "0", "--covariates", "x", "--times", "2", "--at", "x=1", "--report", folder / "r.svg")):
            done = subprocess.run([run.path, "survival", table, "--time", "t", "--event", "e", *options, "--json"], capture_output=True,
                                  text=True, timeout=60)
            assert done.returncode in (0, 1, 2, 4), (name, options, done)
            if done.returncode:
                assert done.stderr.startswith("radseal: ") and done.stderr.count("\n") == 1, (name, options, done)
            else:
                json.loads(done.stdout, parse_constant=lambda word: 1 / 0)
    table.write_text("t,e,x,y\n" + "".join(f"{9 - i},1,{i},{(i * 5) % 7}\n" for i in range(9)))
    found = run.findings(table, "--time", "t", "--event", "e", "--covariates", "x,y")
    assert found["cox", "converged"]["value"] == 0 and found["x", "hazard_ratio"]["value"] is None, found["x", "hazard_ratio"]


def main():
    run = Program(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        check_refusals(run, folder)
        check_degenerate(run, folder)
        if len(sys.argv) > 2:
            data = pathlib.Path(sys.argv[2]) / "prognosis"
            check_reference(run, data)
            check_groups(run, data)
            check_intervals(run, data)
            check_periods(run, data, folder)
            check_factors(run, data, folder)
            check_competing(run, data, folder)


main()
