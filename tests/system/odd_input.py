"""Odd images and masks through `radseal extract`: a right answer or a sentence, never a crash and never a silent constant:
`odd_input.py RADSEAL [DATA]`. DATA is shared/data/radiomics/pyradiomics, whose parameter files must load and run."""
import array
import gzip
import itertools
import json
import math
import os
import pathlib
import random
import resource
import struct
import subprocess
import sys
import tempfile

SIZE = (9, 8, 7)
MODES = {
    "plain": [],
    "filters": ["-p", "filters.yaml"],
    "ibsi": ["--params", "ibsi-1-a", "-s", "minimumROISize:None"],
    "digital": ["--params", "ibsi-digital"],
    "voxel": ["-m", "voxel", "-od", "maps", "-p", "maps.yaml"],
}
FILTERS = """imageType: {Original: {}, LoG: {sigma: [1.0]}, Wavelet: {}, Square: {}, SquareRoot: {}, Logarithm: {}, Exponential: {},
  Gradient: {}, LBP2D: {}, LBP3D: {}}
setting: {resampledPixelSpacing: [2, 2, 2], padDistance: 3, minimumROIDimensions: 1}
"""
MAPS = "featureClass: {firstorder: [Mean, Entropy], glcm: [Contrast], glszm: [ZoneEntropy]}\nsetting: {minimumROIDimensions: 1}\n"
NRRD = {"b": "int8", "B": "uint8", "h": "int16", "H": "uint16", "i": "int32", "I": "uint32", "q": "int64", "Q": "uint64",
        "f": "float", "d": "double"}
NIFTI = {"b": 256, "B": 2, "h": 4, "H": 512, "i": 8, "I": 768, "q": 1024, "Q": 1280, "f": 16, "d": 64}


def at(x, y, z, size=SIZE):
    return (z * size[1] + y) * size[0] + x


def nrrd(path, values, code="h", size=SIZE, spacing=(1, 1, 1), origin=(0, 0, 0), directions=None, endian="little"):
    if directions is None:
        directions = [tuple(spacing[a] if a == b else 0 for b in range(3)) for a in range(3)]
    text = " ".join("(" + ",".join(repr(float(x)) for x in row) + ")" for row in directions)
    head = (f"NRRD0004\ntype: {NRRD[code]}\ndimension: 3\nspace: left-posterior-superior\nsizes: {size[0]} {size[1]} {size[2]}\n"
            f"space directions: {text}\nspace origin: ({origin[0]},{origin[1]},{origin[2]})\nencoding: raw\nendian: {endian}\n\n")
    path.write_bytes(head.encode() + struct.pack(("<" if endian == "little" else ">") + f"{len(values)}{code}", *values))


def nifti(path, values, code="h", dims=(3, *SIZE, 1, 1, 1, 1), pixdim=(1, 1, 1, 1, 0, 0, 0, 0), qform=0, quatern=(0, 0, 0),
          offset=(0, 0, 0), sform=None, order="<"):
    head = bytearray(352)
    struct.pack_into(order + "i", head, 0, 348)
    struct.pack_into(order + "8h", head, 40, *dims)
    struct.pack_into(order + "2h", head, 70, NIFTI.get(code, code), 24 if code == 128 else 8 * struct.calcsize(code))
    struct.pack_into(order + "8f", head, 76, *pixdim)
    struct.pack_into(order + "f", head, 108, 352)
    struct.pack_into(order + "2h", head, 252, qform, 0 if sform is None else 1)
    struct.pack_into(order + "6f", head, 256, *quatern, *offset)
    for i, row in enumerate(sform or []):
        struct.pack_into(order + "4f", head, 280 + 16 * i, *row)
    head[344:348] = b"n+1\0"
    path.write_bytes(bytes(head) + (struct.pack(f"{order}{len(values)}{code}", *values) if values else b""))


