"""A ledger that is put back, or replaced by another of the same key, is found out when the node is opened: `rollback.py
RADSEAL`."""
import pathlib
import shutil
import sys
import tempfile

from node_tools import Radseal, write_nifti

LEDGER = "ledger.sqlite*"


class Node(Radseal):
    def seal_one(self, scratch, seed, check=0):
        path = scratch / f"volume{seed}.nii"
        write_nifti(path, seed, side=4)
        return self.seal(path, check=check)

    def put_back(self, folder):
        for path in self.home.glob(LEDGER):
            path.unlink()
        for path in folder.glob(LEDGER):
            shutil.copy(path, self.home)

    def refuses(self, *words):
        """Whatever opens the node says so, and writes nothing."""
        pin = self.home / "keys" / "last-checkpoint"
        before = pin.read_bytes()
        for arguments in (("log",), ("fsck",), ("verify", __file__), ("seal", __file__), ("witness", "key")):
            done = self.run(*arguments, "--home", self.home)
            assert done.returncode == 1 and all(word in done.stderr for word in words), (arguments, done.stderr)
        assert pin.read_bytes() == before, "the evidence was overwritten"


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        node = Node(sys.argv[1], scratch / "node")
        node.init()
        pin = node.home / "keys" / "last-checkpoint"
        assert pin.read_text().split("\n")[1] == "1", "the first entry is promised"
        node.seal_one(scratch, 1)
        shutil.copytree(node.home, scratch / "older")
        node.seal_one(scratch, 2)
        shutil.copytree(node.home, scratch / "newer")
        fork = Node(sys.argv[1], scratch / "older")
        assert pin.read_text() in node.run("log", "--home", node.home, check=0).stdout

        shutil.copytree(scratch / "older", scratch / "kept")
        node.put_back(scratch / "kept")
        node.refuses("rollback: the ledger has 3 entries, but its own key signed 5", "keys/last-checkpoint")
        fork.seal_one(scratch, 3)
        node.put_back(scratch / "older")
        node.refuses("split view: the ledger's first 5 entries", "keys/last-checkpoint")
        fork.seal_one(scratch, 4)
        node.put_back(scratch / "older")
        node.refuses("split view: the ledger's first 5 entries")
        node.put_back(scratch / "newer")
        node.fsck(check=0)
        node.seal_one(scratch, 5)

        # What witnesses signed counts as well, and a lagging promise harms nobody.
        shutil.copy(scratch / "kept" / "keys" / "last-checkpoint", pin)
        node.fsck(check=0)
        node.seal_one(scratch, 6)
        assert pin.read_text().split("\n")[1] == "9"
        shutil.copy(pin, node.home / "keys" / "cosigned-checkpoint")
        pin.unlink()
        node.put_back(scratch / "newer")
        assert "keys/cosigned-checkpoint" in node.run("fsck", "--home", node.home).stderr
        (node.home / "keys" / "cosigned-checkpoint").unlink()
        node.run("log", "--home", node.home, check=0)

        # A promise is the log's: nothing else counts as one.
        node.seal_one(scratch, 7)
        for altered in (b"", b"x\n", pin.read_bytes()[:-9] + b"AAAAAAA=\n", pin.read_bytes().replace(b"\n7\n", b"\n6\n")):
            kept = pin.read_bytes()
            pin.write_bytes(altered)
            node.refuses("keys/last-checkpoint")
            pin.write_bytes(kept)
        node.run("log", "--home", node.home, check=0)
    print("rollbacks and split views of the ledger's file were named")
    return 0


if __name__ == "__main__":
    sys.exit(main())
