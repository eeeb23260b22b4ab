"""Checkpoints and proofs of a log, checked by Go's own implementation (golang.org/x/mod/sumdb, what the Go checksum
database is read with): `receipts_go.py RADSEAL`. Skipped where Go or that module cannot be had."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from node_tools import Radseal, write_nifti

ENTRIES = 9   # with the first entry and the subject a log of 11: neither complete nor a power of two
SOURCE = pathlib.Path(__file__).resolve().parent / "receipts_go"
# The toolchain at hand, the versions of go.mod and nothing newer.
GO = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-mod=readonly -buildvcs=false", GOWORK="off")


def build(program):
    """None when the checker was built, else what is missing."""
    if not shutil.which("go"):
        return "Go is not installed"
    try:
        download = subprocess.run(["go", "mod", "download"], cwd=SOURCE, env=GO, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return "golang.org/x/mod could not be downloaded within a minute"
    # A module that is not the one of go.sum is no reason to skip.
    assert "checksum mismatch" not in download.stderr and "SECURITY" not in download.stderr, download.stderr
    if download.returncode:
        return f"golang.org/x/mod cannot be had: {download.stderr.strip().splitlines()[-1]}"
    subprocess.run(["go", "build", "-o", program, "."], cwd=SOURCE, env=GO, check=True, timeout=300)
    return None


def history(node, scratch):
    """A log that grows entry by entry: its checkpoints on the way, and all proofs at the end."""
    checkpoints = []
    for number in range(ENTRIES):
        checkpoints.append(json.loads(node.run("log", "--home", node.home, "--json", check=0).stdout)["checkpoint"])
        path = scratch / f"volume{number}.nii"
        write_nifti(path, number, side=4)
        node.seal("--subject", "P1", path)
    log = json.loads(node.run("log", "--home", node.home, "--json", check=0).stdout)
    checkpoints.append(log["checkpoint"])
    kept = json.loads(node.run("log", "--home", node.home, "--json", "--checkpoints", check=0).stdout)["checkpoints"]
    assert kept == checkpoints, "the log does not tell the checkpoints that it signed"
    assert len(log["entries"]) == ENTRIES + 2, "one entry a file and one for their subject were expected"
    sizes = [checkpoint.split("\n")[1] for checkpoint in checkpoints]
    return {
        "vkey": (node.home / "keys" / "log.vkey").read_text().strip(),
        "checkpoints": checkpoints,
        "inclusion": [node.run("log", "--home", node.home, "--proof", index, check=0).stdout
                      for index in range(ENTRIES + 2)],
        "consistency": [node.run("log", "--home", node.home, "--consistency", size, check=0).stdout for size in sizes],
    }


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        missing = build(scratch / "checker")
        if missing:
            print(f"1..0 # SKIP {missing}")
            return 0
        node = Radseal(sys.argv[1], scratch / "node")
        node.init()
        told = history(node, scratch)
        checked = subprocess.run([scratch / "checker"], input=json.dumps(told), capture_output=True, text=True,
                                 timeout=60)
        print(f"1..1\n{'not ok' if checked.returncode else 'ok'} 1 - {checked.stdout.strip()}")
        return checked.returncode


if __name__ == "__main__":
    sys.exit(main())