class Odd:
    def __init__(self, program, folder):
        self.program, self.folder, self.count, self.faults = program, folder, 0, []

    def run(self, *arguments):
        done = subprocess.run([self.program, "extract", *map(str, arguments)], cwd=self.folder, capture_output=True, text=True,
                              errors="replace", timeout=250)
        self.count += 1
        return done

    def values(self, what, *arguments):
        """The row, or None when it was refused by a sentence; anything else is a fault."""
        done = self.run(*arguments, "--json")
        if done.returncode == 0:
            try:
                return json.loads(done.stdout, parse_constant=lambda x: self.faults.append(f"{what}: JSON has {x}"))
            except ValueError as error:
                self.faults.append(f"{what}: {error}")
                return None
        last = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""
        if done.returncode not in (1, 2, 3, 4) or not last.startswith("radseal: ") or len(last) < 30:
            self.faults.append(f"{what}: ended with {done.returncode}: {done.stderr[-400:]}")
        return None

    def refused(self, what, words, image, mask, modes=MODES):
        for mode in modes:
            done = self.run(image, mask, *MODES[mode], "--json")
            if done.returncode not in (1, 3, 4) or not any(word in done.stderr for word in words.split("|")):
                self.faults.append(f"{what}, {mode}: ended with {done.returncode}, not refused with '{words}': "
                                   f"{done.stdout[-100:]}{done.stderr[-300:]}")

    def same(self, what, image, mask, plain_image, plain_mask, modes=MODES, tolerance=0.0, place=False):
        """Features of an odd form are those of the plain form, each mode."""
        for mode in modes:
            odd = self.values(f"{what}, {mode}", image, mask, *MODES[mode])
            plain = self.values(f"{what}, {mode}, plain", plain_image, plain_mask, *MODES[mode])
            if odd is None or plain is None:
                self.faults.append(f"{what}, {mode}: no answer")
                continue
            for name, value in plain.items():
                if name.startswith(("diagnostics_", "provenance_", "Image", "Mask")) or isinstance(value, str) or name.endswith("_img") or \
                        name.startswith("loc_"):  # of neighbours outside of the region, too
                    continue
                got = odd.get(name)
                if got == value or (isinstance(got, float | int) and isinstance(value, float | int) and
                                    abs(got - value) <= tolerance * max(abs(got), abs(value), 1e-3)):
                    continue
                self.faults.append(f"{what}, {mode}: {name} is {got}, plain {value}")
                break

    def answers(self, what, image, mask, expected=None, modes=MODES):
        """No crash; in mode plain the expected values."""
        for mode in modes:
            row = self.values(f"{what}, {mode}", image, mask, *MODES[mode])
            for name, value in (expected or {}).items() if mode == "plain" else ():
                got = (row or {}).get(name, "absent")
                if got != value and not (isinstance(got, float | int) and value is not None and
                                         math.isclose(got, value, rel_tol=1e-12, abs_tol=1e-15)):
                    self.faults.append(f"{what}: {name} is {got}, expected {value}")


def images(folder):
    generator = random.Random(1)
    total = SIZE[0] * SIZE[1] * SIZE[2]
    values = [generator.randrange(0, 120) for _ in range(total)]
    mask = [int(2 <= x < 7 and 2 <= y < 6 and 2 <= z < 6 and (x, y, z) != (4, 4, 4))
            for z, y, x in itertools.product(range(SIZE[2]), range(SIZE[1]), range(SIZE[0]))]
    nrrd(folder / "i.nrrd", values)
    nrrd(folder / "m.nrrd", mask, "B")
    return values, mask


