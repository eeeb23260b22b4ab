"""Malformed input to every subcommand that reads files: a clear sentence, the right exit status, nothing stored:
`malformed.py RADSEAL`."""
import gzip
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

from node_tools import Radseal, files_below, write_nifti

# Sound images of kinds that are not measured: they are sealed as they are.
SEALABLE = {"wrong_type.nii", "outside.nhdr"}


def patched(content, offset, form, *values):
    copy = bytearray(content)
    struct.pack_into(form, copy, offset, *values)
    return bytes(copy)


def hostile_files(folder):
    """(name, words that the sentence must hold) of files that must be refused by extract."""
    write_nifti(folder / "good.nii", 1, side=8)
    good = (folder / "good.nii").read_bytes()
    nan = float("nan")
    rows = {
        "truncated.nii": good[:700],
        "header_only.nii": good[:100],
        "empty.nii": b"",
        "oversized.nii": patched(good, 40, "<8h", 3, 32767, 32767, 32767, 1, 1, 1, 1),
        "negative.nii": patched(good, 40, "<8h", 3, -8, 8, 8, 1, 1, 1, 1),
        "nan_spacing.nii": patched(good, 76, "<8f", 1, nan, 1, 1, 0, 0, 0, 0),
        "zero_spacing.nii": patched(good, 76, "<8f", 1, 0, 1, 1, 0, 0, 0, 0),
        "wrong_magic.nii": patched(good, 344, "4s", b"xyz\0"),
        "wrong_type.nii": patched(good, 70, "<2h", 999, 16),
        "bomb.nii.gz": gzip.compress(good + b"\0" * (64 << 20)),
        "text.nrrd": b"this is not an image\n",
        "no_size.nrrd": b"NRRD0004\ntype: short\ndimension: 3\nencoding: raw\n\n",
        "outside.nhdr": b"NRRD0004\ntype: short\ndimension: 3\nsizes: 2 2 2\nencoding: raw\nendian: little\n"
                        b"data file: ../../etc/passwd\n\n",
        "short.mha": b"ObjectType = Image\nNDims = 3\nDimSize = 9 9 9\nElementType = MET_SHORT\n"
                     b"ElementDataFile = LOCAL\nxx",
        "dicom.dcm": b"\0" * 128 + b"DICM" + b"\xff" * 64,
    }
    for name, content in rows.items():
        (folder / name).write_bytes(content)
    return list(rows)


def expect(done, codes, what):
    sentence = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""
    assert done.returncode in codes, f"{what}: ended with {done.returncode}, expected {codes}: {done.stderr}"
    assert sentence.startswith("radseal: ") and len(sentence) > 25, f"{what}: no sentence: {done.stderr!r}"


def fill_and_seal(program, disk):
    """On a file system of its own: with ever more room left, every sealing either succeeds or leaves no trace."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", disk], check=True)
    node = Radseal(program, disk / "node")
    node.init()
    with (disk / "node" / "radseal.yaml").open("a") as config:
        config.write("vault:\n  reserve: 0\n")  # else the vault ends first, with room left for the ledger
    sealed = unfinished = 0
    for number, left in enumerate(range(0, 600_000, 20_000)):
        image = disk.parent / f"volume{number}.nii"
        write_nifti(image, number, side=24)
        filler = disk / "filler"
        with filler.open("wb") as file:
            room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            file.write(b"\0" * max(room - left, 0))
        done = node.seal(image, check=None)
        if done.returncode:
            expect(done, {4}, f"seal with {left} bytes left")
            assert re.search("space|full|make room", done.stderr), done.stderr
        sealed += done.returncode == 0
        filler.unlink()
        told = node.run("fsck", "--home", node.home)
        if told.returncode:  # full just after the ledger's entry: the promise is kept by whoever seals next
            faults = [line for line in told.stdout.splitlines() if line.startswith("fault in ")]
            assert done.returncode and all("was interrupted" in line for line in faults), told.stdout
            unfinished += 1
        node.seal(image)
        node.fsck(check=0)
        assert list(node.verdicts(image).values()) == ["genuine"]
    assert 0 < sealed <= number, f"{sealed} of {number + 1}: the disk was never, or always, full"
    print(f"{number + 1 - sealed} sealings stopped by a full disk, {sealed} not, {unfinished} to be finished by the next; "
          "nothing lost, all sealed afterwards")


def full_disk(program, scratch):
    (scratch / "disk").mkdir()
    done = subprocess.run(["unshare", "--map-root-user", "--mount", sys.executable, __file__, program, scratch / "disk"],
                          capture_output=True, text=True)
    if "unshare failed" in done.stderr or "permission denied" in done.stderr.lower():
        return "not tried, no file system can be mounted here"
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def main():
    program = sys.argv[1]
    if len(sys.argv) == 3:
        fill_and_seal(program, pathlib.Path(sys.argv[2]))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        node = Radseal(program, scratch / "node")
        node.init()
        (scratch / "files").mkdir()
        names = hostile_files(scratch / "files")
        good = scratch / "files" / "good.nii"
        for name in names:
            path = scratch / "files" / name
            expect(node.run("extract", path, good), {1, 4}, f"extract {name}")
            expect(node.run("extract", good, path), {1, 4}, f"extract with mask {name}")
        expect(node.run("extract", scratch / "missing.nii", good), {4}, "extract of a missing file")
        expect(node.run("extract", scratch, good), {1, 2, 4}, "extract of a directory without images")
        expect(node.run("seal", "--home", node.home, scratch / "missing.dcm"), {4}, "seal of a missing file")
        for name in names:
            if name not in SEALABLE:
                expect(node.run("seal", "--home", node.home, scratch / "files" / name), {1}, f"seal {name}")
        expect(node.run("verify", "--home", node.home, scratch / "missing.dcm"), {4}, "verify of a missing file")
        expect(node.run("seal", "--home", scratch / "nowhere", good), {4}, "seal without a node")
        expect(node.run("init", node.home), {4}, "init over a node")
        expect(node.run("seal", "--home", node.home, "--nonsense", good), {2}, "an unknown option")
        assert node.run("nonsense").returncode == 2
        if os.geteuid() != 0:
            good.chmod(0)
            expect(node.run("seal", "--home", node.home, good), {4}, "seal of an unreadable file")
            good.chmod(0o600)
        tried = full_disk(program, scratch)
        objects = files_below(node.home / "vault")
        node.fsck(check=0)
        assert len(objects) <= 1, f"something was stored: {objects}"
    print(f"full disk: {tried}")
    print(f"{3 * len(names) + 10} malformed inputs refused with a sentence, nothing stored")
    return 0


if __name__ == "__main__":
    sys.exit(main())
