"""The threat model of SECURITY.md against the tests: every row names tests, every test it names is one of this build, and
every threat of the list below has a row. `check_claims.py ROOT BUILD`."""
import json
import pathlib
import re
import sys

THREATS = {"insider with database access", "stolen device key", "malicious witness", "lost quorum", "split view", "rollback",
           "replay", "clock skew", "backup theft", "erasure", "stolen token"}


def rows_of(text):
    """(threat, claim, names of tests) of every row of the table; the heading and its rule are not rows."""
    section = text.split("## Threat model\n", 1)[1].split("\n## ", 1)[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 3 and cells[0] != "threat" and set(cells[0]) != {"-"}:
            yield cells[0], cells[1], re.findall(r"`([^`]+)`", cells[2])


def faults_of(text, tests, threats):
    rows = list(rows_of(text))
    for threat, claim, names in rows:
        if not claim or not names:
            yield f"{threat}: a claim that no test holds"
        for name in names:
            if name not in tests:
                yield f"{threat}: there is no test '{name}'"
    for threat in sorted(threats - {row[0] for row in rows}):
        yield f"{threat}: no row speaks of this threat"


def self_test():
    table = "## Threat model\n| threat | claim | held by |\n|---|---|---|\n| replay | no. | `a/b`, `c d` |\n\n## Input\n"
    assert not list(faults_of(table, {"a/b", "c d"}, {"replay"}))
    assert len(list(faults_of(table, {"a/b"}, {"rollback"}))) == 2
    assert len(list(faults_of(table.replace("`a/b`, `c d`", "us"), set(), set()))) == 1


def main():
    self_test()
    root, build = map(pathlib.Path, sys.argv[1:3])
    tests = {test["name"] for test in json.loads((build / "meson-info" / "intro-tests.json").read_text())}
    faults = list(faults_of((root / "SECURITY.md").read_text(), tests, THREATS))
    for fault in faults:
        print(f"SECURITY.md: {fault}")
    print(f"claims: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