def regions(odd, folder, values, mask):
    total = len(values)
    def write(name, chosen):
        nrrd(folder / name, [int(i in chosen) for i in range(total)], "B")
        return name
    odd.refused("empty mask", "no label|label 1|empty", "i.nrrd", write("none.nrrd", set()))
    one = at(4, 4, 3)
    odd.answers("one voxel", "i.nrrd", write("one.nrrd", {one}))
    odd.answers("one voxel allowed", "i.nrrd", "one.nrrd")
    row = odd.values("one voxel", "i.nrrd", "one.nrrd", "-s", "minimumROIDimensions:1")
    if row is not None and row.get("original_firstorder_Mean") != values[one]:
        odd.faults.append(f"one voxel: mean {row.get('original_firstorder_Mean')}, not {values[one]}")
    flat = {at(x, y, 3) for x in range(2, 7) for y in range(2, 6)}
    mean = sum(values[i] for i in flat) / len(flat)
    odd.answers("one slice", "i.nrrd", write("slice.nrrd", flat), {"original_firstorder_Mean": mean, "original_shape_VoxelVolume": 20})
    for more in (["-s", "force2D:true"], ["-s", "force2D:1", "-s", "force2Ddimension:1"], ["-s", "force2D:1", "-p", "filters.yaml"]):
        odd.values(f"one slice {more}", "i.nrrd", "slice.nrrd", *more)
    nrrd(folder / "flat.nrrd", [42] * total)
    odd.answers("flat", "flat.nrrd", "m.nrrd", {"original_firstorder_Mean": 42, "original_firstorder_Variance": 0,
                                                "original_firstorder_Entropy": 0, "original_glcm_Contrast": 0,
                                                "original_firstorder_Uniformity": 1})
    nrrd(folder / "whole.nrrd", [1] * total, "B")
    odd.answers("the whole image", "i.nrrd", "whole.nrrd", {"original_shape_VoxelVolume": total,
                                                            "original_firstorder_Mean": sum(values) / total})
    odd.answers("corners", "i.nrrd", write("corners.nrrd", {0, total - 1}))


def intensities(odd, folder, values, mask):
    inside, outside = at(3, 3, 3), at(0, 0, 0)
    for name, special in (("nan", math.nan), ("inf", math.inf), ("-inf", -math.inf)):
        for where, index in (("inside", inside), ("outside", outside)):
            changed = [float(v) for v in values]
            changed[index] = special
            for code in "fd":
                nrrd(folder / "special.nrrd", changed, code)
                if where == "inside":
                    odd.refused(f"{name} {where} {code}", "no number", "special.nrrd", "m.nrrd")
                else:
                    odd.same(f"{name} {where} {code}", "special.nrrd", "m.nrrd", "i.nrrd", "m.nrrd", ["plain", "digital"])
                    odd.answers(f"{name} {where} {code}", "special.nrrd", "m.nrrd", modes=["filters", "ibsi", "voxel"])
    top = sys.float_info.max
    for name, scale in (("denormal", 5e-324), ("small", 1e-300), ("huge", top / 256), ("1e150", 1e150), ("1e75", 1e75)):
        nrrd(folder / "scaled.nrrd", [v * scale for v in values], "d")
        odd.answers(name, "scaled.nrrd", "m.nrrd")
        odd.answers(name + " by count", "scaled.nrrd", "m.nrrd", modes=["plain"])
        odd.values(name + " 16 bins", "scaled.nrrd", "m.nrrd", "-s", "binCount:16")
    nrrd(folder / "extremes.nrrd", [(top, -top)[i % 2] for i in range(len(values))], "d")
    odd.answers("+-DBL_MAX", "extremes.nrrd", "m.nrrd")
    odd.values("+-DBL_MAX 16 bins", "extremes.nrrd", "m.nrrd", "-s", "binCount:16")
    for height in (1e300, top, -top, 1e17):
        nrrd(folder / "high.nrrd", [height] * len(values), "d")
        odd.answers(f"flat at {height}", "high.nrrd", "m.nrrd")
        odd.values(f"flat at {height}, 16 bins", "high.nrrd", "m.nrrd", "-s", "binCount:16")
    many = (64, 64, 32)
    levels = list(range(65536)) * 2
    nrrd(folder / "levels.nrrd", levels, "H", many)
    box = [int(i < 65536) for i in range(131072)]
    nrrd(folder / "levels_mask.nrrd", box, "B", many)
    (folder / "first.yaml").write_text("featureClass: {firstorder: []}\nsetting: {binWidth: 1}\n")
    row = odd.values("65,536 levels", "levels.nrrd", "levels_mask.nrrd", "-p", "first.yaml")
    if row is None or not math.isclose(row["original_firstorder_Entropy"], 16, rel_tol=1e-12):
        odd.faults.append("65,536 levels: entropy is not 16 bits")
    odd.values("65,536 levels, texture", "levels.nrrd", "levels_mask.nrrd", "-s", "binWidth:1")


