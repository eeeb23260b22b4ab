"""Synthetic cohorts: `simulate.py RADSEAL`."""
import csv
import gzip
import json
import pathlib
import struct
import subprocess
import sys
import tempfile


def run(status, *arguments, sentence=""):
    done = subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == status and sentence in done.stderr, (arguments, done.returncode, done.stdout[-500:], done.stderr)
    return done.stdout


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def short_element(file, group, element):
    """The value of an element with an explicit VR whose length has two bytes."""
    at = file.index(struct.pack("<HH", group, element), 132)
    (size,) = struct.unpack_from("<H", file, at + 6)
    return file[at + 8:at + 8 + size].rstrip(b" \0").decode()


def check_files(files, patients):
    images = {name: file for name, file in files.items() if name.endswith(".dcm")}
    instances = {short_element(file, 0x0008, 0x0018) for file in images.values()}
    assert len(instances) == len(images), "a SOPInstanceUID comes twice"
    for name, file in images.items():
        assert short_element(file, 0x0010, 0x0010).startswith("SYNTHETIC^SIM-"), name
        assert "SYNTHETIC" in short_element(file, 0x0008, 0x1030), name
        if "/study/" in name:
            assert "SYNTHETIC" in short_element(file, 0x0008, 0x103E) and short_element(file, 0x0008, 0x001C) == "YES", name
            assert short_element(file, 0x0008, 0x0070).startswith("radseal simulation"), name
    for name, file in files.items():
        if name.endswith(".nii.gz"):
            assert gzip.decompress(file)[148:157] == b"SYNTHETIC", name
    studies = {short_element(file, 0x0020, 0x000D) for file in images.values()}
    assert len(studies) == patients


def check_tables(folder, patients):
    rows = list(csv.DictReader((folder / "clinical.csv").open()))
    truth = json.loads((folder / "truth.json").read_text())
    assert len(rows) == len(truth["patients"]) == patients and truth["synthetic"] is True
    for row, true in zip(rows, truth["patients"]):
        assert row["case"] == true["case"] and row["synthetic"] == "yes" and row["died"] in "01" and float(row["time_months"]) > 0
        assert (row["stage"] == "IV") == (row["resectability"] == "metastatic")
        assert int(row["advanced"]) == (row["resectability"] in ("locally_advanced", "metastatic"))
        first, second = true["reader_volumes_mm3"]
        assert 0.6 < first / true["volume_mm3"] < 1.7 and 0.6 < second / true["volume_mm3"] < 2.2, true["case"]


def first_order(radseal, image, mask):
    features = json.loads(run(0, radseal, "extract", image, mask, "--json"))
    return features["original_firstorder_Median"]


def check_images(radseal, folder):
    """Masks lie on the T2 image, and the true ADC of the tumour is one."""
    case = folder / "SIM-0001"
    true = first_order(radseal, case / "truth/adc.nii.gz", case / "truth/tumour.nii.gz") * 1e6
    assert 700 < true < 2100
    bright = first_order(radseal, case / "study/T2", case / "masks/reader1.dcm")
    assert 50 < bright < 1500


def main():
    radseal = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make = (radseal, "demo", "cohort", "--patients", "2", "--seed", "5")
        run(0, *make, "-o", folder / "a", "--truth", "--threads", "1")
        run(0, *make, "-o", folder / "b", "--truth", "--threads", "3")
        files = content(folder / "a")
        assert files == content(folder / "b"), "one seed gave different bytes"
        check_files(files, 2)
        check_tables(folder / "a", 2)
        check_images(radseal, folder / "a")
        run(4, *make, "-o", folder / "a", sentence="is there already")
        run(2, *make, sentence="-o")
        run(2, radseal, "demo", "cohort", "-o", folder / "c", "--patients", "0", sentence="1 to 9999")
        run(2, radseal, "demo", folder / "d", "--truth", sentence="demo cohort")
    print("simulate: good")


if __name__ == "__main__":
    main()
