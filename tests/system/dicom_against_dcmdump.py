#!/usr/bin/env python3
"""Compares dicom_list with dcmdump (DCMTK) on every file below the given folders: each element and fragment by its full path:
VR, stored length, and the value as dcmdump prints it; and that writing gives the file back bit for bit. Expected differences
stand in EXPLAINED, with the reason. Prints TAP; skipped without dcmdump or a folder.
Usage: dicom_against_dcmdump.py <dicom_list> <folder>..."""
import collections, json, os, re, shutil, struct, subprocess, sys

if not shutil.which("dcmdump"):
    sys.exit(print("1..0 # SKIP there is no dcmdump (Debian package dcmtk)"))
if not any(os.path.isdir(folder) for folder in sys.argv[2:]):
    sys.exit(print("1..0 # SKIP no folder of DICOM files is here:", *sys.argv[2:]))

EXPLAINED = {  # file name: (verdict that is right, reason)
    "SC_rgb_jpeg.dcm": ("dcmdump fails", "says JPEG, which is explicit, but its data set is implicit: dcmdump believes the "
                        "meta group, pydicom agrees with us"),
}
LINE = re.compile(r"^( *)\(([0-9a-f]{4}),([0-9a-f]{4})\) (..) (.*?) *# +(u/l|\d+), *(\d+) (.*)$")
STRINGS = "AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT".split()
NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q", "up": "I"}
CHOICES = {"xs": ("US", "SS"), "lt": ("US", "SS", "OW"), "ox": ("OB", "OW"), "px": ("OB", "OW"), "up": ("UL",), "na": (),
           "pi": ("",), "??": ("  ",)}
totals = collections.Counter()


def logical_lines(text):
    """dcmdump prints line feeds of long texts as they are: lines are joined until the remark of lengths is there."""
    pending = ""
    for line in text.split("\n"):
        if not pending and not re.match(r"^ *\([0-9a-f]{4},[0-9a-f]{4}\) ", line):
            continue
        pending = pending + "\n" + line if pending else line
        if LINE.match(pending.replace("\n", " ").replace("\r", " ")):
            yield pending
            pending = ""


def theirs_of(text):
    """Path -> (VR, length or None, printed value)."""
    out, stack, counts = {}, [], {}
    for line in logical_lines(text):
        m = LINE.match(line.replace("\n", "\x01").replace("\r", "\x02"))
        depth, tag, vr, value, length = len(m[1]) // 2, m[2] + m[3], m[4], m[5], m[6]
        value = value.replace("\x01", "\n").replace("\x02", "\r")
        if tag in ("fffee00d", "fffee0dd"):
            continue
        del stack[depth:]
        parent = stack[-1] if stack else ""
        if tag == "fffee000":
            counts[parent] = counts.get(parent, -1) + 1
            path = f"{parent}[{counts[parent]}]"
            if vr == "pi":
                out[path] = (vr, int(length), value)
        else:
            path = (parent + "." if parent else "") + tag
            out[path] = (vr, None if length == "u/l" else int(length), value)
        stack.append(path)
    return out


