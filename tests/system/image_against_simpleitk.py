#!/usr/bin/env python3
"""Compares the image readers and writers with SimpleITK and nibabel: voxels, origin, spacing and direction; and structure sets
with scikit-image's polygons, where pydicom and it are there. Prints TAP; skipped without SimpleITK and nibabel (RADSEAL_PEERS may
name a Python that has them). Usage: image_against_simpleitk.py <image_dump> [<data folder>]"""
import gzip, itertools, math, os, subprocess, sys, tempfile
try:
    import numpy as np, SimpleITK as sitk, nibabel as nib
except ImportError as missing:
    peers = os.environ.get("RADSEAL_PEERS")
    if peers and "RADSEAL_PEERS_TRIED" not in os.environ:
        os.environ["RADSEAL_PEERS_TRIED"] = "1"
        os.execv(peers, [peers] + sys.argv)
    sys.exit(print(f"1..0 # SKIP {missing}; RADSEAL_PEERS may name a Python that has it"))
sitk.ProcessObject_SetGlobalWarningDisplay(False)

TOOL, DATA = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
WORK = tempfile.mkdtemp(prefix="image-")
counts, problems = {}, []
DTYPES = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64, np.float32, np.float64]

def at(name): return os.path.join(WORK, name)
def count(what): counts[what] = counts.get(what, 0) + 1

def ours(path, kind="volume", *more):
    raw = at("voxels.raw")
    run = subprocess.run([TOOL, kind, path, raw] + list(more), capture_output=True, text=True, errors="replace")
    if run.returncode not in (0, 1) or run.stderr: return "CRASH " + run.stderr[:400]
    if run.returncode == 1: return run.stdout.strip()
    lines = [l.split(" ", 1) for l in run.stdout.splitlines()]
    got = {k: [float(x) for x in v.split()] for k, v in lines if k in ("size", "spacing", "origin", "direction")}
    size = [int(x) for x in got["size"]]
    voxels = np.fromfile(raw, np.float64 if kind == "volume" else np.uint32).reshape(size[::-1])
    return dict(got, voxels=voxels, labels=dict(v.split(" ", 1) for k, v in lines if k == "label"))

def of_sitk(image):
    """As three-dimensional, in LPS."""
    n = image.GetDimension()
    extend = lambda v, fill: list(v) + [fill] * (3 - n)
    d = np.eye(3); d[:n, :n] = np.array(image.GetDirection()).reshape(n, n)
    v = sitk.GetArrayFromImage(image)
    return dict(size=extend(image.GetSize(), 1), spacing=extend(image.GetSpacing(), 1.0), origin=extend(image.GetOrigin(), 0.0),
                direction=list(d.flatten()), voxels=v.reshape((1,) * (3 - v.ndim) + v.shape))

def of_nib(image):
    """Affine of nibabel, RAS, as LPS geometry."""
    mm = {"meter": 1000.0, "micron": 1e-3}.get(image.header.get_xyzt_units()[0], 1.0)
    a = np.diag([-1, -1, 1, 1]) @ image.affine
    spacing = np.linalg.norm(a[:3, :3], axis=0)
    v = np.asanyarray(image.dataobj)
    v = v.reshape(v.shape + (1,) * (3 - v.ndim)) if v.ndim < 3 else v.reshape(v.shape[:3])
    return dict(size=list(v.shape), spacing=list(spacing * mm), origin=list(a[:3, 3] * mm),
                direction=list((a[:3, :3] / spacing).flatten()), voxels=v.T)

def compare(name, a, b, tolerance=2e-5, slope=False):
    if isinstance(a, str): return problems.append(f"{name}: {a}")
    for key in ("size", "spacing", "origin", "direction"):
        if not np.allclose(a[key], b[key], rtol=tolerance, atol=tolerance):
            return problems.append(f"{name}: {key} {a[key]} here, {b[key]} there")
    x, y = a["voxels"].astype(np.float64), b["voxels"].astype(np.float64)
    same = np.allclose(x, y, rtol=1e-6, atol=1e-6 * max(1, np.nanmax(np.abs(y)))) if slope else np.array_equal(x, y, equal_nan=True)
    if not same: return problems.append(f"{name}: {int((x != y).sum())} of {x.size} voxels differ")
    count(name.split(" ")[0])

def rotation(seed):
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return q if seed % 2 else q * [1, 1, -1]