def types(odd, folder, values, mask):
    for code in NRRD:
        nrrd(folder / "t.nrrd", values, code)
        odd.same(f"type {code}", "t.nrrd", "m.nrrd", "i.nrrd", "m.nrrd", ["plain", "digital"])
        if code not in "bB":
            nrrd(folder / "t.nrrd", values, code, endian="big")
            odd.same(f"big endian {code}", "t.nrrd", "m.nrrd", "i.nrrd", "m.nrrd", ["plain"])
        for order in "<>":
            nifti(folder / "t.nii", values, code, order=order)
            nifti(folder / "tm.nii", mask, code, order=order)
            odd.same(f"NIfTI {order}{code}", "t.nii", "tm.nii", "i.nrrd", "m.nrrd", ["plain", "voxel"])
    nifti(folder / "four.nii", values, dims=(4, *SIZE, 1, 1, 1, 1))
    odd.same("4-D with one volume", "four.nii", "tm.nii", "i.nrrd", "m.nrrd", ["plain"])
    nifti(folder / "four.nii", values * 3, dims=(4, *SIZE, 3, 1, 1, 1))
    odd.refused("4-D", "4-D|four|dimension|volumes", "four.nii", "tm.nii", ["plain", "ibsi"])
    nifti(folder / "channels.nii", mask + [3 - v for v in mask], dims=(5, *SIZE, 1, 2, 1, 1))
    odd.same("two channels", "t.nii", "channels.nii", "t.nii", "tm.nii")
    odd.refused("two channels as an image", "2 channels", "channels.nii", "tm.nii")
    for mode in MODES:
        if odd.values(f"channel 1, {mode}", "t.nii", "channels.nii", *MODES[mode], "-s", "label_channel:1", "-l", "2") is None or \
                odd.values(f"channel 2, {mode}", "t.nii", "channels.nii", *MODES[mode], "-s", "label_channel:2") is not None:
            odd.faults.append(f"two channels, {mode}: the second lacks, or a third is there")
    nifti(folder / "rgb.nii", [], 128)
    (folder / "rgb.nii").write_bytes((folder / "rgb.nii").read_bytes() + bytes(3 * len(values)))
    odd.refused("RGB", "RGB|colour|type|component", "rgb.nii", "tm.nii", ["plain", "ibsi"])


