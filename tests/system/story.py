"""The demonstration, told of few patients: `story.py RADSEAL`. Every chapter ends as it should; the page is well-formed, fetches
nothing, and has pictures; who withdrew consent is refused afterwards, too; a story that cannot be told says why."""
import csv
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

from node_tools import Radseal

CHAPTERS = ("Patients that never lived", "A node of five organisations", "Scans arrive, and are sealed", "Consent", "Preparation",
            "Outlines", "Radiomic features", "Models, honestly validated", "A new patient", "Consent is withdrawn", "A byte is altered",
            "What the regulator sees")


def check_told(text):
    told = re.findall(r"^(\d+)\. (.*?)  \(\d+ s\)$", text, re.M)
    assert [title for _, title in told] == list(CHAPTERS), told
    for sentence in ("5 organisations share one ledger", "NO_CONSENT", "sealed with other bytes",
                     "the stored bytes do not have the address they are kept under"):
        assert sentence in text, (sentence, text)
    features = int(re.search(r"(\d+) features of each patient", text).group(1))
    assert features > 1200, features
    dice = float(re.search(r"median Dice coefficient is ([0-9.]+)", text).group(1))
    assert dice > 0.8, dice
    assert re.search(r"Alive after 12 months with probability [0-9.]+ \(95 % interval [0-9.]+ to [0-9.]+\)", text), text
    assert len(re.findall(r"(?:does not beat|beats|is worse than) the (?:clinical|volume) baseline", text)) == 2, text


def check_page(folder):
    page = (folder / "index.html").read_text()
    xml.fromstring(page.replace("<!DOCTYPE html>", "", 1))
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page) and "default-src 'none'" in page
    assert page.count("data:image/png;base64,") == 4
    for heading in ("Receiver operating characteristic", "Calibration", "Kaplan\u2013Meier curves", "Predicted survival"):
        assert f"<h3>{heading}" in page, heading
    identifiers = re.findall(r" id=\"([^\"]+)\"", page)
    assert len(identifiers) == len(set(identifiers)), "an id stands twice"


def check_node(program, folder):
    node = Radseal(program, folder / "node")
    node.fsck(check=0)
    with open(folder / "features-new.csv") as table:
        assert len(list(csv.DictReader(table))) == 1
    lines = json.loads(node.run("audit", "all", "--home", node.home, "--json", check=0).stdout)["lines"]
    kinds = {line.get("kind") for line in lines if line["type"] == "object-register"}
    assert {"image", "mask", "features", "model", "prediction"} <= kinds, kinds
    assert any(line.get("refusal") == "NO_CONSENT" for line in lines)


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / "story"
        done = subprocess.run([program, "demo", folder, "--patients", "16"], capture_output=True, text=True, timeout=800)
        assert done.returncode == 0, (done.stdout, done.stderr)
        check_told(done.stdout)
        check_page(folder)
        check_node(program, folder)
        for arguments, status, sentence in [((folder,), 4, "is there already"), (("--patients", "3"), 2, "no model can be learnt"),
                                            (("--truth",), 2, "go with `demo cohort`")]:
            again = subprocess.run([program, "demo", *arguments], capture_output=True, text=True, timeout=60)
            assert again.returncode == status and sentence in again.stderr, (arguments, again)
    print("the story of 17 patients: twelve chapters, a page with pictures, a node that checks")


if __name__ == "__main__":
    main()
