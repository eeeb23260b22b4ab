"""radseal prepare, on a synthetic cohort: `prepare.py RADSEAL [DATA]`. DATA: real abdominal MR (mpmri_cmb_crc)."""
import hashlib
import json
import pathlib
import shutil
import statistics
import sys
import tempfile

import prepare_truth
from node_tools import Radseal

# Every other way that a step has, in one run.
OTHER_WAYS = """steps:
- denoise: {method: median, radius: 1, on: [T1]}
- denoise: {method: diffusion, steps: 2, on: [T2]}
- denoise: {method: nlm, rician: yes, search: 1, on: [DWI]}
- bias: {levels: 2, iterations: 5, on: [T1]}
- adc: {model: ivim}
- dce: {model: extended, t1_ms: 1100, before: 3}
- register: {transform: bspline, levels: 2, samples: 2000, steps: 5, lattice_mm: 60, on: [T1]}
- resample: {spacing_mm: [4, 4, 5], order: 0, margin_mm: 20}
- normalise: {method: percentile, low: 2, high: 98, on: [T1]}
- normalise: {method: tissue, on: [T2]}
- normalise: {method: zscore, region: mask, on: [DCE]}
- normalise: {method: zscore, region: all, on: [DWI]}
"""


def median_in(program, volume, mask):
    done = program.run("extract", volume, mask, "--json", "--quiet", check=0)
    return float(json.loads(done.stdout)["original_firstorder_Median"])


def recognition(program, cohort):
    """Every simulated manufacturer's series are what they were made as."""
    for patient in sorted(cohort.glob("SIM-*")):
        scans = json.loads(program.run("prepare", patient / "study", "--json", check=0).stdout)
        chosen = {scan["sequence"]: scan for scan in scans if scan["chosen"]}
        assert {"T1", "T2", "DWI", "DCE"} <= set(chosen), (patient.name, sorted(chosen))
        weights = [round(v["b"]) for v in chosen["DWI"]["volumes"]]
        assert weights in ([0, 50, 400, 800], [0, 100, 400, 800]), chosen["DWI"]
        times = [v["time_s"] for v in chosen["DCE"]["volumes"]]
        assert len(times) == 10 and times == sorted(times) and 180 < times[-1] < 240, times


