#!/usr/bin/env python3
"""Checks that every C source has the layout of .clang-format; `make format` gives it."""
import subprocess
import sys
from pathlib import Path

FORMATTER = "clang-format-14"
GENERATED = {"src/dicom/dictionary_table.c"}


def main():
    root = Path(sys.argv[1])
    names = subprocess.run(["git", "-C", root, "ls-files", "*.c", "*.h"], capture_output=True, text=True, check=True)
    files = [root / name for name in names.stdout.split() if name not in GENERATED and (root / name).exists()]
    if "--write" in sys.argv:
        subprocess.run([FORMATTER, "-i", *files], check=True)
        return 0
    result = subprocess.run([FORMATTER, "--dry-run", "--Werror", "--ferror-limit=1", *files], capture_output=True, text=True)
    if result.returncode:
        print(result.stderr, end="")
        print("layout differs from .clang-format: run `make format`")
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
