"""What the tests run, module by module, from gcovr's JSON: lines, branches, and the functions that no test calls:
`coverage.py GCOVR.json`. Test programs and test tools are left out."""
import collections
import json
import re
import sys

TOOLS = re.compile(r"_test\.c$|_dump\.c$|dicom_list\.c$|base/sim(_\w+)?\.c$")


class Module:
    def __init__(self):
        self.lines = self.lines_run = self.branches = self.branches_run = 0
        self.idle = []

    def add(self, row):
        for line in row["lines"]:
            if line.get("gcovr/noncode"):
                continue
            self.lines += 1
            self.lines_run += line["count"] > 0
            self.branches += len(line["branches"])
            self.branches_run += sum(branch["count"] > 0 for branch in line["branches"])
        self.idle += [f"{row['file']}:{function['lineno']} {function['name']}"
                      for function in row.get("functions", []) if not function["execution_count"]]

    def row(self, name):
        def share(part, whole):
            return f"{part:6} of {whole:6} {100 * part / max(whole, 1):5.1f} %"
        return f"{name:12} {share(self.lines_run, self.lines)}   {share(self.branches_run, self.branches)}"


def main():
    modules, total = collections.defaultdict(Module), Module()
    with open(sys.argv[1], encoding="utf-8") as file:
        rows = [row for row in json.load(file)["files"] if not TOOLS.search(row["file"])]
    for row in rows:
        modules[row["file"].split("/")[1]].add(row)
        total.add(row)
    print(f"{'module':12} {'lines run':>24}   {'branches taken':>24}")
    for name, module in sorted(modules.items()):
        print(module.row(name))
    print(total.row("together"))
    print(f"\n{len(total.idle)} functions that no test calls:")
    for function in total.idle:
        print(f"  {function}")


if __name__ == "__main__":
    main()
