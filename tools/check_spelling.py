"""Spelling of what people read: codespell over Markdown, C and Python. Words that are right here although they look like
misspellings stand in tools/spelling.txt, one a line, in small letters. `check_spelling.py [ROOT]`."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77  # meson's status of a test that could not run
GENERATED = {"src/dicom/dictionary_table.c"}


def codespell(ignored, files):
    done = subprocess.run(["codespell", "--ignore-words", ignored, *files], capture_output=True, text=True)
    return done.stdout.splitlines()


def self_test(ignored):
    with tempfile.TemporaryDirectory() as folder:
        sample = pathlib.Path(folder) / "sample.md"
        sample.write_text("to rec" + "ieve a file\n")
        assert codespell(ignored, [sample]), "a misspelt word was not found"
        sample.write_text("to receive a file\n")
        assert not codespell(ignored, [sample]), "a right word was refused"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    if not shutil.which("codespell"):
        print("spelling: codespell is not installed; tools/setup.sh checks installs it")
        return SKIPPED
    ignored = root / "tools/spelling.txt"
    self_test(ignored)
    files = sorted(root.glob("*.md")) + [
        path for folder in ("src", "tests", "bench", "tools") for path in sorted((root / folder).rglob("*"))
        if path.suffix in (".md", ".c", ".h", ".py") and str(path.relative_to(root)) not in GENERATED]
    faults = codespell(ignored, files)
    print("\n".join(faults + [f"spelling: {len(files)} files, {len(faults)} faults"]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
