#!/usr/bin/env python3
"""Compares dicom_list with pydicom on every file below the given folders: each element by its full path (VR, stored length,
bytes, and what they mean: numbers, texts in every character set), the pixels of every frame that is uncompressed or RLE, and
whether writing gives the file back bit for bit. Expected differences stand in EXPLAINED, with the reason.
Prints TAP; skipped without pydicom 3 and numpy (RADSEAL_PEERS may name a Python that has them) or a folder.
Usage: dicom_against_pydicom.py <dicom_list> <folder>..."""
import collections, json, logging, os, subprocess, sys, warnings, zlib
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
try:
    import numpy as np, pydicom
    from pydicom.dataelem import RawDataElement
    from pydicom.pixels import pixel_array
except ImportError as missing:
    peers = os.environ.get("RADSEAL_PEERS")
    if peers and "RADSEAL_PEERS_TRIED" not in os.environ:
        os.environ["RADSEAL_PEERS_TRIED"] = "1"
        os.execv(peers, [peers] + sys.argv)
    sys.exit(print(f"1..0 # SKIP {missing}; RADSEAL_PEERS may name a Python that has it"))
if not any(os.path.isdir(folder) for folder in sys.argv[2:]):
    sys.exit(print("1..0 # SKIP no folder of DICOM files is here:", *sys.argv[2:]))

TRUNCATED = "cut off inside its last element: refused here and by dcmdump; pydicom keeps what is there"
EXPLAINED = {  # file name: (verdicts that are right, reason)
    "MR_truncated.dcm": ("refused", TRUNCATED),
    "rtplan_truncated.dcm": ("refused", TRUNCATED),
    "emri_small_jpeg_2k_lossless_too_short.dcm": ("refused", "cut off: refused by dcmdump too; pydicom gives no element at all"),
    "no_meta.dcm": ("refused", "begins with a stray byte: refused by dcmdump too; pydicom makes of it one element of 173 MB"),
    "GH179A.dcm": ("DIFFERS", "blank VR of (0028,0120): pydicom takes a 32-bit length and loses what follows; dcmdump agrees with us"),
    "GH364.dcm": ("refused", "an item stands in no sequence: refused by dcmdump and by pydicom too"),
    "GH177_D_CLUNIE_CT1_IVRLE_BigEndian_undefined_length.dcm":
        ("peer fails", "UN of undefined length within big endian: pydicom loses its way, dcmdump agrees with us"),
}
NATIVE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99",
          "1.2.840.10008.1.2.5", "1.2.840.113619.5.2"}
TEXT = "AE AS CS DA DT LO LT PN SH ST TM UC UI UR UT".split()
NUMBER = "US SS UL SL FL FD UV SV".split()
totals, meanings, problems = collections.Counter(), collections.Counter(), []


def vr_of(e):
    """The VR of the file, or the dictionary's; None where the dictionary leaves a choice or knows nothing."""
    if e.VR and e.VR != "  ":
        return e.VR
    if not pydicom.datadict.dictionary_has_tag(e.tag):
        return None
    vr = pydicom.datadict.dictionary_VR(e.tag)
    return None if " or " in vr else vr


def flatten(ds, prefix, out):
    for tag in list(ds._dict):
        path = f"{prefix}{int(tag):08x}"
        e = ds._dict[tag]
        raw = isinstance(e, RawDataElement)
        vr = vr_of(e) if raw else e.VR
        length = e.length if raw else None
        data = (e.value or b"") if raw else None
        if vr == "SQ" or (vr in (None, "UN") and length == 0xFFFFFFFF and int(tag) != 0x7FE00010):
            out[path] = (vr, length, zlib.crc32(data) if data is not None and length != 0xFFFFFFFF else None, None)
            for i, item in enumerate(ds[tag].value):
                flatten(item, f"{path}[{i}].", out)
            continue
        out[path] = (vr, length, zlib.crc32(data) if data is not None else None, meaning(ds, tag, vr))


def meaning(ds, tag, vr):
    if vr not in TEXT + NUMBER + ["IS", "DS"]:
        return None
    try:
        value = ds[tag].value
    except Exception:
        return None  # pydicom refuses to convert it
    if vr in NUMBER + ["IS", "DS"] and isinstance(value, str):
        return None  # pydicom could not make a number of it
    many = value if isinstance(value, (list, pydicom.multival.MultiValue)) else [] if value is None else [value]
    if vr in NUMBER:
        return [float(x) for x in many if x != ""]
    if vr in ("IS", "DS"):
        return [None if x is None or x == "" else float(x) for x in many]
    strip = "= \0" if vr == "PN" else " \0"  # pydicom drops empty groups of a name at its end
    return [str(x).lstrip(" \0").rstrip(strip) for x in many]


