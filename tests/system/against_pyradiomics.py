#!/usr/bin/env python3
"""Runs PyRadiomics' own command line and `radseal extract` with the same arguments and compares what they write: names, order,
values, diagnostics, names of files. Prints TAP; skipped without pyradiomics (RADSEAL_PEERS may name a Python that has it).
Usage: against_pyradiomics.py RADSEAL DATA, where DATA is shared/data/radiomics/pyradiomics."""
import csv, io, json, math, os, pathlib, re, shutil, subprocess, sys, tempfile
try:
    import radiomics, SimpleITK as sitk, numpy as np
except ImportError as missing:
    peers = os.environ.get("RADSEAL_PEERS")
    if peers and "RADSEAL_PEERS_TRIED" not in os.environ:
        os.environ["RADSEAL_PEERS_TRIED"] = "1"
        os.execv(peers, [peers] + sys.argv)
    sys.exit(print(f"1..0 # SKIP {missing}; RADSEAL_PEERS may name a Python that has it"))
if len(sys.argv) < 3 or not os.path.isdir(sys.argv[2]):
    sys.exit(print("1..0 # SKIP shared/data is not there"))

RADSEAL, DATA = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
PEER = [sys.executable, "-c", "import sys; from radiomics.scripts import parse_args; sys.exit(parse_args())"]
FLOAT32 = re.compile("lbp-3D|_log-sigma|^diagnostics_Image-(original|interpolated)_Mean")  # computed so by PyRadiomics or ITK
OURS = re.compile(r"(Case-\d+_)?(provenance_\w+|error|diagnostics_Versions_\w+)$")
runs, compared, problems = 0, 0, []


def run(program, arguments, folder):
    folder.mkdir(exist_ok=True)
    return subprocess.run([*program, *map(str, arguments)], cwd=folder, capture_output=True, text=True, errors="replace",
                          timeout=600)


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def numbers(text):
    text = str(text).strip()
    if text[:1] in "([":
        return [float(x) for x in text.strip("()[]").split(",") if x.strip()]
    value = number(text)
    return None if value is None else [value]


def same_value(name, theirs, ours):
    if {theirs, ours} <= {"", "nan"}:  # of a case that failed
        return True
    if "Configuration_" in name:
        return bool(ours) == bool(theirs)
    a, b = numbers(theirs), numbers(ours)
    if a is None or b is None:
        return str(theirs) == str(ours)
    tolerance = 1e-6 if FLOAT32.search(name) else 1e-9
    return len(a) == len(b) and all(x == y or (math.isnan(x) and math.isnan(y)) or
                                    abs(x - y) <= tolerance * max(abs(x), abs(y)) + 1e-12 for x, y in zip(a, b))


def compare_rows(what, theirs, ours):
    """Lists of (name, value)."""
    global compared
    theirs = [(k, v) for k, v in theirs if not OURS.match(k)]
    ours = [(k, v) for k, v in ours if not OURS.match(k)]
    # PyRadiomics leaves out what it could not compute; radseal's columns stay, as NaN.
    have = {k for k, v in theirs}
    ours = [(k, v) for k, v in ours if k in have or str(v) not in ("nan", "", "None")]
    if [k for k, v in theirs] != [k for k, v in ours]:
        a, b = [k for k, v in theirs], [k for k, v in ours]
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        problems.append(f"{what}: names differ at {at}: theirs {a[at:at + 2]} of {len(a)}, ours {b[at:at + 2]} of {len(b)}")
        return
    before = len(problems)
    for (name, a), (_, b) in zip(theirs, ours):
        if re.search("(Image|Mask)$", name) and not os.path.isabs(str(b)):
            b = os.path.abspath(b) if os.path.isabs(str(a)) else b
        compared += 1
        if not same_value(name, a, b):
            problems.append(f"{what}: {name} theirs {a!r}, ours {b!r}")
    del problems[before + 4:]


def rows_of(text, form):
    if form == "json":
        return [list((k, json.dumps(v) if isinstance(v, (dict, list)) else "nan" if v is None else str(v))
                     for k, v in case.items()) for case in json.loads(text, parse_constant=lambda x: None)]
    if form == "csv":
        head, *rows = csv.reader(io.StringIO(text))
        return [list(zip(head, row)) for row in rows]
    return [[tuple(line.split(": ", 1)) if ": " in line else (line.rstrip(":"), "") for line in text.splitlines()]]


