"""Backing up, restoring and erasing: `backup_bench.py RADSEAL [--runs N] [--subjects N] [--megabytes N]`. In the same run and of the
same node: radseal backup, first and again, and restore, beside cp -a and rsync -a of its directory, synced; then erasing of one
subject in many. Medians. BENCH_DIR names a folder on the disk to measure."""
import argparse
import hashlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

from seal_bench import quietly, timed, write_image


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def copied(home, target, program):
    """As an administrator would: the directory, then a sync; neither reads again what it wrote."""
    quietly(*program, f"{home}/.", target)
    os.sync()


def back_up(program, home, scratch):
    quietly(program, "backup", scratch / "data", "--keys", scratch / "keys", "--home", home)


def restore(program, home, scratch):
    keys = sorted((scratch / "keys").iterdir())[-1]
    quietly(program, "restore", scratch / "data", "--keys", keys, "--unlock-file", home / "keys" / "unlock.key", "--home",
            scratch / "restored")


def measure(program, home, scratch, runs):
    copies = {"cp -a": ["cp", "-a"]}
    if shutil.which("rsync"):
        copies["rsync -a"] = ["rsync", "-a"]
    results = {}

    def note(name, *arguments):
        os.sync()
        results.setdefault(name, []).append(timed(*arguments))
    for _ in range(runs):
        for name, command in copies.items():
            note(name, copied, home, scratch / "copy", command)
            if name == "rsync -a":
                note("rsync -a again", copied, home, scratch / "copy", command)
            shutil.rmtree(scratch / "copy")
        note("radseal backup", back_up, program, home, scratch)
        note("radseal backup again", back_up, program, home, scratch)
        note("radseal backup --verify", quietly, program, "backup", scratch / "data", "--verify", "--home", home)
        note("radseal restore", restore, program, home, scratch)
        for name in ("data", "keys", "restored"):
            shutil.rmtree(scratch / name)
    return results


def print_rates(title, results, size):
    print(f"\n{title}: {size / 1e6:.0f} MB")
    base = statistics.median(results["cp -a"])
    for name, values in results.items():
        median = statistics.median(values)
        print(f"  {name:26} {median:9.0f} ms  {size / 1e3 / median:8.0f} MB/s  {median / base:6.2f} × cp -a")


def erase_some(program, scratch, subjects, runs):
    home, files = scratch / "many", []
    (scratch / "small").mkdir()
    for number in range(subjects):
        files.append(scratch / "small" / f"{number}.nii")
        write_image(files[-1], 4096)
    quietly(program, "init", home)
    start = time.monotonic()
    quietly(program, "seal", "--home", home, "--quiet", scratch / "small")
    sealing = time.monotonic() - start
    times = []
    for path in files[:runs]:
        who = hashlib.sha256(path.read_bytes()).hexdigest()
        times.append(timed(quietly, program, "erase", "--home", home, "--issuer", "radseal:content", "--subject", who))
    told = json.loads(subprocess.run([program, "erase", "--home", home, "--issuer", "radseal:content", "--json", "--subject",
                                      hashlib.sha256(files[runs].read_bytes()).hexdigest()], check=True,
                                     capture_output=True).stdout)
    print(f"\nerasing one subject of {subjects} ({sealing:.0f} s to seal, one file each): median "
          f"{statistics.median(times):.0f} ms, with {told['keys_tried']} keys tried and {told['bytes_searched'] / 1e6:.1f} MB "
          "of databases searched")
    return home


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--subjects", type=int, default=10000)
    parser.add_argument("--megabytes", type=int, default=512)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        scratch, program = pathlib.Path(folder), options.program.resolve()
        (scratch / "large").mkdir()
        for number in range(max(options.megabytes // 64, 1)):
            write_image(scratch / "large" / f"{number}.nii", 64 << 20)
        quietly(program, "init", scratch / "node")
        quietly(program, "seal", "--home", scratch / "node", "--quiet", scratch / "large")
        print_rates("objects of 64 MB", measure(program, scratch / "node", scratch, options.runs), size_of(scratch / "node"))
        home = erase_some(program, scratch, options.subjects, 5)
        print_rates(f"{options.subjects} objects of 4 KB", measure(program, home, scratch, options.runs), size_of(home))


if __name__ == "__main__":
    main()
