"""Models trained and used from the command line: `prognosis.py RADSEAL [DATA]`.

A made-up study whose truth is known; the real tasks of real_tasks_cv.json with the same folds, where DATA is there."""
import csv
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile


class Program:
    def __init__(self, path):
        self.path = str(pathlib.Path(path).resolve())

    def __call__(self, status, *arguments, sentence=""):
        done = subprocess.run([self.path, *map(str, arguments)], capture_output=True, text=True, timeout=300)
        assert done.returncode == status and sentence in done.stderr, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def train(self, study, model, *options):
        return json.loads(self(0, "train", study, "-o", model, "--json", *options))

    def predict(self, *arguments):
        return list(csv.DictReader(io.StringIO(self(0, "predict", *arguments))))


def finding(report, of, name):
    return next(row for row in report["findings"] if (row["of"], row["name"]) == (of, name))


def write_tables(folder, rows=160):
    """The outcome follows f1 and the place; volume says a little; f9 repeats f1; f8 is constant."""
    made = random.Random(7)
    with open(folder / "features.csv", "w") as features, open(folder / "clinic.csv", "w") as clinic:
        features.write("id,f1,f2,f3,f8,f9,volume\n")
        clinic.write("place,age,id,late,days,died,hospital\n")
        for i in range(rows):
            f = [made.gauss(0, 1) for _ in range(3)]
            place = made.choice(["head", "tail", ""])
            late = f[0] + (1 if place == "head" else 0) + made.gauss(0, 0.7) > 0.3
            gap = "" if i % 17 == 3 else f"{f[1]:.4f}"
            features.write(f"s{i},{f[0]:.5f},{gap},{f[2]:.4f},1,{2 * f[0]:.5f},{f[0] + made.gauss(0, 2):.4f}\n")
            days, seen = made.expovariate(0.01 * 2.0 ** f[0]), made.uniform(20, 300)
            clinic.write(f"{place},{made.randint(30, 80)},s{i},{'yes' if late else 'no'},{min(days, seen):.2f},"
                         f"{int(days <= seen)},h{i % 3}\n")


STUDY = """tables: [features.csv, clinic.csv]
id: id
target: {%s}
features: {made: ["f*"]}
clinical: [place, age]
categorical: [place]
volume: [volume]
model: {forest: {trees: 60}}
seed: 5
"""
CLASS, SURVIVAL = "class: {column: late, positive: 'yes'}", "survival: {time: days, event: died}"


def check_classes(run, folder):
    study, model = folder / "class.yaml", folder / "class.model"
    study.write_text(STUDY % CLASS)
    report = run.train(study, model, "--threads", 1, "--report", folder / "class.json")
    assert json.loads((folder / "class.json").read_text()) == report
    assert finding(report, "model", "auc")["value"] > 0.8 and "beats the" in report["verdict"], report["verdict"]
    assert [row["of"] for row in report["findings"] if row["name"] == "importance"][0] in ("f1", "f9")
    for control in ("permuted_outcomes", "shuffled_features"):
        assert finding(report, control, "auc")["value"] < finding(report, "model", "auc")["value"] - 0.1
    first = model.read_bytes()
    assert run.train(study, model, "--threads", 3) == report and model.read_bytes() == first
    rows = run.predict(model, folder / "features.csv", folder / "clinic.csv")
    assert len(rows) == 160 and {row["model"] for row in rows} == {report["model"]}
    assert sum(int(row["missing"]) for row in rows) > 9 and all(0 <= float(row["probability"]) <= 1 for row in rows)
    assert sum(row["reason_1"] in ("f1", "f9") for row in rows) > 100, [row["reason_1"] for row in rows]
    rows = json.loads(run(0, "predict", model, folder / "features.csv", folder / "clinic.csv", "--json", "--reasons", 99))
    bases = [row["probability"] - sum(reason["adds"] for reason in row["reasons"]) for row in rows]
    assert max(bases) - min(bases) < 1e-9, bases
    assert "reason_1" not in run.predict(model, folder / "features.csv", folder / "clinic.csv", "--reasons", 0)[0]
    rows = run.predict(model, folder / "features.csv", folder / "clinic.csv")
    known = list(csv.DictReader(open(folder / "clinic.csv")))
    hit = sum((row["positive"] == "1") == (true["late"] == "yes") for row, true in zip(rows, known))
    covered = sum(row["set"] in ("both", "positive" if true["late"] == "yes" else "negative") for row, true in zip(rows, known))
    assert hit > 130 and covered >= 144, (hit, covered)
    return study, model


