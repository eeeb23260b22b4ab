"""kill -9 at random moments while four writers append to one ledger: no acknowledged entry is lost, none is there twice,
every proof holds: `ledger_kills.py LEDGER-WRITERS [--count N] [--seed N]`."""
import argparse
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

ROUNDS_OF_ONE_LEDGER = 20   # then everything in it is checked, and a new one begins


def kill_at_work(program, path, seconds):
    """The lines that were acknowledged before the kill."""
    process = subprocess.Popen([program, path, "work"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, f"it ended by itself: {errors}"
    return [line for line in output.splitlines(keepends=True) if line.endswith("\n")]


def check(program, path, lines, *whole):
    done = subprocess.run([program, path, "check", *whole], input="".join(lines), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    generator = random.Random(options.seed)
    acknowledged = entries = 0
    for first in range(0, options.count, ROUNDS_OF_ONE_LEDGER):
        with tempfile.TemporaryDirectory() as scratch:
            path, lines = pathlib.Path(scratch) / "ledger.sqlite", []
            for _ in range(first, min(first + ROUNDS_OF_ONE_LEDGER, options.count)):
                new = kill_at_work(options.program, path, generator.random() * 0.25)
                check(options.program, path, new)
                lines += new
            entries += check(options.program, path, lines, "whole")
            places = [line.split()[1] for line in lines]
            assert len(set(places)) == len(places) and len({line.split()[0] for line in lines}) == len(lines)
            acknowledged += len(lines)
    print(f"{options.count} kills, {acknowledged} entries acknowledged before them, {entries} in the logs: none lost, none "
          "twice, every proof holds")
    assert acknowledged > options.count
    return 0


if __name__ == "__main__":
    sys.exit(main())
