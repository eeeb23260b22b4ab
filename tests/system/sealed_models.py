"""Models and predictions in a node of five organisations: `sealed_models.py RADSEAL`. Training and predicting ask the contract
for each subject's vector first; without consent, or when it was revoked, nothing is computed and the requests stand in the log.
Models, reports, studies and predictions are sealed, with parents and versions."""
import collections
import csv
import json
import pathlib
import sys
import tempfile

import pictures
from node_tools import Radseal, write_nifti

SUBJECTS = [f"patient-{number}" for number in range(16)]
TERMS = ("--organisation", "Research", "--roles", "researcher", "--purposes", "research", "--operations", "read,train,predict")


class Node(Radseal):
    def do(self, *arguments, code=0):
        return self.run(*arguments, "--home", self.home, check=code)

    def rows(self, *arguments, code=0):
        return json.loads(self.do(*arguments, "--json", code=code).stdout)

    def entries(self):
        return self.rows("audit", "all")["lines"]

    def requests(self):
        return sum(entry["type"] == "access-request" for entry in self.entries())

    def kinds(self):
        return collections.Counter(entry["kind"] for entry in self.entries() if entry["type"] == "object-register")

    def consent(self, subject, *issuer):
        before = {row["consent"] for row in self.rows("consent", "list", "--subject", subject, *issuer)}
        self.do("consent", "grant", "--subject", subject, *issuer, *TERMS)
        return ({row["consent"] for row in self.rows("consent", "list", "--subject", subject, *issuer)} - before).pop()


def prepare(node, folder):
    """Five organisations; of each subject an image and a mask, sealed; their features, sealed as vectors."""
    node.run("init", node.home, "--consortium", "--quiet", check=0)
    for key, role, admin in [("doctor", "radiologist", None), ("researcher", "researcher", "research-admin"),
                             ("oncologist", "oncologist", "oncology-admin")]:
        node.do("key", "new", key)
        node.do("member", "grant", key, "--role", role, *(("--as", admin) if admin else ()))
    with open(folder / "cases.csv", "w") as cases:
        cases.write("ID,late,Image,Mask\n")
        for number, subject in enumerate(SUBJECTS):
            image, mask = folder / f"{number}.nii", folder / f"{number}-mask.nii"
            write_nifti(image, number, side=8)
            mask.write_bytes(image.read_bytes()[:352] + b"".join(
                bytes([place % 8 < 3 + number % 5, 0]) for place in range(8 ** 3)))
            node.do("seal", "--subject", subject, image, mask)
            cases.write(f"{subject},{number % 2},{image},{mask}\n")
    node.do("extract", "--batch", folder / "cases.csv", "-o", folder / "features.csv", "--quiet")
    with open(folder / "features.csv") as table:
        assert sum(row["provenance_Receipt"] != "" for row in csv.DictReader(table)) == len(SUBJECTS)
    for seed in (1, 2):
        (folder / f"study{seed}.yaml").write_text(
            "tables: features.csv\nid: ID\ntarget: {class: {column: late}}\nfeatures: {ct: original_firstorder_*}\n"
            f"model: {{forest: {{trees: 20}}}}\nfolds: 2\nseed: {seed}\nsynthetic: yes\n")


def training(node, folder):
    model, study = folder / "late.model", folder / "study1.yaml"
    arguments = ("train", study, "-o", model, "--report", folder / "late.html", "--as", "researcher", "--purpose", "research")
    before, kinds = node.requests(), node.kinds()
    assert "NO_CONSENT: " in node.do(*arguments, code=3).stderr
    assert node.requests() == before + len(SUBJECTS) and node.kinds() == kinds and not model.exists(), "refused, and logged"
    assert "PURPOSE: " in node.do(*arguments[:-1], "treatment", code=3).stderr
    consents = {subject: node.consent(subject) for subject in SUBJECTS}
    before = node.requests()
    told = json.loads(node.do(*arguments, "--json").stdout)
    assert node.requests() == before + len(SUBJECTS)
    assert node.kinds() - kinds == collections.Counter(model=1, report=2)
    assert all(pathlib.Path(path).exists() for path in told["receipts"]) and len(told["receipts"]) == 3
    for file in (model, study, folder / "late.html"):
        assert node.verdicts(file) == {str(file): "genuine"}, file
    entry = next(entry for entry in node.entries() if entry.get("kind") == "model")
    assert len(entry["parents"].split()) == len(SUBJECTS), entry
    return model, consents