def check_survival(run, folder):
    study, model = folder / "survival.yaml", folder / "survival.model"
    study.write_text(STUDY % SURVIVAL + "validate: centre\ncentre: hospital\nrepeats: 2\n")
    report = run.train(study, model)
    assert finding(report, "model", "concordance")["value"] > 0.6, report
    rows = json.loads(run(0, "predict", model, folder / "features.csv", folder / "clinic.csv", "--horizon", 30, "--horizon",
                          1e9, "--json"))
    assert all(0 <= row["survival"]["1000000000.0"] <= row["survival"]["30"] <= 1 and 0 <= row["risk_rank"] <= 1 for row in rows)
    for row in rows:
        low, high = row["survival_interval"]["30"]
        assert 0 <= low < row["survival"]["30"] < high <= 1, row
    times = {row["id"]: (float(row["days"]), row["died"] == "1") for row in csv.DictReader(open(folder / "clinic.csv"))}
    bounds = {row["id"]: row["time_at_least"] for row in rows}
    early = sum(died and days < bounds[name] for name, (days, died) in times.items())
    assert early <= 0.1 * len(times) and len(set(bounds.values())) > 5, (early, bounds)  # events in sight: at most 1 - coverage
    later = run.predict(model, folder / "features.csv", folder / "clinic.csv", "--coverage", 0.5)
    assert all(float(row["time_at_least"]) >= bounds[row["id"]] for row in later)
    assert {row["time_at_least"] for row in run.predict(model, folder / "features.csv", folder / "clinic.csv", "--coverage", 0.999)} == {""}


def check_candidates(run, folder):
    """Inner folds choose; every choice is told; whatever was chosen predicts."""
    tables = [folder / "features.csv", folder / "clinic.csv"]
    for target, steps, models, candidates in [
            (CLASS, "[near_zero, univariate: {p: 0.5, keep: [1, 3]}]", "[ridge: {penalty: [0.1, 100]}, forest: {trees: 20}]", 6),
            (CLASS, "[combat: {preserve: place}, impute: nearest, scale: [robust, power], mrmr: 4, rfe: {keep: 2}]", "ridge", 2),
            (SURVIVAL, "{keep: 4}", "[cox, forest: {trees: [10, 20]}]", 3), (SURVIVAL, "[]", "cox", 1),
            (CLASS, "[]", "{network: {members: 3, epochs: [5, 20], units: 8}}", 2), (SURVIVAL, "[]", "{network: {epochs: 10}}", 1),
            (CLASS, "{keep: 4}", "svm", 1), (CLASS, "gaps", "{xgboost: {rounds: 30}}", 1),
            (CLASS, "{keep: 4}", "[svm: {kernel: [rbf, linear]}, xgboost: {rounds: 30, early_stopping_rounds: 5}]", 3),
            (SURVIVAL, "[]", "{xgboost: {survival: [cox, aft], rounds: 30}}", 2)]:
        study, model = folder / "choice.yaml", folder / "choice.model"
        study.write_text((STUDY % target).replace("model: {forest: {trees: 60}}", f"steps: {steps}\nmodel: {models}\ninner_folds: 3\ncentre: hospital\nmark_gaps: [f2, volume]"))
        report = run.train(study, model, "--threads", 1)
        first = model.read_bytes()
        assert run.train(study, model, "--threads", 3) == report and model.read_bytes() == first
        chosen = [row["value"] for row in report["findings"] if row["name"] == "chosen"]
        assert len(chosen) == (candidates if candidates > 1 else 0) and (not chosen or abs(sum(chosen) - 1) < 1e-9), chosen
        if target == CLASS:
            assert all(0 < float(row["probability"]) < 1 for row in run.predict(model, *tables))
            if models == "svm":
                run(2, "predict", model, *tables, "--reasons", 2, sentence="cannot tell")
        else:
            rows = run.predict(model, *tables, "--horizon", 100, "--horizon", 10)
            assert all(0 < float(row["survival_100"]) <= float(row["survival_10"]) <= 1 for row in rows)