def same_value(vr, data, printed, big):
    """Whether dcmdump printed these bytes. None: not compared (long, or in a form of its own)."""
    if printed.startswith(("=", "(")) and vr in ("UI", "AT") or data is None or "(no value available)" in printed:
        return None if vr in ("UI", "AT") and data else printed == "(no value available)" or None
    data = bytes.fromhex(data)
    if vr in STRINGS:
        if not (printed.startswith("[") and printed.endswith("]")):
            return None
        shown = printed[1:-1].encode("latin-1").rstrip(b" \0")
        wanted = data.replace(b"\0", b"") if vr == "UI" else data
        return shown == wanted.rstrip(b" \0") or shown.replace(b"\0", b"") == wanted.replace(b"\0", b"").rstrip(b" ")
    if vr in NUMBERS:
        size = struct.calcsize(NUMBERS[vr])
        numbers = struct.unpack((">" if big else "<") + NUMBERS[vr] * (len(data) // size), data[:len(data) // size * size])
        shown = printed.split("\\")
        if len(shown) != len(numbers):
            return False
        return all(abs(float(a) - b) <= 1e-5 * abs(b) or (b != b and "nan" in a.lower()) or str(b) == a
                   for a, b in zip(shown, numbers))
    if vr in ("OB", "UN", "pi", "  ", ""):
        return printed == "\\".join(f"{b:02x}" for b in data)
    if vr == "OW":
        words = struct.unpack((">" if big else "<") + "H" * (len(data) // 2), data[:len(data) // 2 * 2])
        return printed == "\\".join(f"{w:04x}" for w in words)
    return None


def compare(tool, path):
    run = subprocess.run([tool, path], capture_output=True, text=True)
    if run.returncode not in (0, 1) or run.stderr:
        return "CRASH", run.stderr[:600]
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    end = lines.pop()
    dump = subprocess.run(["dcmdump", "-q", "+L", "-Un", "-dc", path], capture_output=True)
    if dump.returncode != 0:
        return ("refused by both" if "refused" in end else "dcmdump fails"), ""
    text = dump.stdout.decode("latin-1")
    theirs = theirs_of(text)
    if "refused" in end:
        return ("refused by both" if not theirs else "refused"), end["refused"]
    big = "Big Endian" in text.split("# Dicom-Data-Set")[-1][:80]
    ours = {e[0]: e[1:] for e in lines}
    if set(ours) != set(theirs):
        odd = sorted(set(ours) ^ set(theirs))
        return "DIFFERS", f"{len(odd)} paths, the first {odd[0]} {'here' if odd[0] in ours else 'there'} only"
    implicit = "Implicit" in text.split("# Dicom-Data-Set")[-1][:80]
    for p, (vr2, length2, value2) in theirs.items():
        vr, length, _, data, _ = ours[p]
        if length2 is not None and length != length2:
            return "DIFFERS", f"{p}: length {length} here, {length2} there"
        private = int(p.rsplit(".", 1)[-1][3:4] or "0", 16) % 2 == 1
        if p == "7fe00010" and length == 0xFFFFFFFF and (vr, vr2) == ("OW", "OB"):
            totals["OW of encapsulated pixels, which dcmdump calls OB"] += 1
        elif implicit and (vr, vr2) == ("US", "SS"):
            totals["US or SS of implicit files, chosen by PixelRepresentation there"] += 1
        elif vr != vr2 and vr not in CHOICES.get(vr2, ()) and not (implicit and private) and vr != "UN":
            return "DIFFERS", f"{p}: VR {vr} here, {vr2} there"
        totals["elements"] += 1
        if data is None and (vr == "SQ" or vr2 == "SQ" or p.endswith("7fe00010")):
            totals["sequences"] += 1
            continue
        same = same_value(vr if vr == vr2 or vr2 in CHOICES else vr2, data, value2, big and not p.startswith("0002"))
        if same is False:
            return "DIFFERS", f"{p} {vr} {vr2}: {str(data)[:80]} here, {value2[:80]!r} there"
        totals["values" if same else "values not compared"] += 1
    return ("equal" if end["same"] else "WRITE DIFFERS"), ""


for folder in sys.argv[2:]:
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(root, name)
            verdict, notes = compare(sys.argv[1], path)
            expected, reason = EXPLAINED.get(name, ("equal", ""))
            if verdict == "refused by both":
                totals[verdict] += 1
            elif verdict != expected:
                totals["UNEXPLAINED"] += 1
                print("#", verdict, os.path.relpath(path, folder), "|", notes)
            elif reason:
                totals["explained"] += 1
                print(f"# explained: {verdict} {name}: {reason}")
            else:
                totals["files equal"] += 1
print("#", dict(totals))
good = totals["files equal"] > 0 and not totals["UNEXPLAINED"]
print(f"1..1\n{'ok' if good else 'not ok'} 1 - every element as dcmdump reads it, in {totals['files equal']} files")
sys.exit(0 if good else 1)
