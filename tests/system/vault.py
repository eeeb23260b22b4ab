"""Looking after stored objects on real files: `vault.py RADSEAL`. Scrubs keep to their rate and go on where they were stopped;
collecting garbage beside processes that seal takes nothing of theirs; a small disk that fills up (a tmpfs, where this user may
mount one) loses nothing and refuses with a sentence."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from node_tools import Radseal, files_below, write_nifti

MIB = 1 << 20


def scrub_keeps_its_rate_and_goes_on(program, scratch):
    node = Radseal(program, scratch / "scrubbed")
    node.init()
    for number in range(8):
        write_nifti(scratch / f"s{number}.nii", number, side=100)  # 2 MB each
    node.seal(*scratch.glob("s*.nii"))
    begun = time.monotonic()
    node.run("vault", "scrub", "--rate", 8, "--max-age", 0, "--home", node.home, check=0)
    spent = time.monotonic() - begun
    assert 1.5 < spent < 20, f"16 MB at 8 MB/s took {spent} s"
    # Nothing is younger than 0 days; half of it, then stopped: the next one does the rest alone.
    time.sleep(1)
    process = subprocess.Popen([program, "vault", "scrub", "--rate", "4", "--max-age", "0", "--json", "--home", str(node.home)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(2)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0 and b"goes on from here" in said, said
    status = json.loads(node.run("vault", "status", "--json", "--home", node.home, check=0).stdout)
    assert status["checked"] == 8 and status["faulty"] == 0
    (node.home / "vault.sqlite").unlink()
    for path in node.home.glob("vault.sqlite-*"):
        path.unlink()
    process = subprocess.Popen([program, "vault", "scrub", "--rate", "4", "--home", str(node.home)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    time.sleep(2)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    rest = json.loads(node.run("vault", "scrub", "--json", "--home", node.home, check=0).stdout)
    assert 0 < rest["done"] < 8 and rest["looked"] == 8, rest
    return f"{rest['done']} of 8 objects were left when the scrub was stopped"


def gc_beside_sealing(program, scratch):
    node = Radseal(program, scratch / "busy")
    node.init()
    folders = []
    for run in range(6):
        folders.append(scratch / f"run{run}")
        folders[-1].mkdir()
        for number in range(40):
            write_nifti(folders[-1] / f"{number}.nii", run * 100 + number, side=8)
    sealing = subprocess.Popen(["sh", "-c", " && ".join(f"'{program}' seal --quiet --home '{node.home}' '{folder}' > /dev/null"
                                                        for folder in folders)])
    rounds = 0
    while sealing.poll() is None:
        done = node.run("vault", "gc", "--json", "--home", node.home)
        # It waits for nobody; that a writer just holds the node is told, and no more.
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["done"] == 0, done.stdout
        rounds += 1
    assert sealing.returncode == 0, "sealing was disturbed"
    assert len(files_below(node.home / "vault/objects")) == 240
    node.fsck(check=0)
    return f"{rounds} collections beside sealing"


def on_a_small_disk(program, disk):
    """In a mount of 24 MiB."""
    node = Radseal(program, disk / "node")
    node.init()
    (node.home / "radseal.yaml").open("a").write("\nvault:\n  reserve: 4 MiB\n")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as elsewhere:
        elsewhere = pathlib.Path(elsewhere)
        sealed, refused = [], None
        for number in range(20):
            path = elsewhere / f"{number}.nii"
            write_nifti(path, number, side=100)
            done = node.seal(path, check=None)
            if done.returncode:
                refused = done
                break
            sealed.append(path)
        assert refused and refused.returncode == 4 and "kept for the ledger" in refused.stderr, refused
        assert 3 <= len(sealed) < 12 and not list((node.home / "vault/tmp").iterdir())
        write_nifti(elsewhere / "small.nii", 77, side=4)
        node.seal(elsewhere / "small.nii")  # the reserve is for this: small entries go on
        sealed.append(elsewhere / "small.nii")
        # Others fill the disk to the last byte.
        with open(disk / "others", "wb", buffering=0) as others:
            try:
                while True:
                    others.write(bytes(65536))
            except OSError:
                pass
        (node.home / "radseal.yaml").write_text((node.home / "radseal.yaml").read_text().replace("4 MiB", "0"))
        write_nifti(elsewhere / "more.nii", 78, side=30)
        done = node.seal(elsewhere / "more.nii", check=None)
        assert done.returncode == 4 and done.stderr.startswith("radseal: "), (done.returncode, done.stderr)
        (disk / "others").unlink()
        node.seal(elsewhere / "more.nii")
        assert set(node.verdicts(*sealed, elsewhere / "more.nii").values()) == {"genuine"}
        node.fsck(check=0)
    print(f"a disk of 24 MiB took {len(sealed)} files, refused the next one, and lost nothing when it was full")


def small_disk(program):
    """A mount in a namespace of its own needs no rights where the system allows such to users; elsewhere it is left out."""
    with tempfile.TemporaryDirectory() as place:
        command = ["unshare", "-Urm", "sh", "-c", f"mount -t tmpfs -o size=24m none '{place}' && exec '{sys.executable}' "
                   f"'{__file__}' '{program}' --disk '{place}'"]
        if subprocess.run(["unshare", "-Urm", "true"], capture_output=True).returncode:
            return "no small disk: this system lets us mount none"
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()


def main():
    program = os.path.abspath(sys.argv[1])
    if "--disk" in sys.argv:
        return on_a_small_disk(program, pathlib.Path(sys.argv[3]))
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        print(scrub_keeps_its_rate_and_goes_on(program, scratch))
        print(gc_beside_sealing(program, scratch))
    print(small_disk(program))


if __name__ == "__main__":
    main()