def grids(odd, folder, values, mask):
    for name, spacing in (("100 um", (0.1, 0.1, 0.1)), ("anisotropic", (0.1, 0.1, 5)), ("1e-6", (1e-6, 1e-6, 1e-6)), ("1e6", (1e6, 1e6, 1e6))):
        nrrd(folder / "g.nrrd", values, spacing=spacing)
        nrrd(folder / "gm.nrrd", mask, "B", spacing=spacing)
        volume = sum(mask) * spacing[0] * spacing[1] * spacing[2]
        odd.answers(name, "g.nrrd", "gm.nrrd", {"original_shape_VoxelVolume": volume}, ["plain", "ibsi", "digital", "voxel"])
        if spacing[0] >= 0.1:
            odd.answers(name, "g.nrrd", "gm.nrrd", modes=["filters"])
        odd.values(f"{name} to 1 mm", "g.nrrd", "gm.nrrd", "-s", "resampledPixelSpacing:1,1,1")
        odd.values(f"{name} to 0.0001 mm", "g.nrrd", "gm.nrrd", "-s", "resampledPixelSpacing:0.0001,0.0001,0.0001")
    s, c = math.sin(0.3), math.cos(0.3)
    turned = [(c, s, 0), (-s, c, 0), (0, 0, 1)]
    for name, directions, origin in (("oblique", turned, (0, 0, 0)), ("mirrored", [(-1, 0, 0), (0, -1, 0), (0, 0, 1)], (5, 6, 7)),
                                     ("far", [(1, 0, 0), (0, 1, 0), (0, 0, 1)], (1e9, -1e9, 1e9))):
        nrrd(folder / "g.nrrd", values, directions=directions, origin=origin)
        nrrd(folder / "gm.nrrd", mask, "B", directions=directions, origin=origin)
        odd.same(name, "g.nrrd", "gm.nrrd", "i.nrrd", "m.nrrd", ["plain", "digital", "voxel"], 1e-9)
        odd.answers(name, "g.nrrd", "gm.nrrd", modes=["filters", "ibsi"])
    forms = {"qfac -1": dict(pixdim=(-1, 1, 1, 1, 0, 0, 0, 0), qform=1), "qform turned": dict(qform=1, quatern=(0, 0, 1)),
             "sform flipped": dict(sform=[(-1, 0, 0, 8), (0, 1, 0, 0), (0, 0, -1, 3)]),
             "negative pixdim": dict(pixdim=(1, -1, 1, -1, 0, 0, 0, 0)),
             "negative pixdim, sform": dict(pixdim=(1, -1, -1, 1, 0, 0, 0, 0), sform=[(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)])}
    for name, form in forms.items():
        nifti(folder / "g.nii", values, **form)
        nifti(folder / "gm.nii", mask, "B", **form)
        odd.same(name, "g.nii", "gm.nii", "i.nrrd", "m.nrrd", ["plain", "digital"], 1e-9)
    nrrd(folder / "away.nrrd", mask, "B", origin=(1000, 0, 0))
    odd.refused("mask outside of the image", "grid|outside|space|origin", "i.nrrd", "away.nrrd")
    odd.values("mask outside, corrected", "i.nrrd", "away.nrrd", "-s", "correctMask:true")
    nrrd(folder / "shifted.nrrd", mask, "B", origin=(0.5, 0, 0))
    odd.refused("mask on another grid", "grid|space|origin", "i.nrrd", "shifted.nrrd", ["plain", "ibsi", "voxel"])
    larger = (4 * SIZE[0], 4 * SIZE[1], 4 * SIZE[2])
    nrrd(folder / "larger.nrrd", [mask[at(x // 2, y // 2, z // 2)] if max(x - 17, y - 15, z - 13) <= 0 else 0
                                  for z, y, x in itertools.product(*map(range, larger[::-1]))], "B", larger, (0.5, 0.5, 0.5), (-0.25, -0.25, -0.25))
    nrrd(folder / "smaller.nrrd", [mask[at(x, y, z)] for z, y, x in itertools.product(range(1, 6), range(1, 7), range(1, 8))], "B", (7, 6, 5),
         origin=(1, 1, 1))
    for mode, name in itertools.product(MODES, ("shifted.nrrd", "larger.nrrd", "smaller.nrrd")):
        row = odd.values(f"{name} corrected, {mode}", "i.nrrd", name, *MODES[mode], "-s", "correctMask:true")
        if row is None or name != "shifted.nrrd" and mode in ("plain", "voxel") and row["diagnostics_Mask-corrected_VoxelNum"] != sum(mask):
            odd.faults.append(f"{name} {mode}: not corrected")


def announced(odd, folder):
    """Headers of 10^9 voxels with a few bytes behind them: refused, without the memory they speak of."""
    limit = 700 << 20
    big = (1000, 1000, 1000)
    nifti(folder / "big.nii", [1, 2, 3], dims=(3, *big, 1, 1, 1, 1))
    (folder / "big.nii.gz").write_bytes(gzip.compress((folder / "big.nii").read_bytes()))
    nrrd(folder / "big.nrrd", [1, 2, 3], size=big)
    (folder / "bigz.nrrd").write_bytes((folder / "big.nrrd").read_bytes().replace(b"raw", b"gzip")[:-6] + gzip.compress(bytes(6)))
    (folder / "big.mha").write_bytes(b"ObjectType = Image\nNDims = 3\nDimSize = 1000 1000 1000\nElementType = MET_SHORT\n"
                                     b"ElementDataFile = LOCAL\nxx")
    for name in ("big.nii", "big.nii.gz", "big.nrrd", "bigz.nrrd", "big.mha"):
        for pair in ((name, "m.nrrd"), ("i.nrrd", name)):
            child = subprocess.Popen([odd.program, "extract", *pair], cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
            error = child.stderr.read().decode(errors="replace")
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            odd.count += 1
            if child.returncode not in (1, 4) or not error.startswith("radseal: "):
                odd.faults.append(f"{pair}: ended with {child.returncode}: {error[-300:]}")
            if usage.ru_maxrss << 10 > limit:
                odd.faults.append(f"{pair}: took {usage.ru_maxrss >> 10} MiB")


def dictionaries(odd, folder):
    import csv
    for what, arguments, alone in (("pyradiomics", ["-p", "filters.yaml"], True), ("ibsi", ["--params", "ibsi-1-c"], True),
                                   ("beside", [], False)):
        case = [] if alone else ["i.nrrd", "m.nrrd", "-o", "beside.csv"]
        done = odd.run(*case, *arguments, "--dictionary", "words.csv")
        with open(folder / "words.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        if done.returncode or done.stdout or {row["Kind"] for row in rows} != {"input", "diagnostic", "feature", "provenance"}:
            odd.faults.append(f"dictionary {what}: {done.returncode} {done.stderr}")
        features = [row for row in rows if row["Kind"] == "feature"]
        if any(not row["Unit"] for row in features) or (what == "ibsi") != any(row["Aggregation"] for row in features):
            odd.faults.append(f"dictionary {what}: units or aggregations lack")
        contrast = [row for row in rows if row["Column"] in ("original_glcm_Contrast", "cm_contrast_2D_avg", "cm_contrast_3D_comb")]
        if {row["IBSI"] for row in contrast} - {"ACUI"} or not contrast and what != "ibsi":
            odd.faults.append(f"dictionary {what}: contrast is {contrast}")
        if not alone:
            with open(folder / "beside.csv", newline="") as file:
                if next(csv.reader(file)) != [row["Column"] for row in rows]:
                    odd.faults.append("dictionary: columns are not those of the output")


def parameter_files(odd, data):
    count = 0
    for path in sorted((data / "settings").rglob("*")):
        if path.suffix in (".yaml", ".yml", ".json") and path.name != "paramSchema.yaml":
            row = odd.values(path.name, data / "brain1_image.nrrd", data / "brain1_label.nrrd", "-p", path)
            if not path.name.startswith("MR_2D") and (row is None or len(row) < 10):
                odd.faults.append(f"{path.name}: no features")
            count += 1
    assert count >= 8, f"{count} parameter files in {data}"


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        (folder / "filters.yaml").write_text(FILTERS)
        (folder / "maps.yaml").write_text(MAPS)
        odd = Odd(program, folder)
        values, mask = images(folder)
        regions(odd, folder, values, mask)
        intensities(odd, folder, values, mask)
        types(odd, folder, values, mask)
        grids(odd, folder, values, mask)
        announced(odd, folder)
        dictionaries(odd, folder)
        if len(sys.argv) > 2 and os.path.isdir(sys.argv[2]):
            parameter_files(odd, pathlib.Path(sys.argv[2]).resolve())
        for fault in odd.faults:
            print(fault)
        print(f"{odd.count} odd inputs: {len(odd.faults)} neither answered rightly nor refused with a sentence")
        return 1 if odd.faults else 0


if __name__ == "__main__":
    sys.exit(main())
