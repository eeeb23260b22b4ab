"""The command line as its help describes it: `cli.py RADSEAL`.

Commands and options are read from --help, so that a new one is tried without a line here: each must refuse what its help
does not allow. What every command answers to its own operands and options stands in the tables below."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from node_tools import Radseal, files_below, write_nifti

OPTION = re.compile(r"^  --([a-z0-9-]+)(?: (\[?[A-Z]\S*))? ", re.M)

REPEATABLE = {("extract", "setting"), ("verify", "witness"), ("witness", "key"), ("prove", "witness"), ("consent", "key"),
              ("open", "witness"), ("export", "setting"), ("evaluate", "score"), ("predict", "horizon"), ("survival", "at"),
              ("prepare", "sequence"), ("segment", "stroke"), ("fetch", "key")}
IMPLIED = {"verbosity"}  # stands for a value of its own when none follows, as in PyRadiomics


class Tried:
    """Runs the program, judges status and sentences, counts."""

    def __init__(self, program):
        self.program, self.count = program, 0

    def __call__(self, status, *arguments, sentence=None, **options):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RADSEAL")}
        environment.update(options.pop("env", {}))
        done = subprocess.run([self.program, *map(str, arguments)], text=True, timeout=300, env=environment,
                              stdout=options.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE, **options)
        said = f"radseal {' '.join(map(str, arguments))}: ended with {done.returncode}: {done.stdout}{done.stderr}"
        assert done.returncode == status, f"expected {status}; {said}"
        if status:
            last = (done.stderr.strip().splitlines() or [""])[-1]
            assert last.startswith("radseal: ") and len(last) > 20, f"no sentence; {said}"
            assert sentence is None or sentence in last, f"the sentence lacks '{sentence}'; {said}"
        self.count += 1
        return done


def commands_of(tried):
    listed = tried(0, "help").stdout.split("Commands:\n")[1].split("\n\n")[0]
    names = [line.split()[0] for line in listed.splitlines()]
    assert len(names) == len(set(names)) >= 9, names
    return {name: OPTION.findall(tried(0, name, "--help").stdout) for name in names}


def check_help(tried, commands):
    assert tried(0, "help").stdout == tried(0, "--help").stdout == tried(0, "-h").stdout
    assert re.fullmatch(r"radseal \d+\.\d+\.\d+\n", tried(0, "version").stdout)
    assert tried(0, "version").stdout == tried(0, "--version").stdout
    tried(2, "nonsense", sentence="nonsense")
    tried(2, "help", "nonsense", sentence="nonsense")
    assert subprocess.run([tried.program], capture_output=True).returncode == 2
    for name, options in commands.items():
        text = tried(0, name, "--help").stdout
        assert text == tried(0, name, "-h").stdout == tried(0, "help", name).stdout
        assert text.startswith(f"radseal {name}") and "Exit status: 0 ok, 1 " in text
        examples = text.split("Examples:\n")[1].split("\n\n")[0].splitlines()
        assert examples and all(line.startswith("  radseal ") for line in examples[::2]), examples
        assert {"help", "home", "threads"} <= {option for option, _ in options}
        # Whatever the usage line names, the list of options explains.
        used = set(re.findall(r"--([a-z0-9-]+)", text.splitlines()[0]))
        assert used <= {option for option, _ in options}, used


def misuses(name, option, takes_value):
    """Words after the command, and what must be said of them."""
    if not takes_value:
        yield [f"--{option}=x"], "takes no value"
        yield [f"--{option}", f"--{option}"], "is given twice"
        return
    if (name, option) not in REPEATABLE:
        yield [f"--{option}=1", f"--{option}", "2"], "is given twice"
    if option not in IMPLIED:
        yield [f"--{option}"], "needs a value"
    yield [f"--{option}="], "needs a value"
    yield [f"--{option}", ""], "needs a value"


def check_options(tried, commands):
    """One parser serves all commands: each option is misused in one way, by turns, and so in all over the commands."""
    turn = 0
    for name, options in commands.items():
        tried(2, name, "--nonsense", sentence="--nonsense")
        tried(2, name, "-x", sentence="-x")
        tried(2, name, "--=x")
        tried(2, name, "--threads", "many", *["x"] * 2, sentence="threads")
        tried(2, name, "--threads", "1025", *["x"] * 2, sentence="1024")
        for option, value in options:
            ways = list(misuses(name, option, value))
            words, what = ways[turn % len(ways)]
            tried(2, name, *words, sentence=f"--{option} {what}")
            turn += 1


def check_operands(tried, scratch):
    nowhere = scratch / "nowhere"
    for arguments, sentence in [
            (["init"], "one directory"), (["init", "a", "b"], "one directory"), (["init", ""], "one directory"),
            (["seal"], "name the files"), (["verify"], "name the files"), (["extract"], "image and its mask"),
            (["extract", "a"], "image and its mask"), (["extract", "a", "b", "c"], "image and its mask"),
            (["prove", "member", "x"], "64 hexa"), (["prove", "x", "y"], "neither"), (["prove", "--check", "x"], "--key"),
            (["log", "x"], "no operand"), (["fsck", "x"], "no operand"), (["consent"], "what to do"),
            (["consent", "list", "--deny"], "takes no --deny"), (["consent", "verify", "x"], "--organisation"), (["manual", "x"], "no operand"),
            (["completion"], "one shell"), (["completion", "tcsh"], "one shell"), (["completion", "bash", "zsh"], "one shell"),
            (["demo", "a", "b"], "one new directory"), (["demo", "--json", nowhere], "--json"),
            (["extract", "a", "b", "--mode", "nonsense"], "nonsense"), (["extract", "a", "b", "--label", "0"], "label"),
            (["extract", "t1=a"], "mask=FILE"), (["extract", "t1=a", "b"], "t1=b"), (["extract", "t1=", "mask=b"], "t1="),
            (["extract", "a", "--batch", "b"], "--batch"), (["extract", "mask=b"], "no image"), (["extract", "a", "b", "-o"], "--output needs a value"),
            (["verify", "a", "b", "--receipt", "r"], "one file"), (["verify", "a", "--key", "k"], "--offline"),
            (["verify", "a", "--offline"], "--receipt"), (["verify", "a", "--offline", "--receipt", "/dev/null"], "--key"),
            (["init", nowhere, "--org", 'a"b'], "name"), (["init", nowhere, "--org", "x" * 200], "name")]:
        tried(2, *arguments, sentence=sentence, cwd=scratch)
    for arguments in (["seal", "a"], ["verify", "a"], ["log"], ["fsck"]):
        tried(4, *arguments, "--home", nowhere, sentence="radseal init")
        tried(4, *arguments, sentence="radseal-home", cwd=scratch)
        tried(4, *arguments, sentence="nowhere", env={"RADSEAL_HOME": str(nowhere)})
    assert not nowhere.exists()


def check_init(tried, scratch):
    told = json.loads(tried(0, "init", scratch / "json", "--json", "--org", "Klinik Süd").stdout)
    assert told == {"home": str(scratch / "json"), "opens_with": "keys/unlock.key",
                    "log_key": (scratch / "json" / "keys" / "log.vkey").read_text().strip()}
    assert tried(0, "init", scratch / "quiet", "--quiet").stdout == ""
    tried(4, "init", scratch / "quiet", sentence="quiet")
    told = tried(0, "init", scratch / "told").stdout
    assert "log.vkey" in told and "unlock.key" in told and f"radseal seal --home {scratch / 'told'}" in told
    (scratch / "file").write_text("x")
    tried(4, "init", scratch / "file")
    tried(4, "init", scratch / "file" / "below")
    phrase = scratch / "phrase"
    phrase.write_text("correct horse\n")
    told = tried(0, "init", scratch / "locked", "--passphrase-file", phrase).stdout
    assert "passphrase" in told and "unlock.key" not in told and not (scratch / "locked" / "keys" / "unlock.key").exists()
    tried(0, "log", "--home", scratch / "locked", "--passphrase-file", phrase)
    tried(0, "log", "--home", scratch / "locked", env={"RADSEAL_PASSPHRASE": "correct horse"})
    image = scratch / "locked.nii"
    write_nifti(image, 3, side=4)
    tried(2, "seal", "--home", scratch / "locked", image, sentence="--passphrase-file")
    tried(4, "seal", "--home", scratch / "locked", image, env={"RADSEAL_PASSPHRASE": "wrong"}, sentence="passphrase")
    empty = scratch / "empty"
    empty.write_text("\n")
    tried(2, "init", scratch / "other", "--passphrase-file", empty, sentence="empty")
    empty.write_text("x" * 2000)
    tried(1, "init", scratch / "other", "--passphrase-file", empty)
    tried(4, "init", scratch / "other", "--passphrase-file", scratch / "nothing")
    assert not (scratch / "other").exists()


def check_folders(tried, home, scratch):
    """Twins in one folder, links, slashes, and folders in folders."""
    folder = scratch / "study"
    deep = folder / "a" / "b" / "c"
    deep.mkdir(parents=True)
    write_nifti(folder / "one.nii", 8, side=5)
    shutil.copy(folder / "one.nii", deep / "twin.nii")
    (folder / "link.nii").symlink_to(deep / "twin.nii")
    (folder / "broken.nii").symlink_to(scratch / "nowhere.nii")
    os.mkfifo(folder / "pipe")
    rows = json.loads(tried(0, "seal", "--home", home, "--json", "--quiet", f"{folder}///").stdout)
    told = {pathlib.Path(row["path"]).relative_to(folder).as_posix(): row for row in rows}
    assert set(told) == {"one.nii", "link.nii", "a/b/c/twin.nii"}, told
    assert sorted(row["outcome"] for row in rows) == ["known", "known", "sealed"], rows
    assert len({row["receipt"] for row in rows}) == 1
    for _ in range(64):
        deep = deep / "d"
    deep.mkdir(parents=True)
    tried(1, "seal", "--home", home, folder, sentence="nested deeper than 64")


def check_seal_and_verify(tried, home, scratch):
    volume, altered, unknown = scratch / "v.nii", scratch / "altered.nii", scratch / "-unknown.nii"
    write_nifti(volume, 1, side=6)
    write_nifti(unknown, 2, side=6)
    altered.write_bytes(volume.read_bytes()[:-1] + b"\x55")
    rows = json.loads(tried(0, "seal", "--home", home, "--json", "--quiet", "--subject=P1", volume).stdout)
    assert [row["outcome"] for row in rows] == ["sealed"] and rows[0]["size"] == volume.stat().st_size
    receipt = rows[0]["receipt"]
    done = tried(0, "seal", "--subject=P1", volume, env={"RADSEAL_HOME": str(home)})
    assert done.stdout == receipt + "\n" and "1 known" in done.stderr
    # --home wins over the environment; without --quiet the figures go to standard error
    tried(0, "seal", "--home", home, "--subject=P1", volume, env={"RADSEAL_HOME": str(scratch / "nowhere")})
    folder = scratch / "folder"
    folder.mkdir()
    (folder / "notes.txt").write_text("no image")
    shutil.copy(volume, folder)
    done = tried(0, "seal", "--home", home, "--subject=P1", folder)
    assert done.stdout == receipt + "\n" and "1 skipped" in done.stderr and "skipped " in done.stderr
    assert tried(0, "seal", "--home", home, "--quiet", "--subject=P1", folder).stderr == ""
    done = tried(4, "seal", "--home", home, volume, scratch / "gone.nii", sentence="1 of 2 files were not sealed")
    assert done.stderr.count("gone.nii") == 1, done.stderr
    check_folders(tried, home, scratch)
    rows = json.loads(tried(4, "seal", "--home", home, "--json", "--subject=P1", volume, scratch / "gone.nii").stdout)
    assert [row["outcome"] for row in rows] == ["known", "failed"] and rows[1]["reason"]
    key = home / "keys" / "log.vkey"
    offline = ["--offline", "--receipt", receipt, "--key"]
    for status, verdict, path in [(0, "genuine", volume), (1, "unknown", unknown), (1, None, altered),
                                  (4, "error", scratch / "gone.nii")]:
        rows = json.loads(tried(status, "verify", "--home", home, "--json", path).stdout)
        assert len(rows) == 1 and rows[0]["path"] == str(path) and verdict in (None, rows[0]["verdict"])
        assert ("reason" in rows[0]) == bool(status) and ("sealed_at" in rows[0]) == (not status)
        tried(status, "verify", *offline, key, path)
        tried(status, "verify", "--home", home, "--receipt", receipt, path)
    assert tried(0, "verify", "--home", home, "--quiet", volume).stdout == ""
    assert "unknown" in tried(1, "verify", "--home", home, "--quiet", volume, unknown).stdout
    tried(0, "verify", *offline, key.read_text().strip(), volume)
    tried(2, "verify", *offline, "nonsense", volume, sentence="--key")
    tried(2, "verify", "--home", home, "-unknown.nii", cwd=scratch)
    tried(1, "verify", "--home", home, "--", "-unknown.nii", cwd=scratch)
    tried(1, "verify", *offline, scratch / "quiet" / "keys" / "log.vkey", volume)
    tried(4, "verify", "--offline", "--receipt", scratch / "gone", "--key", key, volume)
    tried(1, "verify", "--offline", "--receipt", volume, "--key", key, volume)


def check_log_and_fsck(tried, home):
    log = json.loads(tried(0, "log", "--home", home, "--json").stdout)
    assert [entry["index"] for entry in log["entries"]] == list(range(len(log["entries"])))
    assert log["entries"][0]["type"] == "organisation-add" and log["checkpoint"].split("\n")[1] == str(len(log["entries"]))
    text = tried(0, "log", "--home", home).stdout
    assert text.endswith(log["checkpoint"]) and 1 < text.count("-register") == len(log["entries"]) - 1
    proof = json.loads(tried(0, "log", "--home", home, "--json", "--proof", 1).stdout)
    assert proof["index"] == 1 and proof["checkpoint"] == log["checkpoint"] and bytes.fromhex(proof["entry"])
    assert tried(0, "log", "--home", home, "--proof=1").stdout.startswith("c2sp.org/tlog-proof@v1\n")
    for wrong in (len(log["entries"]), 2 ** 64, "-1", "x", "1.0", " 1"):
        tried(2, "log", "--home", home, "--proof", wrong, sentence="--proof")
    size = len(log["entries"])
    for old in (0, 1, size):
        told = json.loads(tried(0, "log", "--home", home, "--json", "--consistency", old).stdout)
        assert told["old_size"] == old and bool(told["proof"]) == (0 < old < size)
        text = tried(0, "log", "--home", home, "--consistency", old).stdout
        assert text.startswith(f"old {old}\n") and text.endswith("\n\n" + log["checkpoint"])
    for wrong in (size + 1, "-1", "x"):
        tried(2, "log", "--home", home, "--consistency", wrong, sentence="--consistency")
    checkpoints = json.loads(tried(0, "log", "--home", home, "--checkpoints", "--json").stdout)["checkpoints"]
    sizes = [int(checkpoint.split("\n")[1]) for checkpoint in checkpoints]
    assert sizes == sorted(set(sizes)) and len(sizes) > 1 and checkpoints[-1] == log["checkpoint"], sizes
    assert tried(0, "log", "--home", home, "--checkpoints").stdout == "\n".join(checkpoints)
    for two in (["--consistency", 1, "--proof", 1], ["--checkpoints", "--proof", 1], ["--checkpoints", "--consistency", 1]):
        tried(2, "log", "--home", home, *two, sentence="ask one")
    counts = json.loads(tried(0, "fsck", "--home", home, "--json").stdout)
    assert counts["faults"] == 0 and counts["faults_found"] == [] and counts["entries"] == len(log["entries"])
    assert "0 faults" in tried(0, "fsck", "--home", home).stdout
    assert tried(0, "fsck", "--home", home, "--quiet").stdout == ""
    victim = next(path for path in files_below(home / "receipts"))
    whole = victim.read_bytes()
    victim.write_bytes(whole[:-9])
    told = json.loads(tried(1, "fsck", "--home", home, "--json").stdout)
    assert told["faults"] == len(told["faults_found"]) == 1 and told["faults_found"][0]["fault"]
    assert "fault in " in tried(1, "fsck", "--home", home, "--quiet").stdout
    victim.write_bytes(whole)
    tried(0, "fsck", "--home", home)


def check_extract(tried, demo, scratch):
    case = [demo / "t2", demo / "tumour.nii.gz"]
    flat = json.loads(tried(0, "extract", *case, "--json").stdout)
    assert flat["original_firstorder_Maximum"] > flat["original_firstorder_Mean"] and flat["error"] == ""
    for name in ("out.json", "out.csv", "out.txt"):
        assert tried(0, "extract", *case, "-o", scratch / name).stdout == ""
    assert json.loads((scratch / "out.json").read_text()) == flat
    assert json.loads(tried(0, "extract", *case, "-f", "json").stdout) == [flat]
    assert (scratch / "out.csv").read_text() == tried(0, "extract", *case, "--format", "csv").stdout
    assert (scratch / "out.txt").read_text() == tried(0, "extract", *case).stdout
    head, row = (scratch / "out.csv").read_text().splitlines()
    assert head.split(",") == list(flat) and head.startswith("Image,Mask,diagnostics_")
    lines = dict(line.split(": ", 1) for line in (scratch / "out.txt").read_text().splitlines())
    assert float(lines["Case-1_original_firstorder_Mean"]) == flat["original_firstorder_Mean"]
    assert tried(0, "extract", *case, "--threads=1").stdout == tried(0, "extract", *case, "--threads=3").stdout
    tried(0, "extract", *case, "-o", scratch / "out.xml", "-f", "csv")
    assert (scratch / "out.xml").read_text() == (scratch / "out.csv").read_text()
    tried(4, "extract", *case, "-o", scratch / "missing" / "out.csv")
    failed = tried(1, "extract", *case, "--label", 9, "--format=csv", sentence="label 9")
    assert failed.stdout == ""
    params = scratch / "params.yaml"
    params.write_text("setting: {additionalInfo: false}\nfeatureClass: {firstorder: [Mean]}\n")
    mean = json.loads(tried(0, "extract", *case, "--json", "--params", params).stdout)
    assert set(mean) == {"Image", "Mask", "original_firstorder_Mean", "provenance_Version", "provenance_Settings",
                         "provenance_Image", "provenance_Mask", "provenance_LabelName", "error"}
    params.write_text("setting: {binWidht: 3}\n")
    tried(1, "extract", *case, "--params", params, sentence="binWidht")
    tried(4, "extract", *case, "--params", scratch / "gone.yaml", sentence="gone.yaml")
    odd = scratch / 'odd, "name".nii.gz'
    shutil.copy(case[1], odd)
    assert '"' + str(odd).replace('"', '""') + '"' in tried(0, "extract", case[0], odd, "-fcsv").stdout
    for wrong, sentence in [(["-s", "binWidth"], "name:value"), (["-s", "binWidht:5"], "binWidht"),
                            (["--mode", "nonsense"], "nonsense"), (["--jobs", "x"], "--jobs"), (["-f", "xml"], "xml"),
                            (["--format-path", "x"], "absolute"), (["--minimum-roi", "x"], "minimumROISize"),
                            (["--logging-level", "LOUD"], "LOUD"), (["-v", "9"], "--verbosity")]:
        tried(2, "extract", *case, *wrong, sentence=sentence)


def check_evaluate(tried, scratch):
    table = scratch / "predictions.csv"
    table.write_text("id,p,late,days,died\na,0.9,1,3,1\nb,0.2,0,9,0\nc,0.8,1,5,1\nd,0.4,0,,0\n")
    told = {(row["of"], row["name"]): row for row in json.loads(
        tried(0, "evaluate", table, "--class", "late", "--score", "p", "--json").stdout)}
    assert told["p", "auc"]["value"] == 1 and told["p", "auc"]["interval"][1] == 1
    told = {(row["of"], row["name"]): row["value"] for row in json.loads(
        tried(0, "evaluate", table, "--time", "days", "--event", "died", "--score", "p", "--json").stdout)}
    assert told["", "left_out"] == 1 and told["p", "harrell_c"] == 1
    text = tried(0, "evaluate", table, "--class", "late", "--score=p").stdout
    assert re.search(r"^p +f1 +1$", text, re.M) and "nan" not in text
    tried(0, "evaluate", table, "--class", "late", "--score=p", "--output", scratch / "found.txt")
    assert (scratch / "found.txt").read_text() == text
    for status, wrong, sentence in [(2, ["--score", "p"], "outcome or a time"), (2, ["--class", "late", "--score", "q"], "id, p, late"),
                                    (1, ["--class", "late", "--score", "id"], "line 2, column id"),
                                    (2, ["--class", "late", "--score", "p", "--level", "2"], "--level")]:
        tried(status, "evaluate", table, *wrong, sentence=sentence)
    tried(4, "evaluate", scratch / "gone.csv", "--class", "late", "--score", "p", sentence="gone.csv")


def check_full_disk(tried, home, demo):
    for arguments in (["help"], ["version"], ["seal", "--help"], ["manual"], ["completion", "bash"],
                      ["log", "--home", home], ["log", "--home", home, "--json"], ["fsck", "--home", home],
                      ["fsck", "--home", home, "--json"], ["verify", "--home", home, demo / "tumour.nii.gz"],
                      ["seal", "--home", home, demo / "tumour.nii.gz"], ["extract", demo / "t2", demo / "tumour.nii.gz"]):
        with open("/dev/full", "w") as full:
            tried(4, *arguments, sentence="standard output", stdout=full)


def check_manual(tried, commands):
    manual = tried(0, "manual").stdout
    plain = manual.replace("\\-", "-")
    for name, options in commands.items():
        assert f".SS radseal {name}" in plain
        assert all(f"\\fB--{option}\\fR" in plain for option, _ in options), name
    if shutil.which("mandoc"):
        lint = subprocess.run(["mandoc", "-Tlint", "-Wwarning"], input=manual, capture_output=True, text=True)
        told = [line for line in lint.stdout.splitlines() if "missing date" not in line]
        assert not told, told
        tried.count += 1


def complete(shell_text, *words):
    """What bash offers for the last of the words."""
    script = shell_text + '\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _radseal; printf "%s\\n" "${COMPREPLY[@]}"\n'
    done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=True)
    return done.stdout.split()


def check_completion(tried, commands):
    scripts = {shell: tried(0, "completion", shell).stdout for shell in ("bash", "zsh", "fish")}
    for shell, text in scripts.items():
        if shutil.which(shell):
            subprocess.run([shell, "-n"], input=text, text=True, check=True)
    assert complete(scripts["bash"], "radseal", "") == list(commands)
    assert complete(scripts["bash"], "radseal", "ver") == ["verify"]
    for name, options in commands.items():
        assert complete(scripts["bash"], "radseal", name, "--") == [f"--{option}" for option, _ in options], name
        for option, _ in options:
            assert re.search(rf"from {name}' -l {option}( -r)? -d ", scripts["fish"]), (name, option)


def main():
    tried = Tried(str(pathlib.Path(sys.argv[1]).resolve()))
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        commands = commands_of(tried)
        check_help(tried, commands)
        check_options(tried, commands)
        check_operands(tried, scratch)
        check_manual(tried, commands)
        check_completion(tried, commands)
        check_init(tried, scratch)
        demo = scratch / "demo"
        tried(0, "demo", "scan", demo)
        tried(4, "demo", "scan", demo, sentence="there already")
        home = Radseal(tried.program, demo / "node").home
        check_seal_and_verify(tried, home, scratch)
        check_log_and_fsck(tried, home)
        check_extract(tried, demo, scratch)
        check_evaluate(tried, scratch)
        check_full_disk(tried, home, demo)
    print(f"{len(commands)} commands, {tried.count} calls answered as their help says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