def both(what, *arguments, form="csv", peer_fails=False, extra=()):
    """The same arguments for both, but where PyRadiomics prints absolute paths by default."""
    global runs
    runs += 1
    given = [*arguments, "-f", form]
    theirs, ours = run(PEER, given, WORK), run([RADSEAL, "extract"], [*given, *extra], WORK)
    if theirs.returncode or not theirs.stdout:
        problems.append(f"{what}: PyRadiomics failed: {theirs.stderr[-300:]}")
        return
    if (ours.returncode != 0) != peer_fails:
        problems.append(f"{what}: radseal ended with {ours.returncode}: {ours.stderr[-300:]}")
        return
    a, b = rows_of(theirs.stdout, form), rows_of(ours.stdout, form)
    if len(a) != len(b):
        problems.append(f"{what}: {len(a)} rows, ours {len(b)}")
        return
    for i, (x, y) in enumerate(zip(a, b)):
        compare_rows(f"{what} row {i + 1}", x, y)


def same_volume(what, theirs, ours):
    """Maps as SimpleITK reads them. The type is not compared: PyRadiomics' is what numpy had at the end."""
    global compared
    a, b = sitk.ReadImage(str(theirs)), sitk.ReadImage(str(ours))
    x, y = sitk.GetArrayFromImage(a).astype(float), sitk.GetArrayFromImage(b).astype(float)
    compared += 1
    if x.shape != y.shape or not np.allclose(a.GetOrigin(), b.GetOrigin()) or not np.allclose(a.GetDirection(), b.GetDirection()):
        problems.append(f"{what}: another grid, {x.shape}, ours {y.shape}")
    elif not np.allclose(x, y, rtol=1e-9, atol=1e-9 * max(1e-3, np.nanmax(np.abs(x))), equal_nan=True):
        problems.append(f"{what}: voxels differ by up to {np.nanmax(np.abs(x - y))}")


def options():
    case = (BRAIN, MASK)
    for form in ("txt", "csv", "json"):
        both(f"plain {form}", *case, form=form)
        both(f"skip-nans {form}", *case, "--skip-nans", "-s", "binWidth:1000000", form=form)
    for form in ("absolute", "relative", "basename"):
        both(f"paths {form}", "brain1_image.nrrd", "brain1_label.nrrd", "--format-path", form, "-up")
    for several in (["binWidth:10"], ["binCount:16"], ["force2D:1", "binWidth:50"], ["force2D:true", "force2Ddimension:1"],
                    ["normalize:1", "normalizeScale:100", "removeOutliers:3"], ["resampledPixelSpacing:2,2,2"],
                    ["resampledPixelSpacing:0,0,3", "padDistance:2"],
                    ["distances:1,2"], ["symmetricalGLCM:0", "gldm_a:1"],
                    ["resegmentRange:700,1000", "resegmentShape:1"], ["resegmentRange:-1,2", "resegmentMode:sigma"],
                    ["preCrop:1", "voxelArrayShift:100"], ["additionalInfo:0"], ["minimumROIDimensions:3", "minimumROISize:100"],
                    ["resampledPixelSpacing:2,2,2", "resegmentRange:600,1200"]):
        both(f"-s {several}", *case, *[x for s in several for x in ("-s", s)])
    (WORK / "linear.json").write_text('{"setting": {"resampledPixelSpacing": [3, 3, 3], "interpolator": "sitkLinear", "weightingNorm": "euclidean"}}')
    both("JSON with sitkLinear", *case, "-p", "linear.json")  # its command line passes over -s interpolator:…
    both("verbose", *case, "-v", "1", "--logging-level", "CRITICAL", "--log-file", "l.log")
    both("label", *case, "-l", "1", "-j1", "--logging-level=NOTSET")
    for text in ("--version", "--validate"):
        theirs = run(PEER, [*case, text], WORK).returncode
        ours = run([RADSEAL, "extract"], [*case, text], WORK).returncode
        if ours != theirs:
            problems.append(f"{text}: ends with {ours}, theirs with {theirs}")


