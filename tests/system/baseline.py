"""PyRadiomics' own baseline, the values its tests expect: every column of ../shared's baseline_*.csv through `radseal
extract` with the settings that stand in the column: `baseline.py RADSEAL DATA`."""
import ast
import csv
import json
import math
import pathlib
import subprocess
import sys
import tempfile

TOLERANCE = 1e-9
# One column is of a version (2.0.1) whose mesh PyRadiomics itself changed afterwards; its tests allow 3 % of everything.
OLDER_MESH, OLDER_TOLERANCE = {"MeshVolume", "SurfaceArea", "SurfaceVolumeRatio", "Sphericity"}, 1e-3


def columns(path):
    """(test case, {row: text}) of every column."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    for number, name in enumerate(rows[0][1:], 1):
        yield name, {row[0]: row[number] for row in rows[1:] if row}


def compare(radseal, folder, scratch, feature_class, name, rows):
    settings = {key: value for key, value in ast.literal_eval(rows["diagnostics_Configuration_Settings"]).items()
                if value is not None}
    params = scratch / "params.json"
    params.write_text(json.dumps({"setting": settings, "featureClass": {feature_class: [
        key.rsplit("_", 1)[1] for key in rows if key.startswith(f"original_{feature_class}_")]}}))
    case = rows.get("diagnostics_Configuration_TestCase") or "brain1"
    image, mask = folder / (case + "_image.nrrd"), folder / (case + "_label.nrrd")
    if not image.exists():
        print(f"{feature_class} {name} is left out: {image.name} is not in the data")
        return 0
    done = subprocess.run([radseal, "extract", image, mask, "--params", params, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, f"{feature_class} {name}: {done.stderr}"
    got, count = json.loads(done.stdout), 0
    for key, text in rows.items():
        if not key.startswith("original_"):
            continue
        value, want = got[key], float(text)
        value = math.nan if value is None else value
        older = key.rsplit("_", 1)[1] in OLDER_MESH and rows["diagnostics_Versions_PyRadiomics"].startswith("2.0.1")
        tolerance = OLDER_TOLERANCE if older else TOLERANCE
        same = math.isnan(value) and math.isnan(want) or abs(value - want) <= tolerance * abs(want) + 1e-12
        assert same, f"{feature_class} {name} {key}: {value}, the baseline has {want}"
        count += 1
    return count


def main():
    radseal, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]) / "radiomics/pyradiomics"
    count = tables = 0
    with tempfile.TemporaryDirectory() as scratch:
        for path in sorted((folder / "baseline").glob("baseline_*.csv")):
            feature_class = path.stem.split("_")[1]
            for name, rows in columns(path):
                count += compare(radseal, folder, pathlib.Path(scratch), feature_class, name, rows)
                tables += 1
    print(f"{count} values of {tables} test cases equal PyRadiomics' baseline")


if __name__ == "__main__":
    main()