def check_several(run, folder):
    """Three classes by name and in order; two of them are a binary target; what is rare can be weighed."""
    made = random.Random(11)
    with open(folder / "stages.csv", "w") as table:
        table.write("id,a,b,stage\n")
        for i in range(90):
            a = made.gauss(0, 1)
            stage = "I" if a < -0.3 else "II" if a + made.gauss(0, 0.4) < 1 else "III"
            table.write(f"s{i},{a:.4f},{made.gauss(0, 1):.4f},{stage}\n")
    study, model = folder / "stages.yaml", folder / "stages.model"
    told = {}
    for target, more in [("classes: {column: stage}", "model: {forest: {trees: 50}}"), ("classes: {column: stage}", "model: ridge"),
                         ("classes: {column: stage}", "model: [svm, xgboost: {rounds: 20}]"),
                         ("ordinal: {column: stage, levels: [I, II, III]}", "model: [ridge, forest: {trees: 20}]\nweights: balanced")]:
        study.write_text(f"tables: stages.csv\nid: id\ntarget: {{{target}}}\nfeatures: {{m: [a, b]}}\nvolume: b\nfolds: 3\n{more}\n")
        report = run.train(study, model)
        told[more] = finding(report, "model", "ordinal_c")["value"]
        assert told[more] > 0.8 and finding(report, "model", "hand_till")["value"] > 0.8 and "beats" in report["verdict"], report
        rows = run.predict(model, folder / "stages.csv")
        hit = sum(row["class"] == true["stage"] for row, true in zip(rows, csv.DictReader(open(folder / "stages.csv"))))
        assert hit > 65 and all(abs(sum(float(row[f"probability_{k}"]) for k in ("I", "II", "III")) - 1) < 1e-9 for row in rows), hit
        covered = sum(true["stage"] in row["set"].split("|") for row, true in zip(rows, csv.DictReader(open(folder / "stages.csv"))))
        assert covered >= 80, covered
    first = json.loads(run(0, "predict", model, folder / "stages.csv", "--json"))[0]
    assert set(first["probabilities"]) == {"I", "II", "III"} and first["class"] in first["probabilities"]
    for old, new, sentence in [("[I, II, III]", "[I, II]", "'III' is none of the study's levels"), ("[ridge,", "[cox,", "cox cannot learn"),
                               ("[I, II, III]", "[I]", "2 to 64 levels"), (", levels: [I, II, III]", "", "lists its levels"),
                               ("[I, II, III]", "[I, II, III, IV]", "class 'IV'")]:
        (folder / "bad.yaml").write_text(study.read_text().replace(old, new))
        done = subprocess.run([run.path, "train", folder / "bad.yaml", "-o", folder / "bad.model"], capture_output=True, text=True)
        assert done.returncode in (1, 4) and sentence in done.stderr, (new, done.stderr)


def check_schemes(run, folder):
    """A split, the .632+ bootstrap and permutations beside cross-validation; centres that differ are told."""
    study, model = folder / "scheme.yaml", folder / "scheme.model"
    more = "centre: hospital\nsplit: 0.8\nbootstrap: 20\npermutations: 19\nvalidate: %s\nfolds: 3\n"
    for target, validate, name in [(CLASS, "subject", "auc"), (SURVIVAL, "centres", "concordance")]:
        study.write_text(STUDY % target + more % validate)
        report = run.train(study, model, "--threads", 1)
        assert run.train(study, model, "--threads", 3) == report
        value = {found: finding(report, "model", found)["value"] for found in (name, "apparent", "bootstrap_left_out", "bootstrap_632_plus")}
        assert value["bootstrap_left_out"] < value["bootstrap_632_plus"] < value["apparent"], value
        permutation = finding(report, "model", "permutation")
        assert permutation["p"] == 1 / 20 and abs(permutation["value"] - value[name]) < 1e-12, permutation
        split = finding(report, "split", name)
        assert finding(report, "split", "training_rows")["value"] == 128 and split["interval"][0] < split["value"] < split["interval"][1]
        assert any("the number to quote" in sentence for sentence in report["warnings"])
        assert all(finding(report, f"h{k}", "told_apart")["interval"][0] < 0.7 for k in range(3))
        assert finding(report, "split", "shifted_columns")["value"] == 0 and finding(report, "split", "largest_shift")["p"] > 1e-3
    clinic = (folder / "clinic.csv").read_text().splitlines()
    made = random.Random(2)
    (folder / "scanner.csv").write_text("id,f7\n" + "".join(f"s{i},{i % 3 + made.gauss(0, 0.2)}\n" for i in range(len(clinic) - 1)))
    study.write_text((STUDY % CLASS).replace("clinic.csv]", "clinic.csv, scanner.csv]") + "centre: hospital\n")
    report = run.train(study, model)
    apart = [sentence for sentence in report["warnings"] if "can be told by its columns" in sentence]
    assert len(apart) == 3 and sum("most by f7" in sentence for sentence in apart) == 2, report  # h1 lies between the others
    study.write_text(study.read_text() + "validate: centre\n")
    shifted = [sentence for sentence in run.train(study, model)["warnings"] if "are spread otherwise where the model is judged" in sentence]
    assert len(shifted) == 3 and all("most of all f7" in sentence for sentence in shifted), shifted
    study.write_text((STUDY % CLASS).replace("model: {forest: {trees: 60}}", "steps: combat\nmodel: ridge\ncentre: hospital\nvalidate: centre"))
    assert any("combat leaves rows of centres" in sentence for sentence in run.train(study, model)["warnings"])
    clinic = (folder / "clinic.csv").read_text()
    (folder / "elsewhere.csv").write_text(clinic.replace(",h0", ",h9"))
    rows = run.predict(model, folder / "features.csv", folder / "elsewhere.csv")
    assert sum(int(row["unknown"]) for row in rows) == clinic.count(",h0")
    study.write_text(STUDY % CLASS + "centre: hospital\nvalidate: centres\nfolds: 4\n")
    run(2, "train", study, "-o", model, sentence="3 centres cannot be divided into 4 folds")


