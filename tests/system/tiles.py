"""The log as static files (C2SP tlog-tiles), read by Python's own means and by Go's golang.org/x/mod/sumdb/tlog where Go can
be had; and checkpoints that contradict each other: `tiles.py RADSEAL`."""
import contextlib
import hashlib
import json
import pathlib
import shutil
import sys
import subprocess
import tempfile
import urllib.error
import urllib.request

from node_tools import write_nifti
from receipts import check_note, leaf_hash
from receipts_go import build
from witnesses import Institution


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def tree(leaves):
    """RFC 6962 section 2.1."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(tree(leaves[:split]), tree(leaves[split:]))


def read_width(folder, kind, number, size):
    """A tile or bundle of the log, and how many things are in it."""
    width = min(256, size - 256 * number)
    path = folder / "tile" / kind / (f"{number:03d}" if width == 256 else f"{number:03d}.p/{width}")
    return path.read_bytes(), width


def check_tiles(folder, vkey):
    size, root = check_note((folder / "checkpoint").read_text(), vkey)
    leaves = []
    for number in range((size + 255) // 256):
        data, width = read_width(folder, "entries", number, size)
        for _ in range(width):
            length = int.from_bytes(data[:2], "big")
            leaves.append(leaf_hash(data[2:2 + length]))
            data = data[2 + length:]
        assert not data
    assert len(leaves) == size and tree(leaves) == root
    for level in range(2):
        count = size >> 8 * level
        hashes = [tree(leaves[i << 8 * level:(i + 1) << 8 * level]) for i in range(count)]
        for number in range((count + 255) // 256):
            data, width = read_width(folder, str(level), number, count)
            assert data == b"".join(hashes[256 * number:256 * number + width])
    return size


def grow(node, count):
    files = []
    for _ in range(count):
        node.count += 1
        files.append(node.scratch / f"tiny{node.count}.nii")
        write_nifti(files[-1], node.count, side=2)
    node.seal(*files)


def export(node, folder, check=0):
    done = node.run("log", "--home", node.home, "--json", "--tiles", folder, check=check)
    return json.loads(done.stdout) if check == 0 else done.stderr


def served(node, folder, other, vkey):
    """By the witness's server: the files of the log, and nothing else that lies there."""
    (folder / "secret").write_text("x")
    arguments = ["witness", "serve", "--home", node.home, "--listen", "127.0.0.1:0", "--key", other.log_key, "--tiles", folder]
    process = subprocess.Popen(list(map(str, [node.program, *arguments])), stdout=subprocess.PIPE, text=True)
    try:
        base = f"http://127.0.0.1:{process.stdout.readline().split()[1]}"
        assert urllib.request.urlopen(base + "/checkpoint").read() == (folder / "checkpoint").read_bytes()
        for target in ("/secret", "/tile/0/../../secret", "/tile/0/999", "/tile/8/000", "/tile/entries/0", "/tile", "/"):
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(base + target)
                raise AssertionError(f"{target} was served")
        checker = node.scratch / "checker"
        missing = build(checker)
        if missing:
            return missing
        done = subprocess.run([checker, base, vkey], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout
        bundle = folder / "tile" / "entries" / "000"
        whole = bundle.read_bytes()
        bundle.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
        assert subprocess.run([checker, base, vkey], capture_output=True, timeout=120).returncode != 0
        bundle.write_bytes(whole)
        return f"Go reads all {done.stdout.strip()} entries"
    finally:
        process.terminate()
        process.wait(timeout=30)


def compared(log, fork, scratch):
    """Two checkpoints of one size with different trees prove a split view to anybody."""
    notes = {}
    for name, node in (("here", log), ("there", fork)):
        notes[name] = scratch / name
        notes[name].write_text(node.run("log", "--home", node.home, "--checkpoints", check=0).stdout)
    compare = lambda *arguments: log.run("log", "compare", *arguments)
    key = ["--key", log.log_key]
    assert compare(notes["here"], notes["here"], *key).returncode == 0
    done = compare(notes["here"], notes["there"], *key)
    assert done.returncode == 1 and "split view: radseal.local/" in done.stderr, done
    both = scratch / "both.split-view"
    both.write_text(notes["here"].read_text() + "\n" + notes["there"].read_text())
    assert compare(both, *key).returncode == 1
    both.write_text(both.read_text().replace("=", "A", 1))
    assert compare(both, *key).returncode == 1
    assert compare(notes["here"]).returncode == 2 and compare(*key).returncode == 2


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        log, other = Institution(sys.argv[1], scratch, "log-owner"), Institution(sys.argv[1], scratch, "other")
        vkey, folder = log.log_key.read_text().strip(), scratch / "www"
        sizes = []
        for count in (0, 60, 130, 3):
            if count:
                grow(log, count)
            told = export(log, folder)
            sizes.append(check_tiles(folder, vkey))
            assert told["size"] == sizes[-1] and told["files_written"] > 0
        assert export(log, folder)["files_written"] == 0 and sizes[-1] > 256
        export(log, scratch / "fresh")
        for path in (scratch / "fresh").rglob("*"):
            assert path.is_dir() or path.read_bytes() == (folder / path.relative_to(scratch / "fresh")).read_bytes()
        older = scratch / "older"
        shutil.copytree(log.home, older)
        fork = Institution.__new__(Institution)
        fork.program, fork.home, fork.scratch, fork.count = log.program, older, scratch, 1000
        for node in (log, fork):
            grow(node, 1)
        export(log, folder)
        assert "split view" in export(fork, folder, check=1)
        compared(log, fork, scratch)
        go = served(log, folder, other, vkey)
    print(f"{sizes} entries as tiles, checked in Python; {go}; a split view is proved by two checkpoints")
    return 0


if __name__ == "__main__":
    sys.exit(main())