def preparation(program, patient, out, truth):
    (out / "coarse.yaml").write_text(prepare_truth.pipeline(patient))
    mask = patient / "masks" / "reader1.dcm"
    common = ["prepare", patient / "study", "--pipeline", out / "coarse.yaml", "--mask", mask, "--quiet"]
    program.run(*common, "-o", out / "one", "-j", "1", check=0)
    program.run(*common, "-o", out / "two", "-j", "2", check=0)
    report = json.loads((out / "one" / "prepared.json").read_text())
    assert (out / "one" / "prepared.json").read_bytes() == (out / "two" / "prepared.json").read_bytes()
    names = {volume["name"] for volume in report["volumes"]}
    assert {"T1", "T2", "DWI_b0800", "ADC", "ADC_fit", "DCE_10", "DCE_iauc", "Ktrans", "ve", "vp", "T1_map", "mask"} <= names, names
    for volume in report["volumes"]:
        content = (out / "one" / volume["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == volume["sha256"], volume["name"]
    assert report["left_out"] == [] and report["grid"]["spacing_mm"] == [3.2, 3.2, 4.5]
    registered = [step for step in report["steps"] if step["step"] == "register"]
    assert registered and all(s["mutual_information_after"] >= s["mutual_information_before"] for s in registered)
    dce = next(step for step in report["steps"] if step["step"] == "dce")
    assert (dce["model"], dce["relaxivity"], dce["relaxivity_source"]) == ("extended", 5, "of the agent that is named"), dce
    assert 1 < dce["arrival_s"] - truth["arrival_s"] < 10, (dce, truth["arrival_s"])  # tissues get it later than the aorta
    adc, scanners = (median_in(program, out / "one" / f"{name}.nii.gz", out / "one" / "mask.nii.gz")
                     for name in ("ADC", "ADC_scanner"))
    assert abs(adc / scanners - 1) < 0.12, (adc, scanners)
    # Voxels at the edge have a share of the gland, whose perfusion is four times the tumour's.
    for name, (whole, core) in prepare_truth.ratios(patient, out / "one").items():
        assert abs(core - 1) < 0.15 and 0.7 < whole < 1.5, (name, whole, core)
    # Voxel by voxel beside the scanner's own map: that is a line through logarithms, to which low b-values, with what blood flows,
    # count for less, and noise for more.
    own, theirs = (prepare_truth.read(out / "one" / f"{name}.nii.gz")[2] for name in ("ADC", "ADC_scanner"))
    apart = [a / b - 1 for a, b in zip(own, theirs) if a > 500 and b > 500]
    assert len(apart) > 2000 and abs(statistics.median(apart)) < 0.1, (len(apart), statistics.median(apart))
    assert statistics.median(map(abs, apart)) < 0.15, statistics.median(map(abs, apart))
    digest = hashlib.sha256(json.dumps(report["pipeline"], separators=(",", ":")).encode()).hexdigest()
    assert digest == report["pipeline_sha256"], digest


def other_ways(program, patient, out):
    (out / "ways.yaml").write_text(OTHER_WAYS)
    program.run("prepare", patient / "study", "--pipeline", out / "ways.yaml", "--mask", patient / "masks" / "reader1.dcm",
                "-o", out / "ways", "--quiet", check=0)
    report = json.loads((out / "ways" / "prepared.json").read_text())
    assert {v["name"] for v in report["volumes"]} >= {"IVIM_D", "IVIM_f", "Ktrans", "ve", "vp", "T1", "T2"}, report["volumes"]
    done = {(step["step"], step["on"].split("_")[0]) for step in report["steps"]}
    assert done >= {("denoise", "T1"), ("denoise", "T2"), ("denoise", "DWI"), ("bias", "T1"), ("register", "T1"), ("normalise", "T1"),
                    ("normalise", "T2"), ("normalise", "DCE"), ("normalise", "DWI")}, done
    bent, = (step for step in report["steps"] if step["step"] == "register")
    assert bent["least_jacobian"] > 0 and report["grid"]["spacing_mm"] == [4, 4, 5] and report["left_out"] == [], report


def what_is_left_out_is_said(program, patient, out):
    """A sequence that is missing costs nothing else; the exit status tells."""
    broken = out / "broken"
    shutil.copytree(patient / "study", broken)
    (broken / "cut.dcm").write_bytes(next(broken.rglob("*.dcm")).read_bytes()[:300])
    done = program.run("prepare", broken, "-o", out / "left", "--step", "adc: {b_least: 600}", "--quiet", check=1)
    assert "ADC: there is one b-value" in done.stderr and "cut.dcm" in done.stderr, done.stderr
    report = json.loads((out / "left" / "prepared.json").read_text())
    assert len(report["left_out"]) == 2 and (out / "left" / "T2.nii.gz").exists()
    done = program.run("prepare", patient / "study", "--sequence", "T2=7", check=2)
    assert "SERIES=NAME" in done.stderr
    done = program.run("prepare", patient / "study", "-o", out / "x", "--step", "blur", check=1)
    assert "'blur' is unknown; there are denoise" in done.stderr, done.stderr
    done = program.run("prepare", out / "one", check=4)
    assert "no DICOM image" in done.stderr, done.stderr


def landmarks(program, out, patient):
    program.run("prepare", "fit", out / "left", "-o", out / "landmarks.txt", check=0)
    assert (out / "landmarks.txt").read_text().startswith("radseal-landmarks/v1\nT1 1\n")
    step = f"normalise: {{method: landmarks, file: {out / 'landmarks.txt'}, on: [T2]}}"
    program.run("prepare", patient / "study", "-o", out / "scaled", "--step", step, "--quiet", check=0)
    report = json.loads((out / "scaled" / "prepared.json").read_text())
    digest = hashlib.sha256((out / "landmarks.txt").read_bytes()).hexdigest()
    assert [s["landmarks_sha256"] for s in report["steps"]] == [digest]


def sealing(program, patient, out):
    node = Radseal(program.program, out / "home")
    node.init()
    node.seal(patient / "study")
    node.run("prepare", patient / "study", "-o", out / "sealed", "--step", "adc: {on: [DWI]}", "--home", node.home,
             "--quiet", check=0)
    made = [out / "sealed" / "prepared.json", out / "sealed" / "ADC.nii.gz"]
    assert set(node.verdicts(*made).values()) == {"genuine"}, node.verdicts(*made)
    node.fsck(check=0)


def real_data(program, data, out):
    scans = json.loads(program.run("prepare", data, "--json", check=0).stdout)
    told = sorted((s["sequence"], s["slices"], s["why"], s["fat_suppressed"], s["contrast"]) for s in scans)
    assert told == [("ADC", 36, "ImageType says ADC", True, False),
                    ("T2", 33, "a spin echo of TE 78 ms and long TR is weighted by T2", False, False)], told
    (out / "real.yaml").write_text(prepare_truth.STEPS.format(4, 4, 4))  # coarse, to take no time
    program.run("prepare", data, "-o", out / "real", "--pipeline", out / "real.yaml", "--quiet", check=0)
    report = json.loads((out / "real" / "prepared.json").read_text())
    assert {v["name"] for v in report["volumes"]} == {"ADC", "T2"} and report["left_out"] == []
    moved, = (step for step in report["steps"] if step["step"] == "register")
    # Both were made within one frame of reference: the patient breathed in between, and did not get up.
    assert moved["mutual_information_after"] >= moved["mutual_information_before"] and moved["greatest_mm"] < 15, moved
    assert moved["overlap_after"] > 0.9 and abs(moved["least_jacobian"] - 1) < 1e-6, moved
    tissue = sorted(value for value in prepare_truth.read(out / "real" / "ADC.nii.gz")[2] if value > 0)
    middle = tissue[len(tissue) // 2]
    assert len(tissue) > 50000 and 700 < middle < 2000 and tissue[len(tissue) * 95 // 100] < 4500, (len(tissue), middle)


def main():
    program = Radseal(sys.argv[1], "no-home")
    with tempfile.TemporaryDirectory() as scratch:
        out = pathlib.Path(scratch)
        cohort = out / "cohort"
        program.run("demo", "cohort", "--patients", "5", "--seed", "11", "--truth", "-o", cohort, "--quiet", check=0)
        truth = json.loads((cohort / "truth.json").read_text())["patients"][0]
        patient = cohort / truth["case"]
        recognition(program, cohort)
        preparation(program, patient, out, truth)
        other_ways(program, patient, out)
        what_is_left_out_is_said(program, patient, out)
        landmarks(program, out, patient)
        sealing(program, patient, out)
        if len(sys.argv) > 2:
            real_data(program, pathlib.Path(sys.argv[2]), out)


if __name__ == "__main__":
    main()