def parameter_files():
    for path in sorted((DATA / "settings" / "exampleSettings").glob("*.y*ml")):
        if path.name.startswith("MR_2D"):  # a region of one slice below
            continue
        both(path.name, BRAIN, MASK, "-p", path)
    image, mask = sitk.ReadImage(str(BRAIN)), sitk.ReadImage(str(MASK))
    array = sitk.GetArrayFromImage(mask)
    slice_only = np.zeros_like(array)
    slice_only[14] = array[14]
    flat = sitk.GetImageFromArray(slice_only)
    flat.CopyInformation(mask)
    sitk.WriteImage(flat, str(WORK / "slice.nrrd"))
    both("MR_2D_extraction.yaml", BRAIN, "slice.nrrd", "-p", DATA / "settings/exampleSettings/MR_2D_extraction.yaml")
    both("one slice", BRAIN, "slice.nrrd")


def table(path, names, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    return path.relative_to(WORK)


def channels():
    """Masks with several values for each voxel, in every format and order of axes; a channel that is not there; one of a plain mask."""
    reference = sitk.ReadImage(str(MASK))
    first = (sitk.GetArrayFromImage(reference) > 0).astype(np.uint8)
    second = np.roll(first, 3, axis=2) * 2
    second[:14] //= 2
    both_channels = sitk.GetImageFromArray(np.stack([first, second, 0 * first], axis=3), isVector=True)
    both_channels.CopyInformation(reference)
    for name in ("v.nrrd", "v.nii", "v.nii.gz", "v.mha"):
        sitk.WriteImage(both_channels, str(WORK / name))
    head, voxels = (WORK / "v.nrrd").read_bytes().split(b"\n\n", 1)
    size = first.shape[::-1]
    head = re.sub(rb"sizes: [^\n]*", b"sizes: %d %d %d 3" % size, head).replace(b"vector domain domain domain", b"domain domain domain list")
    head = re.sub(rb"directions: none ([^\n]*)", rb"directions: \1 none", head)
    assert len(voxels) == 3 * first.size
    (WORK / "last.nrrd").write_bytes(head + b"\n\n" + np.moveaxis(np.frombuffer(voxels, np.uint8).reshape(*first.shape, 3), 3, 0).tobytes())
    (WORK / "channel.yaml").write_text("setting: {label_channel: 1, label: 2, binWidth: 40}\n")
    (WORK / "none.yaml").write_text("setting: {binWidth: 40}\n")
    for name in ("v.nrrd", "v.nii", "v.nii.gz", "v.mha", "last.nrrd"):
        both(f"{name} first channel", BRAIN, name)
        both(f"{name} channel 1", BRAIN, name, "-p", "channel.yaml")
    both("channel by option", BRAIN, "v.nrrd", "-s", "label_channel:1", "-s", "label:1")
    both("option over file", BRAIN, "v.nrrd", "-p", "channel.yaml", "-s", "label_channel:0", "-s", "label:1")
    both("channel of a plain mask", BRAIN, MASK, "-s", "label_channel:7")
    rows = [["v.nrrd", 1, 1], ["v.nrrd", 2, 1], ["v.mha", 1, 0], ["last.nrrd", 2, 1], [MASK, 1, 9]]
    columns = ["Image", "Mask", "Label", "Label_channel"]
    both("column Label_channel", table(WORK / "channels.csv", columns, [[BRAIN, *row] for row in rows]), "--format-path", "basename")
    rows += [["v.nrrd", 1, 3], ["v.nrrd", 1, 2], ["v.nii", 2, 0], ["v.nrrd", 1, "x"]]
    both("channels that are not there", table(WORK / "gone.csv", columns, [[BRAIN, *row] for row in rows]), "--format-path", "basename",
         peer_fails=True)


def other_grids():
    """Masks that are not on the image's grid: carried there by correctMask, or resampled with the image."""
    mask = sitk.Cast(sitk.ReadImage(str(MASK)), sitk.sitkUInt8)
    small = mask[140:215, 100:200, 8:20]
    def write(name, image, like=None):
        if like:
            to = sitk.ResampleImageFilter()
            to.SetReferenceImage(image)
            to.SetInterpolator(sitk.sitkNearestNeighbor)
            for key, value in like.items():
                getattr(to, "Set" + key)(value)
            image = to.Execute(image)
        sitk.WriteImage(image, str(WORK / name))
    spacing, origin = small.GetSpacing(), small.GetOrigin()
    write("cut.nrrd", small)
    write("shifted.nrrd", small, dict(OutputOrigin=[o + 0.37 * s for o, s in zip(origin, spacing)]))
    write("fine.nrrd", small, dict(OutputSpacing=[s / 2 for s in spacing], Size=[2 * n for n in small.GetSize()]))
    write("coarse.nrrd", small, dict(OutputSpacing=[s * 1.7 for s in spacing], Size=[int(n / 1.7) for n in small.GetSize()]))
    write("mirrored.nrrd", sitk.Flip(small, [True, False, True]))
    write("two_labels.nrrd", sitk.Paste(small, sitk.Cast(small[:5, :5, :5] == 9, sitk.sitkUInt8) + 2, [5, 5, 5], destinationIndex=[0, 0, 0]))
    turned = sitk.Image(mask)
    turned.SetOrigin([o + 1000 for o in origin])
    write("away.nrrd", turned)
    names = ["cut.nrrd", "shifted.nrrd", "fine.nrrd", "coarse.nrrd", "mirrored.nrrd", "two_labels.nrrd", "away.nrrd"]
    for several in ([], ["correctMask:1"], ["resampledPixelSpacing:2,2,3"]):
        rows = [*names, MASK] if several else [MASK, *names]  # columns that the first case lacks, PyRadiomics puts last
        both(f"grids {several}", table(WORK / "grids.csv", ["Image", "Mask"], [[BRAIN, name] for name in rows]),
             "--format-path", "basename", *[x for s in several for x in ("-s", s)], peer_fails=True)
    for several in (["resegmentRange:700,1000"], ["resegmentRange:700,1000", "resegmentShape:1"], ["normalize:1", "normalizeScale:100"],
                    ["preCrop:1"], ["resampledPixelSpacing:2,2,2"], ["resampledPixelSpacing:0,0,0"], ["additionalInfo:0"]):
        for name in ("shifted.nrrd", "fine.nrrd", MASK):
            both(f"{name} carried {several}", BRAIN, name, "-s", "correctMask:1", *[x for s in several for x in ("-s", s)])
    for form in ("txt", "json"):
        both(f"carried {form}", BRAIN, "coarse.nrrd", "-s", "correctMask:1", form=form)


def tables():
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(MASK)))
    reference = sitk.ReadImage(str(MASK))
    two = (mask > 0).astype(np.uint8)
    two[:, :, 186:] *= 2
    image = sitk.GetImageFromArray(two)
    image.CopyInformation(reference)
    sitk.WriteImage(image, str(WORK / "two.nrrd"))
    deep = WORK / "deep"
    deep.mkdir()
    for name in ("brain1_image.nrrd", "two.nrrd"):
        shutil.copy(WORK / name, deep / name)
    plain = table(deep / "cases.csv", ["ID", "Image", "Mask", "Label", "Label_channel", "Note"],
                  [["a", "brain1_image.nrrd", "two.nrrd", 1, 0, "x, y"], ["b", WORK / "brain1_image.nrrd", "two.nrrd", 2, 0, ""]])
    for form in ("absolute", "relative", "basename"):
        both(f"table {form}", plain, "--format-path", form)
    for form in ("txt", "json"):
        both(f"table {form}", plain, form=form, extra=["--format-path", "absolute"])
    both("table, two jobs", plain, "-j", "2", "--format-path", "basename")
    missing = table(deep / "missing.csv", ["Image", "Mask"], [["brain1_image.nrrd", "two.nrrd"], ["gone.nrrd", "two.nrrd"]])
    both("table with a missing file", missing, "--format-path", "basename", peer_fails=True)
    for who, program in (("theirs", PEER), ("ours", [RADSEAL, "extract"])):
        run(program, [plain, "-od", who, "--format-path", "absolute", "-o", who + ".csv", "-f", "csv"], WORK)
    a, b = sorted(os.listdir(WORK / "theirs")), sorted(os.listdir(WORK / "ours"))
    if a != b:
        problems.append(f"-od: {b}, theirs {a}")
    for name in a:
        texts = [(WORK / who / name).read_text() for who in ("theirs", "ours")]
        rows = [[(k, v if not k in ("Image", "Mask") else os.path.basename(v)) for k, v in rows_of(t, "csv")[0]] for t in texts]
        compare_rows(f"-od {name}", *rows)
    compare_rows("-o", rows_of((WORK / "theirs.csv").read_text(), "csv")[0], rows_of((WORK / "ours.csv").read_text(), "csv")[0])


