"""What `radseal prepare` measures of synthetic tumours beside what was put in: `prepare_truth.py RADSEAL [PATIENTS [full]]` prints a
table of medians over patients. Whole: the tumour. Core: its voxels whose neighbours all belong to it, too; there no
other tissue shares the voxel."""
import array
import gzip
import pathlib
import statistics
import struct
import sys
import tempfile

from node_tools import Radseal

# Onto the grid of the truth, so that voxels can be compared one by one; little of what takes time and moves no median.
STEPS = """steps:
- register: {{within: yes, samples: 8000, on: [DCE]}}
- adc
- dce
- register: {{samples: 8000, on: [T1, DWI, DCE, ADC]}}
- resample: {{spacing_mm: [{}, {}, {}], order: 1}}
- normalise: {{on: [T1, T2]}}
"""
MAPS = {"ADC": ("adc", 1e6), "T1_map": ("t1", 1), "Ktrans": ("ktrans", 1), "ve": ("ve", 1)}


def read(path):
    """Size, spacing and voxels of a NIfTI-1 file as radseal writes it."""
    content = gzip.decompress(path.read_bytes())
    size, spacing = struct.unpack_from("<3h", content, 42), struct.unpack_from("<3f", content, 80)
    code = {2: "B", 4: "h", 16: "f", 64: "d", 512: "H"}[struct.unpack_from("<h", content, 70)[0]]
    count = size[0] * size[1] * size[2]
    at = int(struct.unpack_from("<f", content, 108)[0])
    return size, spacing, array.array(code, content[at:at + count * array.array(code).itemsize])


def pipeline(patient):
    return STEPS.format(*(round(mm, 4) for mm in read(patient / "truth" / "tumour.nii.gz")[1]))


def core(size, mask):
    steps = (1, size[0], size[0] * size[1])
    return [i for i, inside in enumerate(mask) if inside and all(mask[i - step] and mask[i + step] for step in steps)]


def ratios(patient, prepared):
    """{map: (whole, core)}: the measured median over the true one."""
    size, _, mask = read(patient / "truth" / "tumour.nii.gz")
    whole, out = [i for i, inside in enumerate(mask) if inside], {}
    for name, (true, scale) in MAPS.items():
        if not (prepared / f"{name}.nii.gz").exists():
            continue
        made, put = read(prepared / f"{name}.nii.gz"), read(patient / "truth" / f"{true}.nii.gz")
        assert made[0] == put[0] == size, (name, made[0], size)
        out[name] = tuple(statistics.median(made[2][i] for i in where) / (scale * statistics.median(put[2][i] for i in where))
                          for where in (whole, core(size, mask)))
    return out


def main():
    program, patients = Radseal(pathlib.Path(sys.argv[1]).resolve(), "no-home"), sys.argv[2] if len(sys.argv) > 2 else "10"
    size, found = sys.argv[3] if len(sys.argv) > 3 else "small", {}
    with tempfile.TemporaryDirectory() as name:
        out = pathlib.Path(name)
        program.run("demo", "cohort", "--patients", patients, "--size", size, "--seed", "11", "--truth", "-o", out / "cohort", check=0)
        for patient in sorted((out / "cohort").glob("SIM-*")):
            (out / "steps.yaml").write_text(pipeline(patient))
            program.run("prepare", patient / "study", "-o", out / patient.name, "--pipeline", out / "steps.yaml", "--quiet", check=0)
            for which, pair in ratios(patient, out / patient.name).items():
                found.setdefault(which, []).append(pair)
    print(f"measured / true, median over patients (quartiles), voxels {size}")
    for which, pairs in found.items():
        cells = [statistics.quantiles(column, n=4) for column in zip(*pairs)]
        print(f"{which:8} {len(pairs):3} patients" + "".join(f"   {part} {q[1]:.2f} ({q[0]:.2f} … {q[2]:.2f})"
                                                             for part, q in zip(("whole", "core"), cells)))


if __name__ == "__main__":
    main()
