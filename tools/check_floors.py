"""Floors and doors of src/ (ARCHITECTURE.md): a module includes modules of lower floors only, and of another module only
its doors, the headers named after it (ledger/ledger.h, ledger/ledger_log.h). `check_floors.py [ROOT]`."""
import pathlib
import re
import sys

INCLUDE = re.compile(r'\s*#\s*include\s+"([^"/]+)/([^"]+)"')


def read_floors(text):
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {module: height for height, line in enumerate(lines) for module in line.split()}


def faults_of(module, text, floors):
    for number, line in enumerate(text.splitlines(), 1):
        found = INCLUDE.match(line)
        if not found or found[1] == module:
            continue
        other, header = found[1], found[2]
        if module not in floors or other not in floors:
            yield number, f"'{module}' or '{other}' stands on no floor; add it to tools/floors.txt"
        elif floors[other] >= floors[module]:
            yield number, f"'{module}' (floor {floors[module]}) includes '{other}' (floor {floors[other]})"
        elif not re.fullmatch(rf"{other}(_\w+)?\.h", header):
            yield number, f"'{header}' is private to '{other}'"


def self_test():
    floors = read_floors("base\nledger\ncli\n")
    wrong = ['#include "cli/cli.h"', '#include "ledger/merkle.h"', '#include "attic/attic.h"']
    assert not list(faults_of("cli", '#include "ledger/ledger_log.h"', floors))
    assert all(list(faults_of("base" if "cli" in line else "cli", line, floors)) for line in wrong)


def main():
    self_test()
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    floors = read_floors((root / "tools/floors.txt").read_text())
    count = 0
    for path in sorted((root / "src").rglob("*.[ch]*")):
        relative = path.relative_to(root)
        for number, fault in faults_of(relative.parts[1], path.read_text(), floors):
            print(f"{relative}:{number}: {fault}")
            count += 1
    print(f"floors: {len(floors)} modules, {count} faults")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