def sample(dtype, dims=3, seed=1):
    shape = (4, 5, 6)[-dims:]
    rng = np.random.default_rng(seed)
    if np.issubdtype(dtype, np.floating): v = rng.normal(scale=1e3, size=shape).astype(dtype)
    else:
        info = np.iinfo(dtype)
        v = rng.integers(max(info.min, -2**50), min(info.max, 2**50), shape, dtype=np.int64, endpoint=True).astype(dtype)
    image = sitk.GetImageFromArray(v)
    image.SetSpacing((0.7, 1.25, 3.5)[:dims]); image.SetOrigin((-11.5, 22.25, 303.125)[:dims])
    if dims == 3: image.SetDirection(rotation(seed).flatten())
    return image

def formats_of_simpleitk():
    """Every type, ending and compression SimpleITK writes."""
    for dtype, dims, packed, ending in itertools.product(DTYPES, (2, 3), (False, True), (".nrrd", ".nhdr", ".mha", ".mhd", ".nii", ".nii.gz")):
        path, image = at("sitk" + ending), sample(dtype, dims)
        try: sitk.WriteImage(image, path, packed)
        except RuntimeError: count("not-written-by-SimpleITK"); continue
        theirs = of_sitk(image) if "nii" not in ending else of_sitk(sitk.ReadImage(path))
        compare(f"sitk{ending} {np.dtype(dtype).name} {dims}-D {'packed' if packed else ''}", ours(path), theirs)

def affines_of_nibabel():
    """Both versions, both endians, sform, qform, neither, both; units; slopes; every type."""
    for seed, cls, endian, gz in itertools.product(range(4), (nib.Nifti1Image, nib.Nifti2Image), "<>", (False, True)):
        affine = np.eye(4); affine[:3, :3] = rotation(seed) * [0.7, 1.25, 3.5]; affine[:3, 3] = [-3.5, 40.25, 7]
        for codes, unit in itertools.product(((1, 0), (0, 1), (1, 1), (0, 2)), ("mm", "meter", "micron")):
            dtype = DTYPES[(seed * 3 + codes[0]) % len(DTYPES)]
            v = sitk.GetArrayFromImage(sample(dtype, seed=seed)).astype(np.dtype(dtype).newbyteorder(endian))
            header = (nib.Nifti1Header if cls is nib.Nifti1Image else nib.Nifti2Header)(endianness=endian)
            header.set_data_dtype(v.dtype); header.set_xyzt_units(unit)
            image = cls(v, affine, header)
            image.set_qform(affine, codes[0]); image.set_sform(affine if codes[1] else None, codes[1])
            path = at("nib.nii.gz" if gz else "nib.nii")
            nib.save(image, path)
            compare(f"nibabel {cls.__name__} {endian} {codes} {unit} {np.dtype(dtype).name}", ours(path), of_nib(nib.load(path)))
    for slope, inter in ((2.5, -3.0), (0.001, 1024.0), (-1.0, 0.0), (1.0, -1024.0)):
        image = nib.Nifti1Image(sitk.GetArrayFromImage(sample(np.int16)), np.eye(4))
        image.header.set_slope_inter(slope, inter)
        nib.save(image, at("slope.nii")); header = bytearray(open(at("slope.nii"), "rb").read())
        header[112:120] = np.array([slope, inter], "<f4").tobytes(); open(at("slope.nii"), "wb").write(header)
        compare(f"nibabel-slope {slope} {inter}", ours(at("slope.nii")), of_nib(nib.load(at("slope.nii"))), slope=True)

def data_files():
    for folder, _, names in os.walk(DATA):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not name.endswith((".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")): continue
            try: theirs = of_nib(nib.load(path)) if ".nii" in name else of_sitk(sitk.ReadImage(path))
            except Exception as e: print(f"# peer fails on {path}: {e!r:.120}"); continue
            compare("data" + os.path.splitext(name)[1] + " " + os.path.relpath(path, DATA), ours(path), theirs, slope=True)

