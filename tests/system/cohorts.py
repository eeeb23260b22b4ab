"""Tables of cases through `radseal extract`: order, failures, labels, several sequences, provenance, and that an
interrupted run goes on where it was: `cohorts.py RADSEAL`."""
import array
import csv
import hashlib
import io
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

PLAIN = "setting: {additionalInfo: false}\nfeatureClass: {firstorder: [Mean, Maximum], shape: [VoxelVolume]}\n"


def write_nrrd(path, values, side, kind="short", spacing=1.0, extra=""):
    """A small NRRD: text header, then raw little-endian voxels."""
    code = {"short": "h", "uchar": "B"}[kind]
    head = (f"NRRD0004\ntype: {kind}\ndimension: 3\nspace: left-posterior-superior\nsizes: {side} {side} {side}\n"
            f"space directions: ({spacing},0,0) (0,{spacing},0) (0,0,{spacing})\nspace origin: (0,0,0)\n"
            f"encoding: raw\nendian: little\n{extra}\n")
    path.write_bytes(head.encode() + array.array(code, values).tobytes())


def write_image(path, seed, side=12, spacing=1.0):
    generator = random.Random(seed)
    write_nrrd(path, [generator.randrange(0, 900) for _ in range(side ** 3)], side, spacing=spacing)


def write_mask(path, boxes, side=12, spacing=1.0, extra=""):
    """boxes: {label: (first, end)} cubes along the diagonal."""
    voxels = [0] * side ** 3
    for label, (first, end) in boxes.items():
        for z in range(first, end):
            for y in range(first, end):
                for x in range(first, end):
                    voxels[(z * side + y) * side + x] = label
    write_nrrd(path, voxels, side, "uchar", spacing, extra)


class Extract:
    def __init__(self, program, folder):
        self.program, self.folder, self.count = program, folder, 0

    def __call__(self, status, *arguments, sentence=""):
        done = subprocess.run([self.program, "extract", *map(str, arguments)], capture_output=True, text=True,
                              timeout=300, cwd=self.folder)
        said = f"radseal extract {' '.join(map(str, arguments))}: {done.returncode}\n{done.stdout[-800:]}{done.stderr}"
        assert done.returncode == status, f"expected {status}; {said}"
        assert sentence in done.stderr, f"no '{sentence}'; {said}"
        self.count += 1
        return done

    def rows(self, *arguments, status=0, sentence=""):
        done = self(status, *arguments, "-f", "csv", sentence=sentence)
        return list(csv.DictReader(io.StringIO(done.stdout)))


