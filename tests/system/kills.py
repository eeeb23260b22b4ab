"""kill -9 at random moments while sealing; afterwards every acknowledged file must verify, nothing may be half
stored and fsck must be clean: `kills.py RADSEAL [--count N] [--seed N]`."""
import argparse
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

from node_tools import Radseal, write_nifti


def acknowledged(node, receipts):
    """The receipts that were printed before the kill."""
    return [line for line in receipts if line.endswith(".tlog-proof")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("radseal")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    generator = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        node = Radseal(options.radseal, scratch / "node")
        node.init()
        number, killed, all_receipts = 0, 0, set()
        for round_number in range(options.count):
            files = []
            for _ in range(generator.randrange(1, 12)):
                path = scratch / f"volume{number}.nii"
                write_nifti(path, number, side=generator.choice([8, 24, 64]))
                files.append(path)
                number += 1
            process = subprocess.Popen([node.program, "seal", "--home", node.home, "--quiet", *files],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            time.sleep(generator.random() * 0.06)
            process.send_signal(signal.SIGKILL)
            output, _ = process.communicate()
            killed += process.returncode == -signal.SIGKILL
            all_receipts |= set(acknowledged(node, output.splitlines()))
            # The same files again: what was acknowledged is known, what was not is sealed now.
            node.run("seal", "--home", node.home, "--quiet", *files, check=0)
            node.fsck(check=0)
            verdicts = node.verdicts(*files)
            assert set(verdicts.values()) == {"genuine"}, verdicts
            for receipt in all_receipts:
                assert pathlib.Path(receipt).exists(), f"round {round_number}: acknowledged receipt is gone"
            for path in files[:-1]:
                path.unlink()
        print(f"{options.count} rounds, {killed} killed while running, {len(all_receipts)} acknowledged before the "
              f"kill, {number} files: all genuine, fsck clean each time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
