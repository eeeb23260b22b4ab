"""Series as Enhanced MR, one file of many frames, beside the same as a file for each slice: `enhanced.py RADSEAL`. What is recognised
and every voxel that is prepared are the same, though one maker's frames have a slope. dciodvfy and dcmdump, where they are
there, have no complaint."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from node_tools import Radseal

STEPS = "steps: [adc]"
PATIENTS = 5  # one of each maker, twice Siemens-like
# What is said of a scan's files, not of the scan; TR and TE of the scanner's ADC, which was not measured with any.
OF_FILES = {"series_instance_uid", "why", "repetition_ms", "echo_ms", "flip_degrees", "fat_suppressed"}


def recognised(program, study):
    scans = json.loads(program.run("prepare", study, "--json", check=0).stdout)
    return [{key: value for key, value in scan.items() if key not in OF_FILES} for scan in scans if scan["chosen"]]


def prepared(program, study, out):
    program.run("prepare", study, "-o", out, "--pipeline", out.parent / "steps.yaml", "--quiet", check=0)
    return {path.name: path.read_bytes() for path in out.glob("*.nii.gz")}


def features(program, patient):
    """Those of the T2 image within a mask that refers to it: all but where they are from."""
    done = program.run("extract", patient / "study/T2", patient / "masks/reader1.dcm", "--json", "--quiet", check=0)
    return {name: value for name, value in json.loads(done.stdout).items() if name.startswith("original")}


def check_standard(cohort):
    files = sorted(cohort.glob("SIM-*/study/*/*.dcm"))
    assert all(len(list(path.parent.iterdir())) == 1 for path in files), "more than one file for a series"
    if shutil.which("dciodvfy"):
        for path in files + sorted(cohort.glob("SIM-*/masks/*.dcm")):
            said = subprocess.run(["dciodvfy", path], capture_output=True, text=True).stderr.splitlines()
            # SyntheticData is of 2023; the tool in Debian is older.
            errors = [line for line in said if line.startswith("Error") and "(0x0008,0x001c)" not in line]
            assert not errors, (path, errors)
    if shutil.which("dcmdump"):
        done = subprocess.run(["dcmdump", "+P", "NumberOfFrames", *files], capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr and done.stdout.count("NumberOfFrames") == len(files), done.stderr


def main():
    program = Radseal(sys.argv[1], "no-home")
    with tempfile.TemporaryDirectory() as scratch:
        out = pathlib.Path(scratch)
        (out / "steps.yaml").write_text(STEPS)
        make = ("demo", "cohort", "--patients", PATIENTS, "--seed", "11", "--quiet")
        program.run(*make, "-o", out / "slices", check=0)
        program.run(*make, "-o", out / "frames", "--enhanced", check=0)
        check_standard(out / "frames")
        for patient in sorted((out / "slices").glob("SIM-*")):
            other = out / "frames" / patient.name
            assert recognised(program, patient / "study") == recognised(program, other / "study"), patient.name
        for name in ("SIM-0001", "SIM-0002", "SIM-0003"):  # phases apart, no flip angles, frames with a slope of a half
            slices, frames = (prepared(program, out / way / name / "study", out / f"{way}-{name}") for way in ("slices", "frames"))
            assert slices and slices == frames, (name, [key for key in slices if slices[key] != frames.get(key)])
        assert features(program, out / "slices/SIM-0003") == features(program, out / "frames/SIM-0003")
    print("enhanced: good")


if __name__ == "__main__":
    main()