def table(path, names, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    return path


def check_table(extract, folder):
    for i in range(12):
        write_image(folder / f"i{i}.nrrd", i)
    write_mask(folder / "m.nrrd", {1: (1, 6), 2: (7, 11)})
    (folder / "torn.nrrd").write_bytes((folder / "i0.nrrd").read_bytes()[:-5])
    cases = [[f"P{i}", f"i{i}.nrrd", "m.nrrd", f'note "{i}", x'] for i in range(12)]
    cases[4][1], cases[7][1], cases[9][2] = "gone.nrrd", "torn.nrrd", ""
    path = table(folder / "cases.csv", ["ID", "Image", "Mask", "Note"], cases)
    one = extract.rows("--batch", path, "-p", "plain.yaml", "-j", 1, status=1, sentence="3 of 12 cases failed")
    for jobs in (2, 5):
        assert extract.rows(path, "-p", "plain.yaml", "-j", jobs, status=1) == one
    assert [row["ID"] for row in one] == [case[0] for case in cases]
    assert one[3]["Note"] == 'note "3", x' and one[3]["Image"] == "i3.nrrd"
    assert {i for i, row in enumerate(one) if row["error"]} == {4, 7, 9}
    assert all((row["original_firstorder_Mean"] == "nan") == bool(row["error"]) for row in one)
    assert "gone.nrrd" in one[4]["error"] and "mask" in one[9]["error"]
    for i in (0, 5, 11):
        alone, = extract.rows(f"i{i}.nrrd", "m.nrrd", "-p", "plain.yaml")
        assert alone["original_firstorder_Mean"] == one[i]["original_firstorder_Mean"]
    text = extract(1, path, "-p", "plain.yaml", "--skip-nans").stdout
    assert "Case-12_original_firstorder_Mean: " in text and ": nan" not in text, text
    told = json.loads(extract(1, path, "-p", "plain.yaml", "--json").stdout)
    assert told[4]["original_firstorder_Mean"] is None and told[0]["ID"] == "P0"
    for names, sentence in [(["Image"], "columns Image and Mask"), (["Image", "Mask", "error"], "rename"),
                            (["Image_a b", "Mask"], "cannot name"), (["Image_t1", "Mask_t2"], "Mask_t1"),
                            (["Image", "Mask", "Image"], "twice")]:
        wrong = table(folder / "wrong.csv", names, [["x"] * len(names)])
        done = extract(1 if "rename" not in sentence else 2, "--batch", wrong, sentence=sentence)
        assert done.stdout == ""
    extract(1, "--batch", table(folder / "empty.csv", ["Image", "Mask"], []), sentence="no cases")


def check_resuming(extract, folder):
    path, out = folder / "cases.csv", folder / "out.csv"
    extract(1, "--batch", path, "-o", out, "-p", "plain.yaml", sentence="failed: case 5 (line 6): image: ")
    first = out.read_text()
    assert (folder / "out.csv.part").exists()
    write_image(folder / "gone.nrrd", 4)
    done = extract(1, "--batch", path, "-o", out, "-p", "plain.yaml", sentence="9 of 12 cases were finished before")
    assert "case 5 " not in done.stderr
    second = out.read_text()
    kept = [i for i, line in enumerate(first.splitlines()) if line == second.splitlines()[i]]
    assert kept == [i for i in range(13) if i != 5]
    # A file that changed is measured again; other settings are another run; a damaged record is no record.
    write_image(folder / "i3.nrrd", 99)
    extract(1, "--batch", path, "-o", out, "-p", "plain.yaml", sentence="9 of 12 cases were finished before")
    assert out.read_text().splitlines()[4] != second.splitlines()[4]
    write_image(folder / "i3.nrrd", 3)
    done = extract(1, "--batch", path, "-o", out, "-p", "plain.yaml", "-s", "binWidth:10")
    assert "finished before" not in done.stderr
    extract(1, "--batch", path, "-o", out, "-p", "plain.yaml")
    part = folder / "out.csv.part"
    whole = part.read_bytes()
    generator = random.Random(5)
    for _ in range(40):
        damaged = bytearray(whole)
        if generator.random() < 0.5:
            damaged[generator.randrange(len(damaged))] ^= 1 << generator.randrange(8)
        else:
            del damaged[generator.randrange(len(damaged)):]
        part.write_bytes(damaged)
        done = subprocess.run([extract.program, "extract", "--batch", path, "-o", out, "-p", "plain.yaml"],
                              capture_output=True, text=True, cwd=folder)
        if done.returncode == 4:  # its first line is no journal's any more: not ours to overwrite
            assert "in the way" in done.stderr and part.read_bytes() == damaged
        else:
            assert done.returncode == 1 and out.read_text() == second, done.stderr
        extract.count += 1
    part.unlink()


def check_kills(extract, folder):
    """Killed again and again, the run ends with the same table as without."""
    for i in range(40):
        write_image(folder / f"k{i}.nrrd", 100 + i, side=20)
    write_mask(folder / "km.nrrd", {1: (2, 18)}, side=20)
    path = table(folder / "kills.csv", ["Image", "Mask"], [[f"k{i}.nrrd", "km.nrrd"] for i in range(40)])
    command = [extract.program, "extract", "--batch", path, "-j", "2", "-o", folder / "kills_out.csv"]
    extract(0, "--batch", path, "-o", "whole.csv", "-j", 1)
    generator, killed, resumed = random.Random(3), 0, 0
    for _ in range(200):
        process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
        time.sleep(generator.uniform(0.004, 0.03))
        process.send_signal(signal.SIGKILL)
        told = process.communicate()[1]
        if process.returncode == 0:
            resumed = int(told.split(" of 40 ")[0]) if "finished before" in told else 0
            break
        killed += 1
        if (folder / "kills_out.csv").exists():  # killed after its last act
            break
    else:
        subprocess.run(command, cwd=folder, capture_output=True, check=True)
    assert (folder / "kills_out.csv").read_text() == (folder / "whole.csv").read_text()
    assert process.returncode or not (folder / "kills_out.csv.part").exists()
    print(f"killed {killed} times; the last run found {resumed} of 40 cases finished")


def check_labels(extract, folder):
    names = "Segment0_LabelValue:=1\nSegment0_Name:=liver\nSegment1_LabelValue:=2\nSegment1_Name:=tumour\n"
    write_mask(folder / "named.nrrd", {1: (1, 6), 2: (7, 11), 7: (6, 7)}, extra=names)
    case = ["i0.nrrd", "named.nrrd", "-p", "plain.yaml"]
    volumes = {"1": 125, "2": 64, "1+2": 189, "liver": 125, "liver+tumour": 189}
    for label, volume in volumes.items():
        row, = extract.rows(*case, "--label", label)
        assert float(row["original_shape_VoxelVolume"]) == volume, label
    rows = extract.rows(*case, "-l", "tumour,1,1+2")
    assert [row["Label"] for row in rows] == ["2", "1", "1+2"]
    assert [float(row["original_shape_VoxelVolume"]) for row in rows] == [64, 125, 189]
    assert [row["provenance_LabelName"] for row in rows] == ["tumour", "liver", ""]
    rows = extract.rows(*case, "--label", "all", status=1, sentence="single voxel")
    assert [row["Label"] for row in rows] == ["1", "2", "7"] and [bool(row["error"]) for row in rows] == [0, 0, 1]
    extract(1, *case, "--label", "spleen", sentence="has no label 'spleen'; it has 1 (liver), 2 (tumour), 7")
    extract(1, *case, "--label", "liver+spleen", sentence="liver+spleen")
    path = table(folder / "labels.csv", ["Image", "Mask", "Label"],
                 [["i0.nrrd", "named.nrrd", "2"], ["i1.nrrd", "named.nrrd", "liver,2"], ["i2.nrrd", "named.nrrd", ""]])
    rows = extract.rows("--batch", path, "-p", "plain.yaml", "-l", "1+2")
    assert [(row["Image"], row["Label"]) for row in rows] == [
        ("i0.nrrd", "2"), ("i1.nrrd", "1"), ("i1.nrrd", "2"), ("i2.nrrd", "1+2")]
    extract(1, *case, "-l", "2", "--minimum-roi", 64, sentence="64")
    extract(0, *case, "-l", "2", "--minimum-roi", 63)


def check_sequences(extract, folder):
    write_image(folder / "adc.nrrd", 7, side=6, spacing=2.0)
    (folder / "texture.yaml").write_text("setting: {additionalInfo: false}\nfeatureClass: {glcm: [Contrast]}\n")
    row, = extract.rows("t1=i0.nrrd", "t2=i1.nrrd", "adc=adc.nrrd", "mask=m.nrrd", "-p", "texture.yaml",
                        sentence="adc: the mask is resampled onto the image's grid")
    assert row["Image_t1"] == "i0.nrrd" and row["Mask_adc"] == "m.nrrd"
    for prefix, image in (("t1", "i0.nrrd"), ("t2", "i1.nrrd")):
        alone, = extract.rows(image, "m.nrrd", "-p", "texture.yaml", "-s", "binCount:32")
        for column in ("original_glcm_Contrast", "provenance_Settings", "provenance_Image"):
            assert row[f"{prefix}_{column}"] == alone[column], column
    chosen, = extract.rows("t1=i0.nrrd", "mask=m.nrrd", "-p", "texture.yaml", "-s", "binWidth:40")
    alone, = extract.rows("i0.nrrd", "m.nrrd", "-p", "texture.yaml", "-s", "binWidth:40")
    assert chosen["t1_original_glcm_Contrast"] == alone["original_glcm_Contrast"]
    ct, = extract.rows("CT=i0.nrrd", "mask:CT=m.nrrd", "-p", "texture.yaml")
    alone, = extract.rows("i0.nrrd", "m.nrrd", "-p", "texture.yaml")
    assert ct["CT_original_glcm_Contrast"] == alone["original_glcm_Contrast"]
    path = table(folder / "sequences.csv", ["Image_t1", "Image_t2", "Mask", "Mask_t2", "Age"],
                 [["i0.nrrd", "i1.nrrd", "m.nrrd", "m.nrrd", 3], ["i2.nrrd", "", "m.nrrd", "", 4],
                  ["i2.nrrd", "gone2.nrrd", "m.nrrd", "m.nrrd", 5], ["", "", "m.nrrd", "", 6]])
    rows = extract.rows("--batch", path, "-p", "texture.yaml", status=1, sentence="2 of 4")
    assert rows[0]["t2_original_glcm_Contrast"] == row["t2_original_glcm_Contrast"] and rows[0]["Age"] == "3"
    assert rows[1]["t2_original_glcm_Contrast"] == "nan" and rows[1]["error"] == ""
    assert rows[2]["t1_original_glcm_Contrast"] != "nan" and rows[2]["error"].startswith("t2: image: ")
    assert rows[3]["error"] == "no image is named"
    extract(1, "i0.nrrd", "adc.nrrd", sentence="grid")


def check_provenance(extract, folder):
    def sha256(path):
        return hashlib.sha256((folder / path).read_bytes())
    row, = extract.rows("i0.nrrd", "m.nrrd", "-p", "plain.yaml")
    assert row["provenance_Image"] == sha256("i0.nrrd").hexdigest()
    assert row["provenance_Mask"] == sha256("m.nrrd").hexdigest()
    head, raw = (folder / "i0.nrrd").read_bytes().split(b"\n\n", 1)
    (folder / "detached.nhdr").write_bytes(head + b"\ndata file: detached.raw\n\n")
    (folder / "detached.raw").write_bytes(raw)
    detached, = extract.rows("detached.nhdr", "m.nrrd", "-p", "plain.yaml")
    both = sorted(sha256(name).digest() for name in ("detached.nhdr", "detached.raw"))
    assert detached["provenance_Image"] == hashlib.sha256(b"".join(both)).hexdigest()
    assert detached["original_firstorder_Mean"] == row["original_firstorder_Mean"]
    assert detached["provenance_Settings"] == row["provenance_Settings"]
    other, = extract.rows("i0.nrrd", "m.nrrd", "-p", "plain.yaml", "-s", "binWidth:24")
    assert other["provenance_Settings"] != row["provenance_Settings"]


def check_options(extract, folder):
    below = folder / "below"
    below.mkdir()
    for form, image in [("absolute", folder / "i0.nrrd"), ("basename", "i0.nrrd"), ("relative", "i0.nrrd")]:
        row, = extract.rows(folder / "i0.nrrd", "m.nrrd", "-p", "plain.yaml", "--format-path", form, "-up")
        assert row["Image"] == str(image) and row["Mask"] == str(folder / "m.nrrd" if form == "absolute" else "m.nrrd")
    done = subprocess.run([extract.program, "extract", "../i0.nrrd", folder / "m.nrrd", "--format-path=relative",
                           "-p", "../plain.yaml", "-fcsv"], cwd=below, capture_output=True, text=True, check=True)
    assert [row["Mask"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["../m.nrrd"]
    path = table(folder / "two.csv", ["Image", "Mask"], [["i0.nrrd", "m.nrrd"], ["i1.nrrd", "m.nrrd"]])
    rows = extract.rows(path, "-p", "plain.yaml", "-od", "tables", "--log-file", "log", "--logging-level", "INFO")
    for i, row in enumerate(rows, 1):
        own, = csv.DictReader(io.StringIO((folder / "tables" / f"features_{i}.csv").read_text()))
        assert own == row
    assert sorted(os.listdir(folder / "tables")) == ["features_1.csv", "features_2.csv"]
    log = (folder / "log").read_text()
    assert log.count("event=case_measured") == 2 and "nrrd" not in log
    assert "2 cases can be read" in extract(0, path, "--validate").stdout
    assert "gone" in extract(1, table(folder / "gone.csv", ["Image", "Mask"], [["gone3", "m.nrrd"]]), "--validate").stdout


def check_modes(extract, folder):
    """Settings by name, and maps: a cube that holds the whole region says what the region does."""
    named = json.loads(extract(0, "i0.nrrd", "m.nrrd", "--params", "ibsi-1-a", "--json").stdout)
    assert "cm_joint_max_2D_avg" in named and "img_dim_x_init_img" in named and named["error"] == ""
    csv_row, = extract.rows("i0.nrrd", "m.nrrd", "--params", "ibsi-1-a")
    assert list(csv_row) == list(named) and float(csv_row["stat_mean"]) == named["stat_mean"]
    mode = json.loads(extract(0, "i0.nrrd", "m.nrrd", "--mode", "ibsi", "--json").stdout)
    assert "stat_mean" in mode
    extract(2, "i0.nrrd", "m.nrrd", "--params", "ibsi-9", sentence="ibsi-1-e")
    extract(2, "i0.nrrd", "m.nrrd", "--mode", "voxel", "-p", "ibsi-1-a", "-m", "voxel", sentence="given twice")
    whole, = extract.rows("i0.nrrd", "m.nrrd", "-s", "binWidth:100")
    rows = extract.rows("i0.nrrd", "m.nrrd", "-s", "binWidth:100", "-s", "kernelRadius:12", "-m", "voxel", "-od", "maps",
                        "--label", "1,2")
    assert [row["Label"] for row in rows] == ["1", "2"]
    names = [name for name in whole if name.startswith("original_") and "_shape_" not in name]
    assert len(names) == 93 and len(os.listdir(folder / "maps")) == 186
    for name in names:
        assert rows[0][name] == f"maps/Case-1_label-1_{name}.nrrd"
    again, = extract.rows(rows[0]["original_firstorder_Mean"], "m.nrrd", "-p", "plain.yaml", "-s", "geometryTolerance:1")
    assert float(again["original_firstorder_Maximum"]) == float(whole["original_firstorder_Mean"])
    extract(0, "t1=i0.nrrd", "mask=m.nrrd", "-m", "voxel", "-od", "nifti", "--map-format", "nii.gz")
    assert (folder / "nifti/Case-1_t1_original_glcm_Contrast.nii.gz").exists()
    extract(2, "i0.nrrd", "m.nrrd", "--map-format", "nrrd", sentence="--mode voxel")
    extract(2, "i0.nrrd", "m.nrrd", "-m", "voxel", "--map-format", "png", sentence="nii.gz")


def check_sealing(extract, folder):
    """Vectors are sealed under the subject of their image; a run that is resumed does not seal them twice."""
    def radseal(status, *arguments):
        done = subprocess.run([extract.program, *map(str, arguments)], capture_output=True, text=True, cwd=folder)
        assert done.returncode == status, f"{arguments}: {done.returncode} {done.stdout}{done.stderr}"
        return done.stdout
    radseal(0, "init", "node", "--quiet")
    radseal(0, "seal", "--home", "node", "--quiet", "--subject", "P1", "i0.nrrd", "m.nrrd")
    row, = extract.rows("i0.nrrd", "m.nrrd", "-p", "plain.yaml", "--home", "node", "-od", "vectors")
    vector = folder / "vectors/Case-1_label-1.features"
    assert (folder / row["provenance_Receipt"]).exists()
    told = json.loads(radseal(0, "verify", "--home", "node", "--json", vector))
    assert told[0]["verdict"] == "genuine"
    radseal(0, "verify", "--offline", "--receipt", row["provenance_Receipt"], "--key", "node/keys/log.vkey", vector)
    assert json.loads(radseal(0, "fsck", "--home", "node", "--json"))["subjects"] == 1
    lines = vector.read_text().splitlines()
    assert f"image {row['provenance_Image']}" in lines and f"settings {row['provenance_Settings']}" in lines
    assert f"original_firstorder_Mean {row['original_firstorder_Mean']}" in lines
    again, = extract.rows("i0.nrrd", "m.nrrd", "-p", "plain.yaml", "--home", "node", "-od", "vectors")
    assert again == row
    vector.write_text(vector.read_text().replace("Mean 4", "Mean 5"))
    radseal(1, "verify", "--home", "node", vector)
    vector.write_text("radseal-features/v1\nversion 1\n")
    radseal(1, "seal", "--home", "node", vector)
    count = len(list((folder / "node/receipts").rglob("*.tlog-proof")))
    path = table(folder / "sealed.csv", ["Image_t1", "Image_t2", "Mask"],
                 [[f"i{i}.nrrd", f"i{i + 1}.nrrd", "m.nrrd"] for i in range(6)] + [["gone9.nrrd", "i1.nrrd", "m.nrrd"]])
    command = ["--batch", path, "-p", "plain.yaml", "--home", "node", "-o", "sealed_out.csv", "-l", "1,2", "-j", 4]
    extract(1, *command, sentence="1 of 7")
    rows = list(csv.DictReader((folder / "sealed_out.csv").open()))
    for row in rows[:4]:  # a vector names the settings that its row does, whatever the label
        vector = folder / f"Case-{rows.index(row) // 2 + 1}_t1_label-{row['Label']}.features"
        assert f"settings {row['t1_provenance_Settings']}\n" in vector.read_text()
    receipts = {row[f"{name}_provenance_Receipt"] for row in rows for name in ("t1", "t2")} - {""}
    assert len(receipts) == 24 and all((folder / receipt).exists() for receipt in receipts), len(receipts)
    sealed = len(list((folder / "node/receipts").rglob("*.tlog-proof")))
    assert sealed == count + 24  # those of the case that failed are those of the first
    extract(1, *command, sentence="6 of 7 cases were finished before")
    assert len(list((folder / "node/receipts").rglob("*.tlog-proof"))) == sealed
    radseal(0, "fsck", "--home", "node")
    extract(2, "i0.nrrd", "m.nrrd", "-m", "voxel", "--home", "node", sentence="maps are not sealed")
    extract(4, "i0.nrrd", "m.nrrd", "--home", "nowhere", sentence="radseal init")


def main():
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch).resolve()
        (folder / "plain.yaml").write_text(PLAIN)
        extract = Extract(pathlib.Path(sys.argv[1]).resolve(), folder)
        for check in (check_table, check_resuming, check_kills, check_labels, check_sequences, check_provenance,
                      check_options, check_modes, check_sealing):
            check(extract, folder)
        print(f"{extract.count} runs of extract")


if __name__ == "__main__":
    main()