def maps():
    small = np.zeros((6, 7, 8), np.uint8)
    small[2:5, 2:6, 2:6] = 1
    values = np.random.default_rng(7).integers(0, 400, small.shape).astype(np.int16)
    for name, array in (("vi.nrrd", values), ("vm.nrrd", small)):
        sitk.WriteImage(sitk.GetImageFromArray(array), str(WORK / name))
    (WORK / "voxel.yaml").write_text("featureClass: {firstorder: [], glcm: [Contrast, JointEnergy], glrlm: [], gldm: [], glszm: [], ngtdm: []}\n"
                                     "setting: {binWidth: 25}\nvoxelSetting: {kernelRadius: 1, maskedKernel: true, initValue: nan}\n")
    sitk.WriteImage(sitk.ReadImage(str(WORK / "vm.nrrd"))[1:, 1:, 1:], str(WORK / "cut.nrrd"))
    both("maps without a folder", "vi.nrrd", "vm.nrrd", "-m", "voxel", "-p", "voxel.yaml")
    for form in ("txt", "csv", "json"):
        both(f"rows of maps {form}", "vi.nrrd", "vm.nrrd", "-m", "voxel", "-od", "told", "-p", "voxel.yaml", form=form)
    for several in (["resampledPixelSpacing:2,2,2"], ["additionalInfo:0"], ["correctMask:1"], ["correctMask:1", "resegmentRange:50,300"],
                    ["correctMask:1", "normalize:1", "normalizeScale:100"]):
        both(f"rows of maps {several}", "vi.nrrd", "cut.nrrd" if "correctMask:1" in several else "vm.nrrd", "-m", "voxel", "-od", "told",
             "-p", "voxel.yaml", *[x for s in several for x in ("-s", s)])
    for arguments in (["-p", "voxel.yaml"], ["-p", "voxel.yaml", "-l", "1"]):
        for who, program in (("maps_theirs", PEER), ("maps_ours", [RADSEAL, "extract"])):
            shutil.rmtree(WORK / who, ignore_errors=True)
            done = run(program, ["vi.nrrd", "vm.nrrd", "-m", "voxel", "-od", who, *arguments], WORK)
            if done.returncode:
                problems.append(f"{who}: {done.stderr[-300:]}")
                return
        a, b = sorted(os.listdir(WORK / "maps_theirs")), sorted(os.listdir(WORK / "maps_ours"))
        if a != b:
            problems.append(f"maps: names differ: {sorted(set(a) ^ set(b))[:6]}")
        for name in sorted(set(a) & set(b)):
            same_volume(name, WORK / "maps_theirs" / name, WORK / "maps_ours" / name)


with tempfile.TemporaryDirectory() as scratch:
    WORK = pathlib.Path(scratch).resolve()
    for name in ("brain1_image.nrrd", "brain1_label.nrrd"):
        shutil.copy(DATA / name, WORK / name)
    os.chdir(WORK)
    BRAIN, MASK = WORK / "brain1_image.nrrd", WORK / "brain1_label.nrrd"
    options(); parameter_files(); channels(); other_grids(); tables(); maps()
    os.chdir("/")
print(f"# {runs} command lines run by both, {compared} values compared")
for problem in problems[:60]:
    print("# DIFFERS", problem[:600])
print(f"1..1\n{'not ok' if problems else 'ok'} 1 - radseal extract as PyRadiomics' command line, {len(problems)} different")
sys.exit(1 if problems else 0)
