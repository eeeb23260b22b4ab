"""Backups: whole while others seal, useless to a thief, older ones go, and a restored node is the old one; through kill -9:
`backups.py RADSEAL`."""
import json
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from node_tools import Radseal, files_below, write_nifti
from subjects import write_dicom

NAMES = {"patient": "SECRET-PATIENT-4711", "name": "Doe^Jane", "study": "1.2.826.4711.1", "series": "1.2.826.4711.2"}


class Site:
    """A node, and the places of its backups."""

    def __init__(self, program, scratch):
        self.program, self.scratch = program, scratch
        self.node = Radseal(program, scratch / "node")
        self.data, self.keys = scratch / "data-backup", scratch / "key-backup"
        self.node.init()
        self.restored = 0

    def back_up(self, *arguments, keys=True, check=0):
        done = self.node.run("backup", self.data, *(["--keys", self.keys] if keys else []), "--home", self.node.home,
                             "--json", *arguments, check=check)
        return json.loads(done.stdout) if done.returncode == 0 else done.stderr

    def restore(self, *arguments, keys=None, check=0):
        self.restored += 1
        home = self.scratch / f"restored{self.restored}"
        done = self.node.run("restore", self.data, "--keys", keys or sorted(self.keys.glob("*.backup"))[-1],
                             "--unlock-file", self.node.home / "keys" / "unlock.key", "--home", home, "--json",
                             *arguments, check=check)
        return Radseal(self.program, home), json.loads(done.stdout) if done.returncode == 0 else done.stderr


def kept_names(home):
    """What lies in a node, by place; SQLite's logs and the lock come and go."""
    return {str(path.relative_to(home)) for path in files_below(home) if not path.name.endswith(("-wal", "-shm", "lock"))}


def a_restored_node_is_the_old_one(site, volumes, dicom):
    first = site.back_up()
    assert first["objects"] == 11 and first["subjects"] == 11 and first["bytes"] > 10 * 24 ** 3 * 2, first
    assert site.back_up()["bytes"] == 0, "nothing is new"
    node, told = site.restore()
    assert (told["objects"], told["receipts"], told["locked"], told["missing"]) == (11, 11, 0, 0), told
    assert kept_names(node.home) == kept_names(site.node.home), kept_names(node.home) ^ kept_names(site.node.home)
    node.fsck(check=0)
    assert set(node.verdicts(*volumes, dicom).values()) == {"genuine"}
    assert (node.home / "keys" / "log.vkey").read_bytes() == (site.node.home / "keys" / "log.vkey").read_bytes()
    node.seal(volumes[0])
    # What is there already is not overwritten.
    done = site.node.run("restore", site.data, "--keys", "none", "--home", node.home, "--unlock-file",
                         site.node.home / "keys" / "unlock.key")
    assert done.returncode == 4 and "there is a node here already" in done.stderr, done.stderr
    other = site.node.run("backup", site.scratch, "--home", site.node.home)
    assert other.returncode == 4 and "no backup" in other.stderr, other.stderr


def a_thief_finds_nothing(site, volumes, dicom):
    """In the data backup, which lies where many can reach it: no name, UID, hash, path, voxel, or key, by whatever name."""
    unlock = (site.node.home / "keys" / "unlock.key").read_bytes()
    wanted = [text.encode() for text in NAMES.values()] + [b"1.2.4711", unlock, unlock.hex().encode(), b"SQLite format"]
    wanted += [volume.read_bytes()[offset:offset + 16] for volume in volumes for offset in (352, 20000)]
    receipts = [line for path in files_below(site.node.home / "receipts") for line in path.read_text().splitlines()]
    wanted += [line.encode() for line in receipts if len(line) > 40]
    for path in files_below(site.data):
        content = path.read_bytes()
        found = [text for text in wanted if text in content or text in str(path).encode()]
        assert not found, (path, found[0])
    for path in files_below(site.keys):
        assert not [text for text in wanted[:8] if text in path.read_bytes()], path
    # With a key store of his own, nothing opens.
    thief = Site(site.program, site.scratch / "thief")
    thief.back_up()
    thief.data = site.data
    _, sentence = thief.restore(check=1)
    assert "another node's keys" in sentence, sentence
    assert thief.node.run("backup", site.data, "--verify", "--home", thief.node.home).returncode == 1
    # Nor with the right key store and no unlock file, or a wrong one.
    wrong = site.scratch / "wrong.key"
    wrong.write_bytes(bytes(32))
    wrong.chmod(0o600)
    done = site.node.run("restore", site.data, "--keys", next(site.keys.glob("*.backup")), "--unlock-file", wrong,
                         "--home", site.scratch / "nothing")
    assert done.returncode == 4 and not (site.scratch / "nothing" / "radseal.yaml").exists(), done.stderr


