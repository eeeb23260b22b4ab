#!/usr/bin/env python3
"""Compares dicom_list with pydicom, element by element (tag, VR, length, value bytes), on every file below the
given folders. Usage: dicom_against_pydicom.py <dicom_list> <folder>..."""
import collections, io, os, subprocess, sys
import warnings; warnings.simplefilter("ignore")
import logging; logging.disable(logging.CRITICAL)
import pydicom
from pydicom.dataelem import RawDataElement

def fnv(data):
    h = 0xCBF29CE484222325
    for b in data:
        h = ((h ^ b) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h

def flat(ds, out):
    for tag in sorted(ds._dict.keys()):
        e = ds._dict[tag]
        if isinstance(e, RawDataElement):
            vr = e.VR
            if vr is None and pydicom.datadict.dictionary_has_tag(e.tag): vr = pydicom.datadict.dictionary_VR(e.tag)
            if vr is not None and ' or ' in vr: vr = None  # a choice
            if vr == "SQ" or (e.length == 0xFFFFFFFF and e.tag != 0x7FE00010):
                for item in ds[tag].value: flat(item, out)
                out.append((int(tag), "SQ", e.length, None)); continue
            encapsulated = e.length == 0xFFFFFFFF
            out.append((int(tag), vr, e.length, None if encapsulated else fnv(e.value or b"")))
        elif e.VR == "SQ":
            for item in e.value: flat(item, out)
            out.append((int(tag), "SQ", None, None))
        else:
            out.append((int(tag), e.VR, None, None))

def compare(tool, path):
    if os.path.getsize(path) > 3_000_000: return "skipped, large", ""
    run = subprocess.run([tool, path], capture_output=True, text=True, errors="replace")
    if run.returncode not in (0, 1) or "Sanitizer" in run.stderr or "runtime error" in run.stderr:
        return "CRASH", run.stderr[:600]
    if run.stdout.startswith("REFUSED"): return "refused", run.stdout.strip()
    lines = run.stdout.splitlines()
    notes = "; ".join(l for l in lines if l.split()[0] in ("WRITE", "WARNINGS", "METADATA", "PIXELS"))
    try:
        ds = pydicom.dcmread(path, force=True)
        theirs = []; flat(ds.file_meta, theirs); flat(ds, theirs)
    except Exception as e:
        return "pydicom fails", f"{e!r:.100} | {notes}"
    ours = [l.split() for l in lines if l[0].isdigit()]
    ours = [(int(t, 16), v, int(n), int(h, 16)) for _, t, v, n, h in ours if not t.startswith("fffe")]
    a, b = collections.defaultdict(list), collections.defaultdict(list)
    for x in ours: a[x[0]].append(x)
    for x in theirs: b[x[0]].append(x)
    for tag in sorted(set(a) | set(b)):
        if len(a[tag]) != len(b[tag]): return "DIFFERS", f"{tag:08x}: {len(a[tag])} here, {len(b[tag])} there | {notes}"
        key = lambda x: (x[2] or 0, x[3] or 0)
        if any(x[3] is None or x[2] is None for x in b[tag]): continue
        for x, y in zip(sorted(a[tag], key=key), sorted(b[tag], key=key)):
            if x[2:] != y[2:] or (y[1] is not None and x[1] != y[1]):
                return "DIFFERS", f"{tag:08x}: {x} here, {y} there | {notes}"
    return ("equal" if "WRITE same" in notes else "WRITE DIFFERS"), notes

totals = collections.Counter()
for folder in sys.argv[2:]:
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(root, name)
            verdict, notes = compare(sys.argv[1], path)
            totals[verdict] += 1
            if verdict != "equal": print(verdict, os.path.relpath(path, folder), notes)
print(dict(totals))
sys.exit(any(totals[v] for v in ("CRASH", "DIFFERS", "WRITE DIFFERS")))