def check_repeated(run, folder):
    """f2 is read differently by the second reader, f1 and f3 are not; those of whom there is one reading are refused."""
    made = random.Random(3)
    rows = list(csv.DictReader(open(folder / "features.csv")))[:40]
    def write(readers):
        with open(folder / "readers.csv", "w") as table:
            table.write("reader,id,f1,f2,f3\n")
            for reader, row in [(reader, row) for reader in "BA" for row in rows if reader in readers(row)]:
                table.write(f"{reader},{row['id']},{row['f1']},{made.gauss(0, 1)},{float(row['f3']) + made.gauss(0, .1)}\n")
    study, model = folder / "stable.yaml", folder / "stable.model"
    study.write_text((STUDY % CLASS).replace("model: {forest: {trees: 60}}", "repeated: {table: readers.csv, measurement: reader}\n"
                     "steps: [stable]\nmodel: ridge").replace("clinical: [place, age]", ""))
    write(lambda row: "AB")
    assert finding(run.train(study, model), "", "inputs")["value"] == 4  # f1, f3; f8 and f9 were read once
    write(lambda row: "AB" if row["id"] != "s7" else "A")
    run(1, "train", study, "-o", model, sentence="subject s7 ")
    write(lambda row: "")
    run(1, "train", study, "-o", model, sentence="fewer than two subjects")
    (folder / "readers.csv").write_text("id,f7\ns1,3\ns1,4\ns2,3\ns2,4\n")
    study.write_text(study.read_text().replace(", measurement: reader", ""))
    run(1, "train", study, "-o", model, sentence="none of the study's features")
    study.write_text(study.read_text().replace("repeated: {table: readers.csv}", ""))
    run(1, "train", study, "-o", model, sentence="repeated: {table: FILE}")