def predicting(node, folder, model, consents):
    out = folder / "predicted.csv"
    predict = ("predict", model, folder / "features.csv", "-o", out)
    research, treatment = ("--as", "researcher", "--purpose", "research"), ("--as", "doctor", "--purpose", "treatment")
    node.do(*predict, code=2)                                       # for what purpose?
    assert "NO_CONSENT: " in node.do(*predict, *research, code=3).stderr and not out.exists()    # the model's own leave
    digest = node.run("predict", model, folder / "features.csv", check=0).stdout.splitlines()[1].split(",")[-1]
    node.consent(digest, "--issuer", "radseal:content")
    before, kinds = node.requests(), node.kinds()
    node.do(*predict, *research)
    rows = list(csv.DictReader(open(out)))
    assert [row["id"] for row in rows] == SUBJECTS and all(pathlib.Path(row["receipt"]).exists() for row in rows)
    assert node.requests() == before + 1 + len(SUBJECTS), "the model, and each vector"
    assert node.kinds() - kinds == collections.Counter(prediction=len(SUBJECTS))
    # One consent less: the request stands in the log, and nothing is said of anybody.
    node.do("consent", "revoke", consents[SUBJECTS[3]])
    out.unlink()
    before, kinds = node.requests(), node.kinds()
    assert "NO_CONSENT: " in node.do(*predict, *research, code=3).stderr
    assert not out.exists() and node.kinds() == kinds and node.requests() == before + 1 + len(SUBJECTS)
    # Care needs no consent, in the house that keeps the subjects; elsewhere it does.
    told = json.loads(node.do(*predict, *treatment, "--json", "--threads", "1").stdout or out.read_text())
    assert len(told["predictions"]) == len(told["receipts"]) == len(SUBJECTS)
    out.unlink()
    assert "NO_CONSENT: " in node.do(*predict, "--as", "oncologist", "--purpose", "treatment", code=3).stderr
    # A clinical table names subjects by their id alone: leave is asked for what is sealed of them.
    plain = folder / "plain.csv"
    with open(folder / "features.csv") as table, open(plain, "w") as copy:
        rows = list(csv.DictReader(table))
        names = [name for name in rows[0] if not name.startswith("provenance")]
        writer = csv.DictWriter(copy, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows[2:5] + [dict(rows[0], ID="never seen")])
    before = node.requests()
    node.do("predict", model, plain, *research, code=3)
    assert node.requests() == before + 1 + 3
    node.do("predict", model, plain, *treatment, "-o", out)
    assert len(list(csv.DictReader(open(out)))) == 4
    # What was said of one subject comes out with the subject's data, and verifies.
    node.do("retrieve", "--subject", SUBJECTS[0], "--as", "doctor", "--purpose", "treatment", "-o", folder / "out")
    said = sorted((folder / "out").glob("*.prediction"))
    assert said and all(path.read_text().startswith("radseal-prediction/v1\nversion ") for path in said)
    assert all(f"model {digest}\ntable " in path.read_text() and SUBJECTS[1] not in path.read_text() for path in said)
    assert node.verdicts(*said) == {str(path): "genuine" for path in said}
    stranger = folder / "stranger.model"
    node.run("train", folder / "study2.yaml", "-o", stranger, check=0)
    assert "not sealed in the node" in node.do("predict", stranger, plain, *treatment, code=4).stderr


def versions(node, folder, model):
    newer = ("train", folder / "study2.yaml", "-o", folder / "newer.model", "--replaces", model)
    told = json.loads(node.do(*newer, "--json").stdout)
    assert len(told["receipts"]) == 3
    entry = [entry for entry in node.entries() if entry.get("kind") == "model"][-1]
    first = next(entry for entry in node.entries() if entry.get("kind") == "model")
    assert entry["previous"] == first["object"], (entry, first)
    (folder / "study1.yaml").write_text((folder / "study1.yaml").read_text().replace("seed: 1", "seed: 3"))
    assert "SUPERSEDED: " in node.do("train", folder / "study1.yaml", "-o", folder / "third.model", "--replaces", model,
                                     code=3).stderr
    assert "--replaces" in node.run("train", folder / "study2.yaml", "-o", folder / "x", "--replaces", model, check=2).stderr


def networks(node, folder):
    """Pictures are known by their content: leave is asked for those that are sealed."""
    grey, _ = pictures.write(folder)
    (folder / "network.yaml").write_text("pictures: all.npz\n" + pictures.COMMON)
    train = ("train", folder / "network.yaml", "-o", folder / "network.model")
    assert "name no subjects" in node.do(*train, "--as", "researcher", "--purpose", "research", code=1).stderr
    node.do(*train)
    sealed, free = folder / "sealed.dcm", folder / "free.dcm"
    sealed.write_bytes(pictures.dicom(grey))
    free.write_bytes(pictures.dicom(bytes(255 - value for value in grey)))
    node.do("seal", "--subject", SUBJECTS[0], sealed)
    predict = ("predict", folder / "network.model", sealed, free, "--purpose", "treatment")
    before, kinds = node.requests(), node.kinds()
    assert "NO_CONSENT: " in node.do(*predict, "--as", "oncologist", code=3).stderr
    assert node.requests() == before + 1 and node.kinds() == kinds, "the model is refused first"
    told = node.rows(*predict, "--as", "doctor")
    assert len(told["predictions"]) == 2 and node.requests() == before + 3
    assert node.kinds() - kinds == collections.Counter(prediction=2)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        node = Node(sys.argv[1], folder / "node")
        prepare(node, folder)
        model, consents = training(node, folder)
        predicting(node, folder, model, consents)
        versions(node, folder, model)
        networks(node, folder)
        node.fsck(check=0)
        node.do("erase", "--subject", SUBJECTS[5], "--ground", "objection")
        node.fsck(check=0)
        print(f"{node.requests()} requests decided and logged; {dict(node.kinds())} sealed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
