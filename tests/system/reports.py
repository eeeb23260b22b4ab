"""Reports as pages: `reports.py RADSEAL`. Each is read as XML, must fetch and run nothing, and tell what --json tells."""
import base64
import hashlib
import html.parser
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import pictures

HTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '"><script>alert(1)</script> & \'x\''


class Program:
    def __init__(self, path):
        self.path = str(pathlib.Path(path).resolve())

    def __call__(self, status, *arguments, sentence=""):
        done = subprocess.run([self.path, *map(str, arguments)], capture_output=True, text=True, timeout=300)
        assert done.returncode == status and sentence in done.stderr, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout


class Tags(html.parser.HTMLParser):
    """As a browser's eyes: which elements there are, and what they could fetch."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        for name, value in attributes:
            assert not name.startswith("on") and name not in ("src", "href", "style", "xlink:href"), (tag, name, value)


class Page:
    def __init__(self, path):
        text = path.read_text()
        tags = Tags()
        tags.feed(text)
        assert not tags.seen & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}, tags.seen
        assert "url(" not in text.replace("url(#", "") and "@import" not in text
        self.root = xml.etree.ElementTree.fromstring(text.replace("<!DOCTYPE html>\n", ""))
        self.text = "".join(self.root.itertext())
        style = self.root.find(f"{HTML}head/{HTML}style").text
        policy = next(m.get("content") for m in self.root.iter(f"{HTML}meta") if m.get("http-equiv"))
        named = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert policy == f"default-src 'none'; style-src 'sha256-{named}'", (policy, named)
        ids = [e.get("id") for e in self.root.iter() if e.get("id")]
        assert len(ids) == len(set(ids)), "an id twice"
        self.charts = {e.find(f"{SVG}title").get("id")[:-2]: e for e in self.root.iter(f"{SVG}svg")}
        for chart in self.charts.values():
            assert chart.get("role") == "img" and chart.find(f"{SVG}desc").text
            assert set(chart.get("aria-labelledby").split()) <= set(ids)
            assert not re.search(r"\b(nan|inf)\b", xml.etree.ElementTree.tostring(chart, "unicode"))

    def row(self, *beginning):
        for row in self.root.iter(f"{HTML}tr"):
            cells = ["".join(cell.itertext()) for cell in row]
            if tuple(cells[:len(beginning)]) == beginning:
                return cells
        raise AssertionError((beginning, "is no row"))


def value_of(found, of, name):
    return next(f["value"] for f in found if (f["of"], f["name"]) == (of, name))


def cell(text):
    return '"' + text.replace('"', '""') + '"'


def classes(radseal, folder):
    made = random.Random(3)
    lines = [f"outcome,good,{cell(HOSTILE)}"]
    for _ in range(300):
        p = made.random()
        lines.append(f"{int(made.random() < p)},{p:.4f},{made.gauss(p, 0.5):.4f}")
    table, page = folder / "classes.csv", folder / "classes.html"
    table.write_text("\n".join(lines) + "\n")
    found = json.loads(radseal(0, "evaluate", table, "--class", "outcome", "--score", "good", "--score", HOSTILE,
                               "--report", page, "--json"))
    shown = Page(page)
    assert {"merits", "roc", "precision", "calibration", "benefit", "spread", "confusion"} == set(shown.charts)
    assert shown.row("good", "AUC")[2] == f"{value_of(found, 'good', 'auc'):.3f}"
    assert shown.row("SHA-256 of the table")[1] == hashlib.sha256(table.read_bytes()).hexdigest()
    assert HOSTILE in shown.text
    # The confusion matrix counts what sensitivity and specificity are of.
    counts = [int(t.text) for t in shown.charts["confusion"].iter(f"{SVG}text") if "big" in t.get("class", "")]
    assert sum(counts) == 300
    assert abs(counts[3] / (counts[2] + counts[3]) - value_of(found, "good", "sensitivity")) < 1e-9
    assert abs(counts[0] / (counts[0] + counts[1]) - value_of(found, "good", "specificity")) < 1e-9
    again = folder / "again.html"
    radseal(0, "evaluate", table, "--class", "outcome", "--score", "good", "--score", HOSTILE, "--report", again)
    assert again.read_bytes() == page.read_bytes(), "the same evaluation, another page"
    # A score that tells all apart, and one that is the same for all.
    table.write_text("outcome,good\n" + "\n".join(f"{i % 2},{i % 2}" for i in range(20)) + "\n")
    radseal(0, "evaluate", table, "--class", "outcome", "--score", "good", "--report", page)
    Page(page)
    table.write_text("outcome,good\n" + "\n".join(f"{i % 2},0.5" for i in range(20)) + "\n")
    radseal(0, "evaluate", table, "--class", "outcome", "--score", "good", "--report", page)
    Page(page)


def survival(radseal, folder):
    made = random.Random(4)
    rows = [(made.expovariate(0.01 * (1 + g)), made.uniform(10, 200), g) for g in (0, 1, 2) for _ in range(40)]
    names = ["low", "<b>middle</b>", "high"]
    table, page = folder / "survival.csv", folder / "survival.html"
    table.write_text("time,died,group,risk\n" + "".join(
        f"{min(t, c):.3f},{int(t <= c)},{names[g]},{g + made.random():.3f}\n" for t, c, g in rows))
    radseal(0, "evaluate", table, "--time", "time", "--event", "died", "--score", "risk", "--group", "group", "--report", page)
    shown = Page(page)
    chart = shown.charts["survival"]
    texts = [t.text for t in chart.iter(f"{SVG}text")]
    assert set(names) < set(texts) and any(t.startswith("log-rank p ") for t in texts), texts
    # Below each tick the number of those seen at least so long.
    ticks = [float(t) for t in texts if re.fullmatch(r"\d+(\.\d+)?", t)]
    first = texts.index("low", texts.index("Number at risk"))
    times = [min(t, c) for t, c, g in rows if g == 0]
    axis = [t for t in ticks if t > 1][:4] # after the survival axis
    counts = [int(t) for t in texts[first + 1:first + 1 + len(axis) + 1]]
    assert counts[0] == 40 and counts[1] == sum(round(t, 3) >= axis[0] for t in times), (counts, axis)
    radseal(0, "evaluate", table, "--time", "time", "--event", "died", "--score", "risk", "--report", page)
    assert "above the median of risk" in Page(page).text
    radseal(0, "evaluate", table, "--time", "time", "--event", "died", "--report", page)
    Page(page)
    table.write_text("time,what,group\n" + "".join(
        f"{min(t, c):.3f},{made.choice(['relapse', 'death']) if t <= c else 'alive'},{names[g]}\n" for t, c, g in rows))
    radseal(0, "evaluate", table, "--time", "time", "--event", "what", "--event-value", "relapse", "--censored", "alive",
            "--group", "group", "--report", page)
    shown = Page(page)
    assert {"incidence-1", "incidence-2"} <= set(shown.charts) and "Cumulative incidence: death" in shown.text
    assert "Gray's test p " in shown.text


STUDY = """title: "%s"
tables: [table.csv]
id: id
target: {%s}
features: {made: ["f*"]}
clinical: [place, age]
categorical: [place]
volume: [volume]
centre: hospital
steps: [impute: median, correlation: 0.9]
model: %s
seed: 5
synthetic: yes
card: {intended_use: "To test <reports> & nothing else", eligibility: Whoever was made up, data_availability: Made when asked}
"""
CLASS = "class: {column: late, positive: 'yes'}"
ORDINAL = "ordinal: {column: stage, levels: [I, II, III]}"
SURVIVAL = "survival: {time: days, event: died}"


def write_study_table(folder):
    made = random.Random(9)
    with open(folder / "table.csv", "w") as table:
        table.write('id,f1,f2,"f<i>3",place,age,volume,hospital,late,days,died,stage\n')
        for i in range(120):
            f, place = [made.gauss(0, 1) for _ in range(3)], made.choice(["head", "tail", ""])
            late = "" if i % 40 == 7 else "yes" if f[0] + made.gauss(0, 0.8) > 0.3 else "no"
            days, seen = made.expovariate(0.01 * 2.0 ** f[0]), made.uniform(20, 300)
            table.write(f"s{i},{f[0]:.5f},{f[1]:.4f},{f[2]:.4f},{place},{made.randint(30, 80)},{f[0] + made.gauss(0, 2):.4f},"
                        f"h{i % 3},{late},{min(days, seen):.2f},{int(days <= seen)},{'I' * min(3, max(1, round(2 + f[0])))}\n")


def whole_card(radseal, folder, shown):
    """Every key that the lists name is one that a study's card may hold; then only what nobody can show is missing."""
    for name, count in (("METRICS", 30), ("TRIPOD+AI", 52), ("CLEAR", 58)):
        assert re.search(rf"{re.escape(name)} \(20..\): \d+ of {count} items", shown.text), name
    rows = [["".join(cell.itertext()) for cell in row] for row in shown.root.iter(f"{HTML}tr") if len(row) == 4]
    keys = sorted({row[3][len("card: "):] for row in rows if row[3].startswith("card: ")} |
                  {"intended_use", "eligibility", "data_availability"})
    assert len(keys) > 40, keys
    study = folder / "whole.yaml"
    study.write_text(re.sub(r"card: .*", "card: {" + ", ".join(f"{key}: told" for key in keys) + "}",
                            STUDY % ("A title", CLASS, "ridge")))
    page = folder / "whole.html"
    radseal(0, "train", study, "-o", folder / "whole.model", "--report", page)
    told = Page(page)
    rows = [["".join(cell.itertext()) for cell in row] for row in told.root.iter(f"{HTML}tr") if len(row) == 4]
    left = [row for row in rows if row[3].startswith("card: ")]
    assert not left, left
    score = re.search(r"METRICS \(2024\): (\d+) of 30 items evidenced; score of what is evidenced ([0-9.]+) %", told.text)
    missing = {row[0] for row in rows[:31] if row[2] == "not evidenced"}
    assert missing == {"17"} and score[1] == "29" and score[2] == "100" or "16" in missing, (missing, score.groups())