def dicom_series():
    """Every folder with one series that SimpleITK makes one volume of."""
    for folder, _, names in os.walk(DATA):
        if not any(n.endswith((".dcm", ".IMA")) or "." not in n for n in names): continue
        try: ids = sitk.ImageSeriesReader.GetGDCMSeriesIDs(folder)
        except RuntimeError: continue
        if len(ids) != 1: continue
        files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(folder, ids[0])
        if len(files) < 3: continue
        mine, where = ours(folder), os.path.relpath(folder, DATA)
        if isinstance(mine, str): print(f"# refused series {where} ({len(files)} files): {mine[:260]}"); count("series-refused"); continue
        reader = sitk.ImageSeriesReader(); reader.SetFileNames(files)
        try: theirs = of_sitk(reader.Execute())
        except RuntimeError as e: print(f"# peer fails on {where}: {e!r:.160}"); continue
        # ITK sorts by position too, but may run the other way along the normal.
        compare("series " + where, mine, theirs, tolerance=1e-4, slope=True)
    phantom = os.path.join(DATA, "radiomics/ibsi1/ibsi_1_ct_radiomics_phantom")
    nifti = [os.path.join(f, n) for f, _, ns in os.walk(phantom) for n in ns if n.endswith(".nii.gz") and "mask" not in n]
    if nifti and os.path.isdir(phantom + "/dicom/image"):
        a, b = ours(phantom + "/dicom/image"), ours(nifti[0])
        if isinstance(b, str): problems.append(b)
        else: compare("phantom-dicom-is-nifti", a, b, tolerance=1e-4)

def multi_frame():
    """Enhanced objects, whose geometry SimpleITK takes from the functional groups."""
    for name in ("mr_series/dicom2nifti/philips_enhanced_anatomical/001/IM-0001-0170-0001.dcm", "seg/dcmqi/23x38x3/multiframe/mf.dcm",
                 "mr_series/dicom2nifti/hyperfine_anatomical/001/001.dcm", "seg/dcmqi/24x38x3/multiframe/mf.dcm"):
        path = os.path.join(DATA, "dicom", name)
        if os.path.exists(path): compare("multi-frame " + name, ours(path), of_sitk(sitk.ReadImage(path)))

def to_edges(point, corners):
    """The distance of a point to a closed polygon."""
    a, b = corners, np.roll(corners, -1, axis=0)
    along = np.clip(((point - a) * (b - a)).sum(1) / np.maximum(((b - a) ** 2).sum(1), 1e-300), 0, 1)
    return np.linalg.norm(a + along[:, None] * (b - a) - point, axis=1).min()

def layered_segments():
    """Overlapping segments as Slicer stores them, written by SimpleITK: layers are components, labels begin anew in each."""
    layers = [sitk.GetArrayFromImage(sample(np.uint8, seed=k)) % (k + 1) for k in (1, 2, 3)]
    grid = sample(np.uint8)
    def on_grid(v): i = sitk.GetImageFromArray(v); i.CopyInformation(grid); return i
    for packed in (False, True):
        image, names = sitk.Compose([on_grid(v) for v in layers]), []
        for layer, v in enumerate(layers):
            for value in range(1, int(v.max()) + 1):
                number = len(names); names.append((layer, value))
                for key, text in (("Name", f"S{number}"), ("LabelValue", value), ("Layer", layer)): image.SetMetaData(f"Segment{number}_{key}", str(text))
        sitk.WriteImage(image, at("layers.seg.nrrd"), packed)
        for number, (layer, value) in enumerate(names):
            theirs = of_sitk(on_grid(np.where(layers[layer] == value, number + 1, 0).astype(np.uint32)))
            compare(f"layered-segment {number}", ours(at("layers.seg.nrrd"), "mask", "", f"S{number}"), theirs)