def check_fusion(run, folder):
    """Two modalities that both say something, of which one is often missing; late, early and neither."""
    made = random.Random(4)
    with open(folder / "mri.csv", "w") as mri, open(folder / "omics.csv", "w") as omics:
        mri.write("id,m1,m2,late,stage,days,died\n")
        omics.write("id,o1,o2\n")
        for i in range(150):
            m, o = made.gauss(0, 1), made.gauss(0, 1)
            late, days = m + o + made.gauss(0, 0.8) > 0, made.expovariate(0.01 * 2 ** (m + o))
            mri.write(f"s{i},{m:.4f},{made.gauss(0, 1):.4f},{'yes' if late else 'no'},{'ABC'[(m + o > -1) + (m + o > 1)]},{days:.2f},1\n")
            if i % 3:
                omics.write(f"s{i},{o:.4f},{made.gauss(0, 1):.4f}\n")
    study, model, tables = folder / "fuse.yaml", folder / "fuse.model", [folder / "mri.csv", folder / "omics.csv"]
    for target, name in [(CLASS, "auc"), (SURVIVAL, "concordance"), ("classes: {column: stage}", "hand_till")]:
        told = {}
        for fusion in ("none", "early", "late"):
            study.write_text(f"tables: [mri.csv, omics.csv]\nid: id\ntarget: {{{target}}}\nfeatures: {{mri: m*, omics: o*}}\n"
                             f"volume: m2\nfusion: {fusion}\nmodel: [forest: {{trees: 40}}, {'cox' if target == SURVIVAL else 'ridge'}]\ninner_folds: 3\n")
            report = run.train(study, model, "--threads", 1)
            told[fusion] = finding(report, "model", name)["value"]
            assert finding(report, "omics", "rows_without")["value"] == 50
            assert ("lack modality omics" in " ".join(report["warnings"])) == (fusion == "none")
            rows = run.predict(model, *tables, *(["--horizon", 50] if target == SURVIVAL else []))
            assert len(rows) == 150 and {row["missing"] for row in rows} == {"0", "2"}
        first = model.read_bytes()
        assert run.train(study, model, "--threads", 3) == report and model.read_bytes() == first
        parts = [finding(report, f"model:{part}", name)["value"] for part in ("mri", "omics")]
        assert told["late"] > max(parts) and told["late"] > 0.65, (target, told, parts)
        assert abs(finding(report, "permuted_outcomes", name)["value"] - 0.5) < 0.13, report["findings"]
        (folder / "nobody.csv").write_text("id,m1,m2,o1,o2\nx,,,,\n")
        assert len(run.predict(model, folder / "nobody.csv")) == 1
    for more, sentence in [("split: 0.8\n", "with cross-validation alone"), ("bootstrap: 3\n", "with cross-validation alone")]:
        (folder / "bad.yaml").write_text(study.read_text() + more)
        run(1, "train", folder / "bad.yaml", "-o", folder / "bad.model", sentence=sentence)