def training(radseal, folder):
    write_study_table(folder)
    study, page, model = folder / "study.yaml", folder / "report.html", folder / "m.model"
    for target, learner, charts in [
            (CLASS, "{forest: {trees: 60}}", {"merits", "roc", "precision", "calibration", "benefit", "spread", "confusion",
                                              "importance"}),
            (CLASS, "ridge", {"merits", "roc", "precision", "calibration", "benefit", "spread", "confusion", "importance",
                              "effects"}),
            (ORDINAL, "ridge", {"merits", "roc", "confusion", "importance", "effects"}),
            (SURVIVAL, "cox", {"merits", "survival", "calibration-0", "importance", "effects"})]:
        study.write_text(STUDY % ("About <b>them</b>", target, learner))
        told = json.loads(radseal(0, "train", study, "-o", model, "--report", page, "--json"))
        shown = Page(page)
        assert set(shown.charts) >= charts, (set(shown.charts), charts)
        assert told["verdict"] in shown.text and "Synthetic data." in shown.text and "About <b>them</b>" in shown.text
        assert all(warning in shown.text for warning in told["warnings"])
        name, shown_as = {CLASS: ("auc", "AUC"), ORDINAL: ("ordinal_c", "Concordance of levels"),
                          SURVIVAL: ("concordance", "Concordance")}[target]
        assert shown.row("model", shown_as)[2] == f"{value_of(told['findings'], 'model', name):.3f}"
        # Provenance names the very files.
        for what, file in [("Study file", study), ("Table", folder / "table.csv"), ("Model file", model)]:
            assert hashlib.sha256(file.read_bytes()).hexdigest() in shown.row(what)[1]
        assert shown.row("Model file")[1].endswith(told["model"])
        assert shown.row("Left out, outcome missing")[1] == ("3" if target == CLASS else "0")
        # What the record shows, what the card says, and what neither does.
        assert shown.row("4", "More than one centre")[2:] == ["3 centres", "record"]
        assert shown.row("2", "Who could take part, and whom they stand for")[2:] == ["Whoever was made up", "card"]
        assert shown.row("14", "Fairness")[2:] == ["not evidenced", "card: fairness"]
        assert shown.row("Intended use")[1] == "To test <reports> & nothing else"
        assert shown.row("Ethical considerations")[1] == "not evidenced"
        metrics = re.search(r"METRICS \(2024\): (\d+) of 30 items evidenced; score of what is evidenced ([0-9.]+) %", shown.text)
        assert metrics and 0 < float(metrics[2]) < 100, metrics
        again = folder / "again.html"
        radseal(0, "train", study, "-o", model, "--report", again, "--threads", "1")
        assert again.read_bytes() == page.read_bytes(), "another number of threads, another page"
    whole_card(radseal, folder, shown)
    study.write_text(STUDY % ("About <b>them</b>", SURVIVAL, "cox"))
    radseal(0, "train", study, "-o", model, "--report", folder / "told.json")
    assert json.loads((folder / "told.json").read_text())["verdict"] == told["verdict"]
    study.write_text((STUDY % ("t", CLASS, "ridge")).replace("eligibility:", "shoe_size:"))
    radseal(1, "train", study, "-o", model, sentence="'shoe_size' is nothing that a card tells")
    study.write_text((STUDY % ("t", CLASS, "ridge")).replace("synthetic: yes", "synthetic: perhaps"))
    radseal(1, "train", study, "-o", model, sentence="yes no")


def network(radseal, folder):
    pictures.write(folder)
    (folder / "study.yaml").write_text("pictures: all.npz\n" + pictures.COMMON)
    page = folder / "report.html"
    told = json.loads(radseal(0, "train", folder / "study.yaml", "-o", folder / "m.model", "--report", page, "--json"))
    shown = Page(page)
    assert {"merits", "roc", "calibration", "confusion"} <= set(shown.charts) and told["verdict"] in shown.text
    rows = [["".join(cell.itertext()) for cell in row] for row in shown.root.iter(f"{HTML}tr")]
    auc = float(next(row for row in rows if row[1] == "AUC")[2])
    assert abs(auc - value_of(told["findings"], "network", "auc")) < 0.0006, auc
    assert shown.row("Test pictures")[1] == "60" and shown.row("Model file")[1].endswith(told["model"])


def main():
    radseal = Program(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        for test in (classes, survival, training, network):
            folder = pathlib.Path(name) / test.__name__
            folder.mkdir()
            test(radseal, folder)
            print(f"ok {test.__name__}")


main()