def while_others_seal(site, scratch):
    """Backups of a node that is being written to: each of them becomes a whole node."""
    files = []
    for number in range(300, 420):
        files.append(scratch / f"busy{number}.nii")
        write_nifti(files[-1], number, side=6)
    script = "\n".join(f"'{site.program}' seal --home '{site.node.home}' --quiet '{path}' >/dev/null" for path in files)
    sealing = subprocess.Popen(["sh", "-ec", script])
    sizes = []
    while sealing.poll() is None:
        sizes.append(site.back_up()["objects"])
        node, told = site.restore()
        assert told["locked"] == 0, told
        node.fsck(check=0)
        shutil.rmtree(node.home)
    assert sealing.returncode == 0 and len(set(sizes)) > 2, sizes
    site.back_up()
    assert set(site.restore()[0].verdicts(*files).values()) == {"genuine"}
    return len(sizes)


def older_ones_go(site, scratch):
    before = len(files_below(site.data / "objects"))
    told = site.back_up("--keep", "2")
    assert len(list((site.data / "backups").iterdir())) == 2 and told["removed"] > 0
    assert len(files_below(site.data / "objects")) == before - told["removed"]
    site.node.run("backup", site.data, "--verify", "--home", site.node.home, check=0)
    oldest = min((site.data / "backups").iterdir()).name.removesuffix(".manifest")
    site.node.run("backup", site.data, "--verify", "--backup", oldest, "--home", site.node.home, check=0)
    site.restore("--backup", oldest)[0].fsck(check=0)
    # Key-store backups go when their day has passed; others stay.
    names = set(path.name for path in site.keys.iterdir())
    assert all(re.fullmatch(r"radseal-keys-\d{4}-\d\d-\d\dT[\d-]+Z-until-\d{4}-\d\d-\d\d\.backup", name) for name in names)
    site.node.run("backup", "--keys", site.keys, "--days", "0", "--home", site.node.home, check=0)
    time.sleep(0.01)
    site.node.run("backup", "--keys", site.keys, "--home", site.node.home, check=0)
    assert len(list(site.keys.iterdir())) == len(names) + 1, "the one of no days went"


def a_rollback_is_refused(site, scratch):
    site.back_up()
    path = scratch / "later.nii"
    write_nifti(path, 900)
    site.node.seal(path)
    newest = site.node.home / "keys" / "last-checkpoint"
    _, sentence = site.restore("--checkpoint", newest, check=1)
    assert "rollback" in sentence and "--checkpoint" in sentence, sentence
    _, told = site.restore()
    assert told["missing"] == 0, "nothing known says otherwise"
    node, _ = site.restore("--checkpoint", newest, "--accept-rollback")
    assert (node.home / "keys" / "rolled-back-checkpoint").read_bytes() == newest.read_bytes()
    node.fsck(check=0)
    # A cosigned checkpoint that the key store knows counts like that; one of the log's own tells what is missing.
    site.node.run("backup", "--keys", site.keys, "--home", site.node.home, check=0)
    assert site.restore()[1]["missing"] == 1 + 1, "the object, and its subject"
    shutil.copy(newest, newest.with_name("cosigned-checkpoint"))
    site.node.run("backup", "--keys", site.keys, "--home", site.node.home, check=0)
    _, sentence = site.restore(check=1)
    assert "rollback" in sentence and "key-store backup" in sentence, sentence
    # Without the newest keys, what was sealed since is locked, and that is told.
    site.back_up(keys=False)
    keys = sorted(site.keys.glob("*.backup"))[0]
    _, sentence = site.restore(keys=keys, check=1)
    assert "sealed after the key-store backup" in sentence, sentence


def killed(site, arguments, generator):
    """True when the process did not come to its end."""
    process = subprocess.Popen([site.program, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(generator.random() * 0.15)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def kills(site, scratch, rounds=12):
    generator, count = random.Random(4), 0
    for number in range(rounds):
        path = scratch / f"kill{number}.nii"
        write_nifti(path, 1000 + number)
        site.node.seal(path)
        count += killed(site, ["backup", site.data, "--home", site.node.home], generator)
        site.node.run("backup", site.data, "--verify", "--home", site.node.home, check=0)
        site.back_up()
        home = scratch / f"killed{number}"
        arguments = ["restore", site.data, "--keys", sorted(site.keys.glob("*.backup"))[-1], "--unlock-file",
                     site.node.home / "keys" / "unlock.key", "--home", home]
        count += killed(site, arguments, generator)
        if not (home / "radseal.yaml").exists():
            site.node.run(*arguments, check=0)
        restored = Radseal(site.program, home)
        restored.fsck(check=0)
        assert restored.verdicts(path)[str(path)] == "genuine"
        shutil.rmtree(home)
    return count


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        site = Site(sys.argv[1], scratch)
        volumes = [scratch / f"volume{i}.nii" for i in range(10)]
        for i, path in enumerate(volumes):
            write_nifti(path, i)
        dicom = scratch / "image.dcm"
        write_dicom(dicom, 4711, **NAMES)
        site.node.seal(*volumes, dicom)
        a_restored_node_is_the_old_one(site, volumes, dicom)
        a_thief_finds_nothing(site, volumes, dicom)
        backups = while_others_seal(site, scratch)
        older_ones_go(site, scratch)
        a_rollback_is_refused(site, scratch)
        (site.node.home / "keys" / "cosigned-checkpoint").unlink()
        count = kills(site, scratch)
        print(f"{backups} backups of a node at work and {count} killed backups and restores: every node whole")
    return 0


if __name__ == "__main__":
    sys.exit(main())