def check_refusals(run, folder, study, model):
    text = study.read_text()
    bad = folder / "bad.yaml"
    for old, new, sentence in [("age]", "late]", "cannot be used to predict"), ("'yes'", "never", "same outcome"),
                               ("f*", "g*", "no column fits"), ("categorical: [place]", "seed: 1", "appears twice"),
                               ("categorical: [place]\n", "", "categorical"), ("id: id", "id: late", "column late"),
                               ("seed: 5", "folds: 500", "cannot be divided"),
                               ("seed: 5", "steps: gaps", "forest needs every value"),
                               ("seed: 5", "steps: [gaps, keep]", "keep comes after impute")]:
        bad.write_text(text.replace(old, new))
        done = subprocess.run([run.path, "train", bad, "-o", folder / "bad.model"], capture_output=True, text=True)
        assert done.returncode in (1, 2, 4) and sentence in done.stderr, (new, done.returncode, done.stderr)
    assert not (folder / "bad.model").exists()
    for name, content in [("unknown.csv", "id,f1,f2,f3,f8,f9,volume,place,age\nx,1,2,3,1,2,0,toe,50\n"),
                          ("comma.csv", "id,f1,f2,f3,f8,f9,volume,place,age\nx,\"1,5\",2,3,1,2,0,head,50\n"),
                          ("few.csv", "id,f1\nx,1\n")]:
        (folder / name).write_text(content)
    row, = run.predict(model, folder / "unknown.csv")
    assert row["unknown"] == "1" and row["missing"] == "0"
    run(1, "predict", model, folder / "comma.csv", sentence="decimal comma")
    run(2, "predict", model, folder / "few.csv", sentence="no column")
    run(2, "predict", model, folder / "unknown.csv", "--horizon", 3, sentence="of classes")
    run(2, "predict", model, folder / "unknown.csv", "--coverage", 1, sentence="--coverage")
    run(2, "predict", model, sentence="a model and a table")
    run(2, "train", study, sentence="--output")
    content = model.read_bytes()
    (folder / "old.model").write_bytes(content.replace(b"radseal-model\x04", b"radseal-model\x01", 1))
    run(1, "predict", folder / "old.model", folder / "unknown.csv", sentence="version 1; this program reads 4: train it again")
    for at in range(0, len(content), max(1, len(content) // 150)):
        (folder / "flipped.model").write_bytes(content[:at] + bytes([content[at] ^ 0x81]) + content[at + 1:])
        done = subprocess.run([run.path, "predict", folder / "flipped.model", folder / "unknown.csv"], capture_output=True, text=True)
        assert done.returncode in (0, 1, 2) and (done.returncode == 0 or done.stderr.startswith("radseal: ")), (at, done)
        (folder / "short.model").write_bytes(content[:at])
        run(1, "predict", folder / "short.model", folder / "unknown.csv", sentence="short.model")


def check_degenerate(run, folder):
    """A sentence, or a defined result; never a model that cannot be read."""
    made = random.Random(3)
    numbers = [(made.random(), made.random()) for _ in range(20)]
    for name, rows, target, sentence in [
            ("nobody", [], CLASS, "no subject"), ("one", [(1, 2, "yes", 3, 1)], CLASS, "same outcome"),
            ("two", [(1, 2, "yes", 3, 1), (2, 2, "no", 3, 1)], CLASS, "same outcome"),
            ("no event", [(*x, "yes", i, 0) for i, x in enumerate(numbers)], SURVIVAL, "no event"),
            ("one time", [(*x, "yes", 5, 1) for x in numbers], SURVIVAL, "no two subjects"),
            ("constant", [(1, 2, "yes" if i % 2 else "no", i, 1) for i in range(20)], CLASS, "constant"),
            ("empty", [("", "NA", "yes" if i % 2 else "no", i, 1) for i in range(20)], CLASS, "constant"),
            ("constant baseline", [(1, i, "yes" if i > 9 else "no", i, 1) for i in range(20)], CLASS, None),
            ("duplicate column", [(i, i, "yes" if i > 9 else "no", i, 1) for i in range(20)], CLASS, None),
            ("two events", [(*x, "yes", i, int(i in (3, 9))) for i, x in enumerate(numbers)], SURVIVAL, None),
            ("separated", [(i, -i, "yes", 20 - i, 1) for i in range(20)], SURVIVAL, None)]:
        (folder / "odd.csv").write_text("id,a,b,late,days,died\n" + "".join(
            f"s{i},{','.join(map(str, row))}\n" for i, row in enumerate(rows)))
        for model in ["forest: {trees: 20}", "xgboost: {rounds: 5, early_stopping_rounds: 2}"] + (["svm: 10"] if target == CLASS else []):
            (folder / "odd.yaml").write_text(f"tables: odd.csv\nid: id\ntarget: {{{target}}}\nfeatures: {{m: [a, b]}}\nclinical: a\n"
                                             f"folds: {2 if len(rows) < 5 else 5}\nmodel: {{{model}}}\n")
            if sentence:
                run(4, "train", folder / "odd.yaml", "-o", folder / "odd.model", sentence=sentence)
                continue
            report = run.train(folder / "odd.yaml", folder / "odd.model")
            assert "nan" not in report["verdict"] and len(run.predict(folder / "odd.model", folder / "odd.csv")) == len(rows), name


def check_ispy(run, folder, data):
    """The forest's AUC over all folds lies within the interval of scikit-learn's forest on the same folds."""
    reference = json.loads((data / "reference/real_tasks_cv.json").read_text())
    told = []
    for task, target, clinical in [("ispy_stage_ge3", "TumourStage, positive: ['3.0', '4.0']", ""),
                                   ("ispy_pcr_rad_only", "pCR (outcome), positive: '1.0'", ""),
                                   ("ispy_pcr_clin+rad", "pCR (outcome), positive: '1.0'", "clinical: [Age, ER, PgR, HER2, "
                                    "TrippleNegative, ChemoGrade, Proliferation, HistologyType, LNStatus, TumourStage, Gene]\n")]:
        study = folder / "ispy.yaml"
        study.write_text(f"tables: {data}/ispy_pcr/train400.csv\nid: ID\ntarget: {{class: {{column: {target}}}}}\n"
                         f"features: {{mri: original_*}}\nvolume: original_shape_MeshVolume\nassign: rank\n{clinical}")
        report = run.train(study, folder / "ispy.model")
        auc, (_, low, high) = finding(report, "model", "auc")["value"], reference[task]["rf500"]["pooled_oof_auc_delong95"]
        assert low < auc < high, (task, auc, low, high)
        told.append(f"{task} {auc:.3f} (scikit-learn {reference[task]['rf500']['pooled_oof_auc_delong95'][0]:.3f})")
    assert "worse than the clinical" in report["verdict"] or "does not beat the clinical" in report["verdict"]
    study.write_text(f"tables: {data}/ispy_pcr/train400.csv\nid: ID\ntarget: {{class: {{column: TumourStage, positive: ['3.0', '4.0']}}}}\n"
                     "features: {mri: original_*}\nassign: rank\nmodel: {network: {members: 1, epochs: 20}}\n")
    auc = finding(run.train(study, folder / "ispy.model"), "model", "auc")["value"]
    mean, low, high = reference["ispy_stage_ge3"]["mlp"]["pooled_oof_auc_delong95"]
    assert low < auc < high, (auc, low, high)
    told.append(f"network {auc:.3f} (scikit-learn {mean:.3f})")
    study.write_text(f"tables: {data}/ispy_pcr/train400.csv\nid: ID\ntarget: {{class: {{column: pCR (outcome), positive: '1.0'}}}}\n"
                     "features: {mri: original_*}\nassign: rank\nsteps: [correlation: 0.9, keep: 40]\nmodel: svm\n")
    folds = [row["value"] for row in run.train(study, folder / "ispy.model")["findings"] if row["name"].startswith("auc_repeat")]
    mean, want = sum(folds) / len(folds), reference["ispy_pcr_rad_only"]["svm_rbf_k40"]["mean"]
    assert abs(mean - want) < 0.005, (mean, want)
    told.append(f"by support vectors {mean:.3f} (scikit-learn {want:.3f})")
    return told


def check_wdbc(run, folder, data):
    """Every fifth row is for testing, as in wdbc.json: areas of scikit-learn's models, exactly where there is no chance in them."""
    reference = json.loads((data / "reference/wdbc.json").read_text())
    table = folder / "wdbc.csv"
    with open(data / "wdbc/wdbc.csv") as file, open(table, "w") as out:
        for i, row in enumerate(csv.reader(file)):
            out.write(f"row,{','.join(row)}\n" if i == 0 else f"r{i:04},{','.join(row[:-1])},{int(float(row[-1]))}\n")
    told = []
    for model, wanted, among in [("{ridge: {penalty: 1}}", reference["lr_l2_C1"]["auc"], None),
                                 ("{svm: {kernel: rbf, cost: 1}}", reference["svm_rbf"]["auc"], None),
                                 ("{forest: {trees: 500}}", None, reference["rf500_auc_10seeds"]),
                                 ("{network: {members: 1, epochs: 30}}", None, reference["mlp_32_16_auc_10seeds"])]:
        study = folder / "wdbc.yaml"
        study.write_text(f"tables: {table}\nid: row\ntarget: {{class: {{column: malignant, positive: '1'}}}}\nassign: rank\n"
                         f"features: {{all: ['mean_*', 'worst_*', '*_error']}}\nsteps: {{scale: zscore}}\nmodel: {model}\n")
        auc = finding(run.train(study, folder / "wdbc.model"), "model", "auc_repeat_1_fold_1")["value"]
        assert abs(auc - wanted) < 1e-12 if wanted else min(among) <= auc <= max(among), (model, auc, wanted, among)
        told.append(f"wdbc {auc:.4f}")
    return told


def check_elimination(run, folder, data):
    """Logistic regression (C = 0.1) of the 20 columns that recursive elimination leaves: scikit-learn's AUC in every fold."""
    reference = json.loads((data / "reference/real_tasks_cv.json").read_text())["ispy_stage_ge3"]["lr_rfe20"]
    study = folder / "elimination.yaml"
    study.write_text(f"tables: {data}/ispy_pcr/train400.csv\nid: ID\ntarget: {{class: {{column: TumourStage, positive: ['3.0', '4.0']}}}}\n"
                     "features: {mri: original_*}\nassign: rank\nmodel: {ridge: {penalty: 10}}\n"
                     "steps: [near_zero: 1e9, correlation: 0.9, rfe: {keep: 20, drop: 0.05, penalty: 10}]\n")
    report = run.train(study, folder / "elimination.model")
    for fold, auc in enumerate(reference["fold_auc"]):
        found = finding(report, "model", f"auc_repeat_1_fold_{fold + 1}")["value"]
        assert abs(found - auc) < 0.01, (fold, found, auc)
    found, auc = finding(report, "model", "auc")["value"], reference["pooled_oof_auc_delong95"][0]
    assert abs(found - auc) < 0.002, (found, auc)
    return [f"elimination {found:.3f} (scikit-learn {auc:.3f})"]


def check_stages(run, folder, data):
    """All four stages of I-SPY: ranger 0.14.1 (500 trees, same folds, R 4.2.2) has Hand & Till 0.784 and ordinal c 0.738."""
    study = folder / "stages.yaml"
    study.write_text(f"tables: {data}/ispy_pcr/train400.csv\nid: ID\nassign: rank\nfeatures: {{mri: original_*}}\n"
                     "target: {ordinal: {column: TumourStage, levels: ['1.0', '2.0', '3.0', '4.0']}}\n")
    report = run.train(study, folder / "stages.model")
    found = [finding(report, "model", name)["value"] for name in ("hand_till", "ordinal_c")]
    assert abs(found[0] - 0.784) < 0.02 and abs(found[1] - 0.738) < 0.02, found
    study.write_text(study.read_text() + "model: elastic_net\n")
    ranked = finding(run.train(study, folder / "stages.model"), "model", "ordinal_c")["value"]
    assert abs(ranked - 0.738) < 0.02, ranked
    return [f"four stages {found[1]:.3f} (ranger 0.738), by proportional odds {ranked:.3f}"]


def check_plgg(run, folder, data):
    """Progression: the reference's concordances (XGBoost's, the mean of the same folds) lie within the forest's intervals."""
    reference = json.loads((data / "reference/real_tasks_cv.json").read_text())
    clinical = "Sex, Age at Diagnosis, Tumor Location, NF1, Extent of Tumor Resection, Chemotherapy, Radiation"
    tables = ", ".join(f"{data}/plgg/{name}.csv" for name in ("y", "X_clinical", "X_radiomic"))
    told = []
    for task, lines in [("plgg_clin", f"features: {{clinic: [{clinical}]}}"), ("plgg_rad", "features: {mri: '*_tumor_core_*'}"),
                        ("plgg_both", f"features: {{mri: '*_tumor_core_*'}}\nclinical: [{clinical}]")]:
        study = folder / "plgg.yaml"
        study.write_text(f"tables: [{tables}]\nid: SubjectID\nassign: rank\n{lines}\ntarget: {{survival: {{time: Progression "
                         "Free Survival, event: Censorship, event_value: 'True'}}\n")
        found = finding(run.train(study, folder / "plgg.model"), "model", "concordance")
        low, high = found["interval"]
        assert all(low < peer["mean"] < high for peer in reference[task].values()), (task, found, reference[task])
        told.append(f"{task} {found['value']:.3f} (XGBoost {reference[task]['xgb_cox_d2']['mean']:.3f})")
        if task == "plgg_clin":
            for kind in ("cox", "aft"):
                study.write_text(study.read_text().split("model:")[0] + f"model: {{xgboost: {{survival: {kind}, max_depth: 2}}}}\n")
                own = finding(run.train(study, folder / "plgg.model"), "model", "concordance")["value"]
                assert own > reference[task][f"xgb_{kind}_d2"]["mean"] - 0.005, (kind, own)
                told.append(f"by XGBoost's {kind} {own:.3f}")
        if task == "plgg_both":
            study.write_text(study.read_text() + "model: elastic_net\n")
            own = finding(run.train(study, folder / "plgg.model"), "model", "concordance")["value"]
            assert own > reference[task]["xgb_cox_d2"]["mean"] + 0.03, own
            told.append(f"by an elastic net {own:.3f}")
    study.write_text(study.read_text() + "fusion: late\n")
    late = finding(run.train(study, folder / "plgg.model"), "model", "concordance")["value"]
    assert late > reference["plgg_both"]["xgb_cox_d2"]["mean"] + 0.02, late
    return told + [f"fused late {late:.3f}"]


def main():
    run = Program(sys.argv[1])
    told = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        write_tables(folder)
        study, model = check_classes(run, folder)
        check_survival(run, folder)
        check_candidates(run, folder)
        check_several(run, folder)
        check_schemes(run, folder)
        check_repeated(run, folder)
        check_fusion(run, folder)
        check_refusals(run, folder, study, model)
        check_degenerate(run, folder)
        if len(sys.argv) > 2:
            told = check_ispy(run, folder, pathlib.Path(sys.argv[2]) / "prognosis")
            told += check_wdbc(run, folder, pathlib.Path(sys.argv[2]) / "prognosis")
            told += check_elimination(run, folder, pathlib.Path(sys.argv[2]) / "prognosis")
            told += check_stages(run, folder, pathlib.Path(sys.argv[2]) / "prognosis")
            told += check_plgg(run, folder, pathlib.Path(sys.argv[2]) / "prognosis")
    print("trained, predicted, refused as they should; " + ", ".join(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