def same_meaning(vr, ours, theirs):
    if ours is None or theirs is None:
        return True
    if vr in ("IS", "DS"):
        ours = [float(x) if x.strip() else None for x in ours]
        return ours == theirs or (not ours and theirs == [None])
    if vr in NUMBER:
        return [x for x in ours if x is not None] == [x for x in theirs if x == x and abs(x) != float("inf")]
    strip = "= \0" if vr == "PN" else " \0"
    ours = [x.lstrip(" \0").rstrip(strip) for x in ours]
    if ours == theirs or (not any(theirs) and not any(ours)):
        meanings["not ASCII"] += any(not x.isascii() for x in theirs)
        return True
    # Bytes that no character of the declared set has are U+FFFD here; pydicom takes them as Latin-1.
    outside = [len(a) == len(b) and all(x == y or (x == "\ufffd" and "\x80" <= y <= "\xff") for x, y in zip(a, b))
               for a, b in zip(ours, theirs)]
    meanings["outside of their set"] += 1
    return len(ours) == len(theirs) and all(outside)


def pixels_of(ds):
    syntax = str(ds.file_meta.get("TransferSyntaxUID", ""))
    if not any(k in ds for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")) or (syntax and syntax not in NATIVE):
        return None
    if not syntax:
        little, implicit = ds.original_encoding[1], ds.original_encoding[0]
        ds.file_meta.TransferSyntaxUID = ("1.2.840.10008.1.2" if implicit else
                                          "1.2.840.10008.1.2.1" if little else "1.2.840.10008.1.2.2")
    values = pixel_array(ds, raw=True)
    frames = int(ds.get("NumberOfFrames", 1) or 1)
    values = values.reshape((frames, -1)).astype("<f8")
    return [zlib.crc32(v.tobytes()) for v in values]


def compare(tool, path):
    run = subprocess.run([tool, path], capture_output=True, text=True)
    if run.returncode not in (0, 1) or run.stderr:
        return "CRASH", run.stderr[:600]
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    end = lines.pop()
    try:
        ds = pydicom.dcmread(path, force=True)
        theirs = {}
        flatten(ds.file_meta, "", theirs)
        flatten(ds, "", theirs)
    except Exception as e:
        if "refused" in end:
            return "refused", end["refused"]
        return "peer fails", repr(e)[:100]
    if "refused" in end:
        known = {p for p, e in theirs.items() if pydicom.datadict.dictionary_has_tag(int(p[:8], 16))}
        return "no DICOM" if len(known) < 2 and not os.path.basename(path) in EXPLAINED else "refused", end["refused"]
    ours = {e[0]: e[1:] for e in lines if not e[0].startswith("7fe00010[")}
    if set(ours) != set(theirs):
        odd = sorted(set(ours) ^ set(theirs))
        return "DIFFERS", f"{len(odd)} paths, the first {odd[0]} {'here' if odd[0] in ours else 'there'} only"
    for p in ours:
        (vr, length, crc, _, mean), (vr2, length2, crc2, mean2) = ours[p], theirs[p]
        if (length2 is not None and length != length2) or (crc2 is not None and crc != crc2):
            return "DIFFERS", f"{p}: {ours[p]} here, {theirs[p]} there"
        if vr2 is not None and " or " not in vr2 and vr2 != vr and vr != "UN":
            return "DIFFERS", f"{p}: VR {vr} here, {vr2} there"
        if not same_meaning(vr, mean, mean2):
            return "DIFFERS", f"{p} {vr}: {mean} here, {mean2} there"
        totals["elements"] += 1
    try:
        pixels = pixels_of(ds)
    except Exception as e:
        totals["files whose pixels pydicom refuses"] += 1
        print("# pydicom refuses the pixels of", os.path.basename(path), "|", repr(e)[:90], "| here:", str(end["pixels"])[:100])
        pixels = None
    if pixels is not None:
        if pixels != end["pixels"]:
            return "PIXELS DIFFER", f"{end['pixels'][:3]} here, {pixels[:3]} there"
        totals["files with equal pixels"] += 1
        totals["frames"] += len(pixels)
    return ("equal" if end["same"] else "WRITE DIFFERS"), ""


for folder in sys.argv[2:]:
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(root, name)
            verdict, notes = compare(sys.argv[1], path)
            expected, reason = EXPLAINED.get(name, ("equal", ""))
            if verdict == "no DICOM":
                totals["no DICOM, refused"] += 1
            elif verdict != expected:
                totals["UNEXPLAINED"] += 1
                print("#", verdict, os.path.relpath(path, folder), "|", notes)
            elif reason:
                totals["explained"] += 1
                print(f"# explained: {verdict} {name}: {reason}")
            else:
                totals["files equal"] += 1
totals["texts that are not ASCII"] = meanings["not ASCII"]
totals["texts with bytes outside of their set"] = meanings["outside of their set"]
print("#", dict(totals))
good = totals["files equal"] > 0 and not totals["UNEXPLAINED"]
print(f"1..1\n{'ok' if good else 'not ok'} 1 - every element and pixel as pydicom reads it, in {totals['files equal']} files")
sys.exit(0 if good else 1)
