"""Where things come from: every library that a build file names or the program loads stands in tools/licences.txt with a
licence that Apache-2.0 software may use (no GPL or AGPL), and no source here carries a notice of somebody else.
`check_licences.py ROOT [PROGRAM]...`."""
import pathlib
import re
import subprocess
import sys

DEPENDENCY = re.compile(r"\b(?:dependency|find_library|subproject)\(\s*'([^']+)'")
DLOPEN = re.compile(r'\bdlopen\(\s*"([^"]+)"')
GO_REQUIRE = re.compile(r"^(?:require\s+|\t)([a-z0-9.-]+\.[a-z]+/\S+)\s+v\d", re.M)
# The licence text of the whole project stands in LICENSE; a notice inside a file would be that of another origin.
NOTICE = re.compile(r"copyright|\(c\) ?(19|20)\d\d|all rights reserved|licensed under|@author\b|spdx-|\bA?GPL\b|©", re.I)
# May be linked although its family may not: the licence's own exception says so.
RUNTIME_EXCEPTION = "WITH GCC-exception-3.1"
FORBIDDEN = re.compile(r"(?<!L)A?GPL-|SSPL|BUSL|CC-BY-NC|LicenseRef", re.I)
PLACES = {"program", "tests"}
OURS = {"tools/check_licences.py"}


class Row:
    def __init__(self, line):
        names, libraries, self.place, self.licence = line.split(None, 3)
        self.names = set(names.split(","))
        self.libraries = set(libraries.split(",")) - {"-"}


def read_rows(text):
    return [Row(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def faults_of_rows(rows):
    for row in rows:
        if row.place not in PLACES:
            yield f"tools/licences.txt: '{row.place}' is neither program nor tests"
        if FORBIDDEN.search(row.licence) and RUNTIME_EXCEPTION not in row.licence:
            yield f"tools/licences.txt: {row.licence} of {sorted(row.names)} may not be linked; find another library"


def row_of(rows, name):
    return next((row for row in rows if name in row.names), None)


def faults_of_build(rows, text):
    for pattern in (DEPENDENCY, DLOPEN, GO_REQUIRE):
        for name in pattern.findall(text):
            if not row_of(rows, name):
                yield f"'{name}' is not in tools/licences.txt; look its licence up and add it"


def faults_of_program(rows, ldd):
    for line in ldd.splitlines():
        library = pathlib.Path(line.split()[0]).name if line.strip() else ""
        row = next((row for row in rows if any(library.startswith(known) for known in row.libraries)), None)
        if library and not row:
            yield f"the program loads {library}, which is not in tools/licences.txt"
        elif library and row.place != "program":
            yield f"the program loads {library}, which tools/licences.txt keeps for tests"


def faults_of_source(text):
    for number, line in enumerate(text.splitlines(), 1):
        found = NOTICE.search(line)
        if found:
            yield number, f"'{found[0]}': a notice of another origin? Nothing here is copied from elsewhere"


def self_test():
    rows = read_rows("# x\nzlib libz.so program Zlib\nreadline libreadline.so program GPL-3.0-or-later\n"
                     "check - tests LGPL-2.1-or-later\nrun libgcc_s.so program GPL-3.0-or-later WITH GCC-exception-3.1\n")
    assert len(list(faults_of_rows(rows))) == 1
    assert not list(faults_of_build(rows, "a = dependency('zlib', version: '>1')\nrequire x v1"))
    assert list(faults_of_build(rows, "dependency( 'curl')")) and list(faults_of_build(rows, 'dlopen("libx.so", 1)'))
    assert list(faults_of_build(rows, "require (\n\tgolang.org/x/mod v0.1.0\n)"))
    assert not list(faults_of_program(rows, "\tlibz.so.1 => /lib/libz.so.1 (0x0)\n"))
    assert list(faults_of_program(rows, "\tlibcurl.so.4 => not found\n"))
    for line in ("/* Copyright 2001 Someone */", " * (c) 2011 X", "// SPDX-License-Identifier: MIT", "under the GPL"):
        assert list(faults_of_source(line)), line
    assert not list(faults_of_source("/* the copy is right; a gplot */"))


def texts_below(root, folders, suffixes):
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            name = str(path.relative_to(root))
            if path.is_file() and (path.suffix in suffixes or path.name in suffixes) and name not in OURS:
                yield name, path.read_text()


def main():
    self_test()
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    rows = read_rows((root / "tools/licences.txt").read_text())
    faults = list(faults_of_rows(rows))
    builds = [("meson.build", (root / "meson.build").read_text())]
    builds += texts_below(root, ("src", "verify", "tests", "bench", "tools"), {".build", ".mod", ".c"})
    for name, text in builds:
        faults += [f"{name}: {fault}" for fault in faults_of_build(rows, text)]
    everything = " ".join(text for _, text in builds)
    faults += [f"tools/licences.txt: nothing uses {sorted(row.names)} any more" for row in rows
               if not any(f"'{name}'" in everything or f'"{name}"' in everything or f"{name} v" in everything
                          for name in row.names)]
    for program in sys.argv[2:]:
        ldd = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        faults += faults_of_program(rows, ldd)
    for name, text in texts_below(root, ("src", "verify", "tests", "bench", "tools"), {".c", ".h", ".py", ".sh", ".go", ".cpp"}):
        faults += [f"{name}:{number}: {fault}" for number, fault in faults_of_source(text)]
    print("\n".join(faults + [f"licences: {len(rows)} rows, {len(faults)} faults"]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
