"""What several processes or threads do at once: `together.py RADSEAL`.

Of many `radseal init` on one directory exactly one makes a node, and the others say so; verifying on several threads
tells the same in the same order as on one."""
import pathlib
import subprocess
import sys
import tempfile

from node_tools import Radseal, write_nifti

RACERS, RACES = 6, 8
SENTENCES = ("another process makes a node here", "there is a node here already")


def race(program, home):
    racers = [subprocess.Popen([program, "init", home, "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True) for _ in range(RACERS)]
    ends = [(racer.communicate(timeout=120)[1], racer.returncode) for racer in racers]
    winners = [end for end in ends if end[1] == 0]
    assert len(winners) == 1, f"{len(winners)} of {RACERS} made the node: {ends}"
    for words, status in ends:
        assert status == 0 or any(sentence in words for sentence in SENTENCES), f"no clear sentence: {words!r}"


def races(program, scratch):
    for number in range(RACES):
        home = scratch / f"node{number}"
        race(program, home)
        node, image = Radseal(program, home), scratch / "image.nii"
        write_nifti(image, number, side=8)
        node.fsck(check=0)
        node.seal(image)
        node.verify(image, check=0)
    elsewhere = scratch / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "letter.txt").write_text("mine")
    done = Radseal(program, elsewhere).run("init", elsewhere)
    assert done.returncode != 0 and "is not empty" in done.stderr, done.stderr
    assert [path.name for path in elsewhere.iterdir()] == ["letter.txt"], "init left something in another's directory"


def verifying(program, scratch):
    node = Radseal(program, scratch / "verified")
    node.init()
    paths = [scratch / f"{number:03}.nii" for number in range(90)]
    for number, path in enumerate(paths):
        write_nifti(path, number, side=8 + number % 30)
    node.seal(*paths[:80])
    for path in paths[7:80:11]:
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    stored = sorted(path for path in (node.home / "vault" / "objects").rglob("*") if path.is_file())
    for path in stored[3::20]:
        path.write_bytes(path.read_bytes()[:-1])
    paths.insert(40, scratch / "missing.nii")
    for form in ([], ["--json"]):
        runs = [node.run("verify", "--home", node.home, *form, "-j", threads, *paths) for threads in (1, 2, 3, 16)]
        assert runs[0].returncode != 0 and "genuine" in runs[0].stdout and "altered" in runs[0].stdout
        assert all(run.stdout == runs[0].stdout and run.stderr == runs[0].stderr and
                   run.returncode == runs[0].returncode for run in runs), "threads change what verify tells"
    told = [line.split()[1] for line in runs_of_text(node, paths)]
    assert told == [str(path) for path in paths], "not in the order of the arguments"


def runs_of_text(node, paths):
    return node.run("verify", "--home", node.home, "-j", 4, *paths).stdout.splitlines()


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as scratch:
        races(program, pathlib.Path(scratch))
        verifying(program, pathlib.Path(scratch))
    print(f"{RACES} races of {RACERS} inits: one winner each; verify tells the same on 1, 2, 3 and 16 threads")


if __name__ == "__main__":
    main()
