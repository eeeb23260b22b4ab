"""House rules of text: banned functions (with what to use instead), words of unfinished work, trailing blanks, long
lines. `check_text.py [ROOT]`."""
import pathlib
import re
import sys

BANNED = {
    r"\b(strcpy|strcat|sprintf|vsprintf|gets)\s*\(": "snprintf or struct rs_buffer",
    r"\bstrtok(_r)?\s*\(": "rs_str_split",
    r"\b(atoi|atol|atof|strtol|strtoul)\s*\(": "rs_parse_u64, rs_parse_i64 or rs_parse_f64",
    r"\balloca\s*\(": "rs_allocate or an arena",
    r"\b(rand|srand|random|drand48)\s*\(": "rs_world_random, or a seeded generator of your own",
    r"\b(time|gettimeofday)\s*\(": "rs_world_now_ms",
    r"\b(fopen|creat|mkstemp|tmpnam)\s*\(": "struct rs_world",
    r"\b(malloc|calloc|realloc|free)\s*\(": "rs_allocate, rs_reallocate, rs_free",
}
# Where secrets and what is made of them are compared: how long it takes must not tell how much was right.
SECRET_FOLDERS = ("src/crypto/", "src/identity/")
MEMCMP = re.compile(r"\bmemcmp\s*\(")
# The places where the world itself is made, and libraries' own memory is given back.
EXEMPT = {"src/base/sim.c", "src/base/sim_file.c", "src/base/sim_names.c", "src/base/memory.c", "src/base/world.c"}
# cmocka writes a skipped test as "not ok", which Meson takes for a failure where data are missing.
SKIPPING = re.compile(r"\bskip\s*\(\s*\)")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
LINE_MAX = 130


def faults_of(name, text):
    is_test = name.endswith("_test.c") or name.startswith(("tests/", "bench/"))
    in_comment = False
    for number, line in enumerate(text.splitlines(), 1):
        code = re.sub(r'"(\\.|[^"\\])*"', '""', line)
        code = re.sub(r"/\*.*?\*/", "", code)
        if in_comment:
            in_comment = "*/" not in code
            code = code.split("*/", 1)[1] if not in_comment else ""
        if "/*" in code:
            code, in_comment = code.split("/*", 1)[0], True
        if name.endswith((".c", ".h")) and name not in EXEMPT and not is_test:
            for pattern, instead in BANNED.items():
                found = re.search(pattern, code)
                if found and not re.search(r"[.>]\s*$", code[:found.start()]):
                    yield number, f"'{found[0].strip('( ')}' is banned; use {instead}"
            if name.startswith(SECRET_FOLDERS) and MEMCMP.search(code):
                yield number, "'memcmp' is banned where secrets are compared; use rs_equal_constant_time"
        if name.endswith("_test.c") and SKIPPING.search(code):
            yield number, "cmocka's skip() fails in Meson; let main() print '1..0 # SKIP reason' and return 0"
        if UNFINISHED.search(line) and "UNFINISHED" not in line:
            yield number, "a word of unfinished work"
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
        if name.endswith((".c", ".h")) and len(line.expandtabs(4)) > LINE_MAX and "dictionary" not in name:
            yield number, f"longer than {LINE_MAX} columns"


def self_test():
    assert list(faults_of("src/a/a.c", "\tstrcpy(a, b);")) and list(faults_of("src/a/a.c", "x; "))
    assert list(faults_of("src/a/a.c", "/* TO" + "DO */")) and not list(faults_of("src/a/a.c", "/* free() it */"))
    assert list(faults_of("src/a/a_test.c", "\tskip();")) and not list(faults_of("src/a/a_test.c", "/* skip() */"))
    assert list(faults_of("src/crypto/a.c", "\tmemcmp(a, b, 4);")) and not list(faults_of("src/a/a.c", "\tmemcmp(a, b, 4);"))
    assert not list(faults_of("src/a/a.c", "\tworld->time(x);"))


def main():
    self_test()
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    count = 0
    for folder in ("src", "tests", "bench", "tools"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".c", ".h", ".py", ".sh", ".build") or not path.is_file():
                continue
            name = str(path.relative_to(root))
            if path.suffix == ".py" and path.stem in sys.stdlib_module_names:
                print(f"{name}: hides Python's own module of that name from the scripts beside it")
                count += 1
            for number, fault in faults_of(name, path.read_text()):
                print(f"{name}:{number}: {fault}")
                count += 1
    print(f"text: {count} faults")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
