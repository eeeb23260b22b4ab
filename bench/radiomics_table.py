#!/usr/bin/env python3
"""The table of speed and memory of radiomics, radseal and PyRadiomics in one run; see bench/radiomics.

usage: radiomics_table.py BUILD [--peer PYTHON] [--quick]
--peer   a Python that has PyRadiomics; empty: its columns stay empty
--quick  PyRadiomics does not make its maps (they take it more than half a minute)
Times are medians in one thread, reading left out, of all that PyRadiomics' execute() and rs_radiomics_extract() do with
volumes in memory (checks and cutting included, diagnostics not); CPU is processor time, which a busy machine disturbs less: where only
that is below the target, met says so. The gain of two threads can be judged on an idle machine only. Memory is the
most that an equal job held (maximum resident set), reading and interpreter included."""
import argparse
import os
import pathlib
import subprocess
import tempfile

PHANTOM = "ibsi1/ibsi_1_ct_radiomics_phantom/nifti"
# what is printed, kind of job, case, turns of radseal and of PyRadiomics (0: it does not do this), target in ms
WORKS = [
    ("107 features, brain1", "original", "brain1", 15, 7, 4),
    ("107 features, IBSI CT", "original", "ct", 9, 5, 60),
    ("107 features, ball of 128", "original", "ball", 5, 1, 400),
    ("1,316 features, IBSI CT", "classic", "ct", 5, 1, 700),
    ("93 maps, brain1", "maps", "brain1", 3, 1, 1000),
    ("Moran/Geary, box of 100", "moran", "box", 3, 0, 2000),
]
LINE = "{:25s} {:>11s} {:>7s} {:>9s} {:>7s} {:>7s} {:>7s} {:>7s} {:>9s} {:>7s} {:>6s} {:>9s} {:>8s}"
CLASSIC = "imageType: {Original: {}, Wavelet: {}, LoG: {sigma: [1.0, 2.0, 3.0, 4.0, 5.0]}}\n"


def make(bench, folder, what, side):
    image, mask = folder / f"{what}-{side}.nrrd", folder / f"{what}-{side}-mask.nrrd"
    if not mask.exists():
        subprocess.run([bench, "make", what, str(side), image, mask], check=True)
    return image, mask


def find_cases(bench, build):
    """Real data where it is, else made-up cases of about as many voxels, which is said."""
    folder = build / "bench-data"
    folder.mkdir(exist_ok=True)
    cases = {"ball": make(bench, folder, "ball", 128), "box": make(bench, folder, "box", 100)}
    data = pathlib.Path(os.environ.get("RADSEAL_DATA") or "../shared/data") / "radiomics"
    brain = data / "pyradiomics/brain1_image.nrrd", data / "pyradiomics/brain1_label.nrrd"
    ct = data / PHANTOM / "image/phantom.nii.gz", data / PHANTOM / "mask/mask.nii.gz"
    cases["brain1"] = brain if brain[0].exists() else make(bench, folder, "lumps", 24)
    cases["ct"] = ct if ct[0].exists() else make(bench, folder, "lumps", 72)
    if not (brain[0].exists() and ct[0].exists()):
        print(f"{data} is not here: brain1 and IBSI CT are made-up regions of about as many voxels.")
    return cases


def run(command):
    """Figures by name, from lines "NAME FIGURE…"."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} {command[1]}: exit status {done.returncode}\n{done.stderr}")
    figures = {}
    for line in done.stdout.splitlines():
        name, *rest = line.split()
        if name == "phase":
            figures.setdefault("phases", {})[rest[0]] = float(rest[1])
        elif name in ("one", "two", "count", "peak"):
            figures[name] = [float(figure) for figure in rest]
    return figures


def peak_of(bench, command):
    return run([bench, "peak", *command])["peak"][0] / 1024


def our_command(program, kind, image, mask, folder):
    command = [program, "extract", image, mask, "--threads", "1", "--quiet", "--setting", "geometryTolerance:0.001"]
    if kind == "classic":
        settings = folder / "classic.yaml"
        settings.write_text(CLASSIC)
        command += ["--params", settings]
    if kind == "maps":
        command += ["--mode", "voxel", "--out-dir", folder / "maps"]
    return command + ["--output", folder / "out.csv"]


def measure(options, bench, program, work, cases):
    name, kind, case, turns, peer_turns, target = work
    image, mask = cases[case]
    ours = run([bench, "time", kind, image, mask, turns])
    peer = [options.peer, "bench/radiomics_peer.py", kind, image, mask]
    theirs, memory = {}, ("", "")
    left_out = not options.peer or not peer_turns or (options.quick and kind == "maps")
    if not left_out:
        theirs = run([*peer, peer_turns])
    if kind != "moran":
        with tempfile.TemporaryDirectory() as folder:
            command = our_command(program, kind, image, mask, pathlib.Path(folder))
            here = peak_of(bench, command)
        there = "" if left_out or kind == "maps" else f"{peak_of(bench, [*peer, 1]):.0f}"
        memory = f"{here:.0f}", there
    return {"name": name, "target": target, "ours": ours, "theirs": theirs, "memory": memory}


def print_row(row):
    (one, least, cpu), (two, two_least, _) = row["ours"]["one"], row["ours"]["two"]
    theirs = row["theirs"].get("one")
    peer = [f"{theirs[0]:,.0f}", f"{theirs[2]:,.0f}", f"{theirs[2] / cpu:.1f}x"] if theirs else ["-", "-", "-"]
    met = "yes" if one < row["target"] else "by CPU" if cpu < row["target"] else "no"
    here, there = row["memory"]
    print(LINE.format(row["name"], *peer[:2], f"{one:.2f}", f"{cpu:.2f}", peer[2], f"< {row['target']}", met, f"{two:.2f}",
                      f"{one / two:.2f}x", f"{least / two_least:.2f}x", there or "-", here or "-"), flush=True)


def print_phases(row):
    phases = row["ours"].get("phases")
    if phases:
        whole = row["ours"]["one"][2]
        shares = ", ".join(f"{name} {100 * ms / whole:.0f} %" for name, ms in phases.items())
        print(f"{row['name']}: {shares}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--peer", default="")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    bench, program = options.build / "bench/radiomics_bench", options.build / "src/cli/radseal"
    cases = find_cases(bench, options.build)
    print(f"load average at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; times in ms; "
          "two threads should be at least 1.8 times as fast")
    print(LINE.format("", "PyRadiomics", "CPU", "radseal", "CPU", "CPU", "target", "met", "2 threads", "median", "least",
                      "MiB: Py.", "radseal"))
    rows = []
    for work in WORKS:
        rows.append(measure(options, bench, program, work, cases))
        print_row(rows[-1])
    print("shares of processor time in one thread (levels: grey levels and what else the families share):")
    for row in rows:
        print_phases(row)
    print(f"load average at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
