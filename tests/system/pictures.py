"""Networks of pictures from the command line: `pictures.py RADSEAL [DATA]`.

Pictures are written here as an NPZ archive, PNG of every kind, PGM and DICOM, and must be one and the same to radseal; then
PneumoniaMNIST, where DATA is there."""
import csv
import io
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib

SIDE = 16


class Program:
    def __init__(self, path):
        self.path = str(pathlib.Path(path).resolve())

    def __call__(self, status, *arguments, sentence=""):
        done = subprocess.run([self.path, *map(str, arguments)], capture_output=True, text=True, timeout=600)
        assert done.returncode == status and sentence in done.stderr, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def train(self, study, model, *options):
        report = json.loads(self(0, "train", study, "-o", model, "--json", *options))
        return report, {(row["of"], row["name"]): row["value"] for row in report["findings"]}

    def predict(self, *arguments):
        return list(csv.DictReader(io.StringIO(self(0, "predict", *arguments))))


def picture(made, label):
    """A bright spot, large or small, on noise."""
    x, y, reach = made.uniform(4, 12), made.uniform(4, 12), 3.2 if label else 1.6
    return bytes(min(255, max(0, int(90 + made.gauss(0, 20) + 120 * ((i % SIDE - x) ** 2 + (i // SIDE - y) ** 2 < reach ** 2))))
                 for i in range(SIDE * SIDE))


def npy(values, *shape):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def filtered(rows, step):
    """Row n by filter n modulo 5, as the standard defines them."""
    out, above = b"", bytes(len(rows[0]))
    for n, row in enumerate(rows):
        left, corner = bytes(step) + row, bytes(step) + above
        guesses = []
        for a, b, c in zip(left, above, corner):
            near = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            guesses.append((0, a, b, (a + b) // 2, near)[n % 5])
        out += bytes([n % 5]) + bytes((v - g) % 256 for v, g in zip(row, guesses))
        above = row
    return out


def png(grey, kind="grey", interlaced=0):
    bits, colour, step, palette = {"grey": (8, 0, 1, b""), "grey16": (16, 0, 2, b""), "alpha": (8, 4, 2, b""), "rgb": (8, 2, 3, b""),
                                   "rgba": (8, 6, 4, b""), "palette": (8, 3, 1, bytes(255 - i // 3 for i in range(768)))}[kind]
    cells = {"grey": lambda v: [v], "grey16": lambda v: [v, v], "alpha": lambda v: [v, 7], "rgb": lambda v: [v] * 3,
             "rgba": lambda v: [v] * 3 + [9], "palette": lambda v: [255 - v]}[kind]
    rows = [bytes(b for v in grey[y * SIDE:(y + 1) * SIDE] for b in cells(v)) for y in range(SIDE)]
    data = zlib.compress(filtered(rows, step))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, bits, colour, 0, 0, interlaced)) +
            (chunk(b"PLTE", palette) if palette else b"") + chunk(b"IDAT", data[:50]) + chunk(b"IDAT", data[50:]) + chunk(b"IEND", b""))


def pgm(grey):
    return b"P5\n# made\n%d %d 255\n" % (SIDE, SIDE) + grey


def element(group, number, vr, value):
    value = value.encode() if isinstance(value, str) else value
    value += b"\0" * (len(value) % 2) if vr in ("UI", "OW") else b" " * (len(value) % 2)
    head = struct.pack("<HH", group, number) + vr.encode()
    return head + (struct.pack("<HI", 0, len(value)) if vr == "OW" else struct.pack("<H", len(value))) + value


def dicom(grey, turned=False):
    """16 bits, slope and intercept, and a window that shows 0 … 255 as it was."""
    stored = b"".join(struct.pack("<H", 500 + 2 * (255 - v if turned else v)) for v in grey)
    meta = element(2, 0x10, "UI", "1.2.840.10008.1.2.1")
    number = lambda v: struct.pack("<H", v)
    return (bytes(128) + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(meta))) + meta +
            element(8, 0x16, "UI", "1.2.840.10008.5.1.4.1.1.1.1") + element(8, 0x18, "UI", "1.2.3.4") + element(8, 0x60, "CS", "DX") +
            element(0x28, 2, "US", number(1)) + element(0x28, 4, "CS", "MONOCHROME1" if turned else "MONOCHROME2") +
            element(0x28, 0x10, "US", number(SIDE)) + element(0x28, 0x11, "US", number(SIDE)) +
            element(0x28, 0x100, "US", number(16)) + element(0x28, 0x101, "US", number(16)) + element(0x28, 0x102, "US", number(15)) +
            element(0x28, 0x103, "US", number(0)) + element(0x28, 0x1050, "DS", "628") + element(0x28, 0x1051, "DS", "256") +
            element(0x28, 0x1052, "DS", "250") + element(0x28, 0x1053, "DS", "0.5") + element(0x7fe0, 0x10, "OW", stored))


def write(folder):
    """The same pictures as an archive and as a table of PNG and PGM."""
    made, lines = random.Random(3), ["id,name,finding,part"]
    with zipfile.ZipFile(folder / "all.npz", "w") as archive:
        for part, count in (("train", 160), ("val", 60), ("test", 60)):
            labels = bytes(made.randrange(2) for _ in range(count))
            greys = [picture(made, label) for label in labels]
            for n, (grey, label) in enumerate(zip(greys, labels)):
                name = f"{part}{n}.{'pgm' if n % 3 else 'png'}"
                (folder / name).write_bytes(pgm(grey) if n % 3 else png(grey))
                lines.append(f"{part}{n},{name},{'large' if label else 'small'},{part}")
            archive.writestr(f"{part}_images.npy", npy(b"".join(greys), count, SIDE, SIDE), zipfile.ZIP_DEFLATED)
            archive.writestr(f"{part}_labels.npy", npy(labels, count, 1), zipfile.ZIP_STORED)
    (folder / "all.csv").write_text("\n".join(lines) + "\n")
    return greys[-1], labels[-1]


COMMON = f"size: {SIDE}\nchannels: 8\nepochs: 12\nseed: 2\n"
TABLE = "pictures: all.csv\nfile: name\nclass: finding\npositive: large\n"


def check_training(run, folder):
    (folder / "archive.yaml").write_text("pictures: all.npz\n" + COMMON)
    (folder / "table.yaml").write_text(TABLE + "part: part\n" + COMMON)
    report, found = run.train(folder / "archive.yaml", folder / "archive.model", "--threads", 1)
    assert found["network", "auc"] > 0.9 and found["network", "conformal_coverage"] > 0.8, found
    first = (folder / "archive.model").read_bytes()
    assert run.train(folder / "archive.yaml", folder / "archive.model", "--threads", 3)[0] == report
    assert (folder / "archive.model").read_bytes() == first
    assert run.train(folder / "table.yaml", folder / "table.model")[1] == found, "PNG, PGM and NPZ differ"
    (folder / "drawn.yaml").write_text(TABLE + "subject: id\n" + COMMON.replace("12", "1"))
    run.train(folder / "drawn.yaml", folder / "drawn.model")
    (folder / "larger.yaml").write_text(TABLE + "part: part\nsize: 24\nepochs: 1\n")
    run.train(folder / "larger.yaml", folder / "larger.model", "--progress", folder / "progress")
    assert (folder / "progress").read_text() == "2 3\n", "an epoch of two networks; what comes then is the last step"


def check_kinds(run, folder, grey, label):
    kinds = {f"{kind}.png": png(grey, kind) for kind in ("grey", "grey16", "alpha", "rgb", "rgba", "palette")}
    kinds.update({"a.pgm": pgm(grey), "a.dcm": dicom(grey), "turned.dcm": dicom(grey, True)})
    for name, content in kinds.items():
        (folder / name).write_bytes(content)
    rows = run.predict(folder / "archive.model", *(folder / name for name in kinds))
    assert [pathlib.Path(row["id"]).name for row in rows] == list(kinds)
    said = [float(row["probability"]) for row in rows]
    assert max(said) - min(said) < 1e-4, dict(zip(kinds, said))
    told = json.loads(run(0, "predict", folder / "archive.model", folder / "a.dcm", "--json", "--coverage", 0.99))
    assert 0 < told[0]["probability"] < 1 and told[0]["set"] in ("both", "positive" if label else "negative")


def check_map(run, folder):
    """Hiding the large spot changes most: the map's strongest colour is on it."""
    grey = bytes(200 if (i % SIDE - 11) ** 2 + (i // SIDE - 4) ** 2 < 10 else 90 for i in range(SIDE * SIDE))
    (folder / "spot.png").write_bytes(png(grey))
    row, = run.predict(folder / "archive.model", folder / "spot.png", "--map", folder / "map.png")
    told = (folder / "map.png").read_bytes()
    assert row["positive"] == "1" and struct.unpack(">II", told[16:24]) == (448, 448)
    rows = zlib.decompress(told[41:41 + struct.unpack(">I", told[33:37])[0]])
    red = {(x, y): rows[y * 1345 + 1 + 3 * x] - rows[y * 1345 + 2 + 3 * x] for y in range(0, 448, 7) for x in range(0, 448, 7)}
    x, y = max(red, key=red.get)
    assert abs(x - 11.5 * 28) < 112 and abs(y - 4.5 * 28) < 112 and red[x, y] > 100, (x, y, red[x, y])
    refused(run, "one picture", "predict", folder / "archive.model", folder / "a.pgm", folder / "a.dcm", "--map", folder / "no.png")


def check_refusals(run, folder, grey):
    whole = png(grey)
    for name, content, sentence in [
            ("crc.png", whole[:40] + bytes([whole[40] ^ 1]) + whole[41:], "checksum"), ("cut.png", whole[:-12], "end"),
            ("laced.png", png(grey, interlaced=1), "interlaced"), ("cut.pgm", pgm(grey)[:-1], "ends after"),
            ("text.png", b"no picture", "PNG, PGM (P5) and DICOM"), ("large.pgm", b"P5 99999 9 255\n", "sides are"),
            ("colour.dcm", dicom(grey).replace(b"MONOCHROME2 ", b"RGB         "), "grey pixels")]:
        (folder / name).write_bytes(content)
        refused(run, sentence, "predict", folder / "archive.model", folder / name)
    for study, sentence in [("pictures: all.npz\nsize: 5\n", "size"), ("pictures: none.npz\n", "none.npz"), ("epochs: 3\npictures:\n", "text"),
                            (TABLE + "part: finding\n", "none of train, val and test"), (TABLE + "part: nowhere\n", "nowhere"),
                            (TABLE.replace("large", "huge") + "part: part\n", "both classes"), (TABLE + "colour: red\n", "'colour' is unknown")]:
        (folder / "bad.yaml").write_text(study)
        refused(run, sentence, "train", folder / "bad.yaml", "-o", folder / "bad.model")
    with zipfile.ZipFile(folder / "few.npz", "w") as archive:
        archive.writestr("train_images.npy", npy(bytes(8), 2, 2, 2))
        archive.writestr("train_labels.npy", npy(b"\0\2", 2, 1))
    (folder / "bad.yaml").write_text("pictures: few.npz\n")
    refused(run, "label 2", "train", folder / "bad.yaml", "-o", folder / "bad.model")
    model = (folder / "archive.model").read_bytes()
    for cut in (20, 200, len(model) - 1):
        (folder / "cut.model").write_bytes(model[:cut])
        refused(run, "", "predict", folder / "cut.model", folder / "a.pgm")
    assert not (folder / "bad.model").exists()


def refused(run, sentence, *arguments):
    done = subprocess.run([run.path, *map(str, arguments)], capture_output=True, text=True, timeout=100)
    assert done.returncode in (1, 2, 4) and sentence in done.stderr, (arguments, sentence, done.returncode, done.stderr)


def check_pneumonia(run, folder, data):
    """One epoch of PneumoniaMNIST; bench/prognosis trains twelve."""
    (folder / "chest.yaml").write_text(f"pictures: {data}/prognosis/pneumoniamnist/pneumoniamnist.npz\nepochs: 1\nchannels: 8\n")
    report, found = run.train(folder / "chest.yaml", folder / "chest.model")
    assert found["network", "auc"] > 0.9 and found["", "identical_pictures"] == 29, found
    assert "8 pictures are in two parts" in report["warnings"][0]
    return f"; PneumoniaMNIST after one epoch {found['network', 'auc']:.3f}"


def main():
    run, told = Program(sys.argv[1]), ""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        grey, label = write(folder)
        check_training(run, folder)
        check_kinds(run, folder, grey, label)
        check_map(run, folder)
        check_refusals(run, folder, grey)
        if len(sys.argv) > 2:
            told = check_pneumonia(run, folder, sys.argv[2])
    print("pictures of every kind are one" + told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