def structure_sets():
    """Stars and polygons that cross themselves, up to four on a slice, on turned grids. Centres on an edge may differ: each has a
    rule of its own for these."""
    try:
        from pydicom.dataset import Dataset, FileMetaDataset
        from skimage.draw import polygon
    except ImportError as missing: return print(f"# structure sets are not compared: {missing}")
    rng = np.random.default_rng(5)
    for case in range(40):
        size, spacing, origin, turn = rng.integers(20, 90, 3), rng.uniform(0.3, 4, 3), rng.uniform(-300, 300, 3), rotation(case)
        turn = turn * [1, 1, np.linalg.det(turn)]
        image = sitk.GetImageFromArray(np.zeros(size[::-1], np.uint8))
        image.SetSpacing(spacing); image.SetOrigin(origin); image.SetDirection(turn.flatten()); sitk.WriteImage(image, at("grid.nrrd"))
        drawn, wanted = [], np.zeros(size[::-1], bool)
        for z in rng.choice(size[2], 8, replace=False):
            for _ in range(rng.integers(1, 5)):
                n, angles = rng.integers(3, 60), None
                corners = rng.uniform(-5, 1.1 * size[:2].max(), (n, 2))
                if rng.random() < 0.5:
                    angles = np.sort(rng.uniform(0, 2 * np.pi, n))
                    corners = rng.uniform(0.2, 0.8, 2) * size[:2] + np.c_[np.cos(angles), np.sin(angles)] * rng.uniform(1, 40, (n, 1))
                drawn.append((z, corners))
                wanted[z][polygon(corners[:, 1], corners[:, 0], wanted[z].shape)] ^= True
        contours = []
        for z, corners in drawn:
            item = Dataset()
            item.ContourGeometricType, item.NumberOfContourPoints = "CLOSED_PLANAR", len(corners)
            item.ContourData = ["%.10g" % x for x in ((np.c_[corners, np.full(len(corners), z)] * spacing) @ turn.T + origin).ravel()]
            contours.append(item)
        ds, roi, lines = Dataset(), Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, lines.ReferencedROINumber, lines.ContourSequence = 4, "A", 4, contours
        ds.SOPClassUID, ds.SOPInstanceUID, ds.StructureSetROISequence, ds.ROIContourSequence = "1.2.840.10008.5.1.4.1.1.481.3", "1.2", [roi], [lines]
        ds.file_meta = FileMetaDataset(); ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2"
        ds.save_as(at("rs.dcm"), enforce_file_format=True)
        mine = ours(at("rs.dcm"), "mask", at("grid.nrrd"))
        if isinstance(mine, str): problems.append(f"structure-set {case}: {mine}"); continue
        odd = [tuple(i) for i in np.argwhere((mine["voxels"] == 1) != wanted)]
        far = [i for i in odd if min(to_edges(np.array(i[:0:-1]), c) for z, c in drawn if z == i[0]) > 2e-5]
        if far or mine["labels"] != {"1": "A"}: problems.append(f"structure-set {case}: {len(far)} voxels, the first {far[:1]}")
        else: count("structure-set"); counts["structure-set-voxels"] = counts.get("structure-set-voxels", 0) + int(wanted.sum())

def segmentations():
    """DICOM segmentations as dcmqi made NRRD of them; which pairs belong together is from dcmqi's tests."""
    folder = os.path.join(DATA, "dicom/seg/dcmqi")
    for dicom, nrrd in (("liver.dcm", "liver_seg.nrrd"), ("sparse-labelmap-noppv.dcm", "sparse_labelmap_noppv_seg.nrrd"),
                        ("sparse-labelmap-ppv5.dcm", "sparse_labelmap_ppv5_seg.nrrd")):
        if not os.path.exists(os.path.join(folder, dicom)): continue
        theirs = of_sitk(sitk.ReadImage(os.path.join(folder, nrrd)))
        if "ppv5" in dicom: # dcmqi writes PixelPaddingValue where a slice has no frame; in a mask that is outside
            theirs["voxels"] = np.where(theirs["voxels"] == 5, 0, theirs["voxels"])
        compare("segmentation " + dicom, ours(os.path.join(folder, dicom), "mask"), theirs)

def written_files():
    """What radseal writes, read by the peers."""
    for dtype, seed, ending in itertools.product(DTYPES, range(1, 5), (".nii", ".nii.gz", ".nrrd")):
        source, target = at("source.nrrd"), at("written" + ending)
        image = sample(dtype, 3, seed); sitk.WriteImage(image, source)
        run = subprocess.run([TOOL, "volume", source, target], capture_output=True, text=True)
        if run.returncode: problems.append(f"write{ending} {dtype}: {run.stdout.splitlines()[-1]}"); continue
        if ending.startswith(".nii"):
            back = nib.load(target)
            compare(f"written{ending}-by-nibabel", of_nib(back), of_sitk(image))
            if not np.allclose(back.get_qform(), back.get_sform(), atol=1e-4): problems.append(f"{ending} seed {seed}: qform is not sform")
            if back.get_data_dtype() != np.dtype(dtype): problems.append(f"{ending}: type {back.get_data_dtype()} for {dtype}")
        compare(f"written{ending}-by-SimpleITK", of_sitk(sitk.ReadImage(target)), of_sitk(image))
        first = open(target, "rb").read()
        subprocess.run([TOOL, "volume", source, target], capture_output=True)
        if open(target, "rb").read() != first: problems.append(f"written{ending}: bytes differ between two runs")
        if ending == ".nii.gz" and first[4:8] != bytes(4): problems.append("gzip header has a time")

formats_of_simpleitk(); affines_of_nibabel(); written_files(); layered_segments(); structure_sets()
if DATA: data_files(); dicom_series(); multi_frame(); segmentations()
for what in sorted(counts): print(f"# {what}: {counts[what]}")
for problem in problems[:60]: print("# DIFFERS", problem)
print(f"1..1\n{'not ok' if problems else 'ok'} 1 - images as SimpleITK and nibabel read them, {len(problems)} different")
sys.exit(1 if problems else 0)
