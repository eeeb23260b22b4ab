"""Compressed DICOM from the command line: `convert.py RADSEAL DICOM_LIST [DATA]`.

A file of our own goes through every transfer syntax and comes back the same. With DATA, what `radseal convert` decodes is what
dcmdjpeg, dcmdjpls and dcmdrle decode, what it compresses they can read, pictures are those of dcmj2pnm, and `radseal dicom send`
decodes for a peer that takes nothing compressed; each where dcmtk is installed."""
import json
import pathlib
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib

from node_tools import Radseal

SYNTAXES = {"explicit": "1.2.840.10008.1.2.1", "implicit": "1.2.840.10008.1.2", "rle": "1.2.840.10008.1.2.5",
            "jpeg-ls": "1.2.840.10008.1.2.4.80", "jpeg-2000": "1.2.840.10008.1.2.4.90"}
DECODERS = {"dcmdjpeg": ("4.50", "4.51", "4.57", "4.70"), "dcmdjpls": ("4.80", "4.81"), "dcmdrle": ("2.5",)}
REFUSED_BY_DCMTK = {"SC_rgb_jpeg_lossy_gdcm.dcm"}


class Tools:
    def __init__(self, program, lister):
        self.program, self.lister = program, lister

    def convert(self, status, *arguments):
        done = subprocess.run([self.program, "convert", *map(str, arguments)], capture_output=True, text=True, timeout=300)
        assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout, done.stderr

    def listed(self, path):
        """Elements but for the meta group (tag, VR, value), and the frames' checksums."""
        run = subprocess.run([self.lister, str(path)], capture_output=True, text=True, timeout=300)
        rows = [json.loads(line) for line in run.stdout.splitlines()]
        end = rows.pop()
        return {row[0]: (row[1], row[5]) for row in rows if row[0][:4] > "0002"}, end.get("pixels")


def element(group, number, vr, value):
    value += b"\0" * (len(value) % 2)
    long = vr in ("OW", "OB", "UN", "SQ")
    head = struct.pack("<HH", group, number) + vr.encode()
    return head + (struct.pack("<HI", 0, len(value)) if long else struct.pack("<H", len(value))) + value


def own_file():
    made = random.Random(5)
    short = lambda v: struct.pack("<H", v)
    item = element(8, 0x1150, "UI", b"1.2.3") + element(8, 0x1155, "UI", b"1.2.4")
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item
    pixels = b"".join(struct.pack("<h", (x * y + made.randrange(9)) % 2000 - 1000) for y in range(40) for x in range(30))
    meta = element(2, 0x10, "UI", SYNTAXES["explicit"].encode())
    return (bytes(128) + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(meta))) + meta +
            element(8, 0x16, "UI", b"1.2.840.10008.5.1.4.1.1.2") + element(8, 0x18, "UI", b"1.2.3.4.5") +
            element(8, 0x1140, "SQ", item) + element(9, 0x10, "LO", b"OURS") + element(9, 0x1001, "FD", struct.pack("<d", 2.5)) +
            element(0x10, 0x20, "LO", b"P9") + element(0x20, 0xD, "UI", b"1.2.3.4.9") + element(0x20, 0xE, "UI", b"1.2.3.4.8") +
            element(0x28, 2, "US", short(1)) + element(0x28, 4, "CS", b"MONOCHROME2 ") + element(0x28, 0x10, "US", short(40)) +
            element(0x28, 0x11, "US", short(30)) + element(0x28, 0x100, "US", short(16)) + element(0x28, 0x101, "US", short(12)) +
            element(0x28, 0x102, "US", short(11)) + element(0x28, 0x103, "US", short(1)) + element(0x7fe0, 0x10, "OW", pixels))


def check_own(tools, folder):
    source = folder / "own.dcm"
    source.write_bytes(own_file())
    elements, pixels = tools.listed(source)
    for name, uid in SYNTAXES.items():
        said = json.loads(tools.convert(0, source, folder / "made.dcm", "--transfer-syntax", name, "--json")[0])
        assert said["to"] == uid and said["from"] == SYNTAXES["explicit"]
        assert uid.encode() in (folder / "made.dcm").read_bytes()[:400]
        assert tools.listed(folder / "made.dcm")[1] == pixels, name
        tools.convert(0, folder / "made.dcm", folder / "back.dcm", "--quiet")
        back, again = tools.listed(folder / "back.dcm")
        unknown = {path for path in elements if path.startswith("00091001")}  # a private VR is not in an implicit file
        assert again == pixels and set(back) == set(elements), name
        assert all(back[path] == elements[path] for path in elements if path not in unknown), name
    assert "not written" in tools.convert(1, source, folder / "no.dcm", "--transfer-syntax", "1.2.840.10008.1.2.4.50")[1]
    assert "from 1" in tools.convert(2, source, folder / "no.png", "--frame", 0)[1]
    assert "--window is" in tools.convert(2, source, folder / "no.png", "--window", "5")[1]
    assert "does not exist" in tools.convert(4, source, folder / "no.png", "--frame", 2)[1]
    for name in ("no.dcm", "no.png"):
        assert not (folder / name).exists()
    tools.convert(0, source, folder / "own.jpg", "--window", "0,2000", "--quality", 95, "--quiet")
    assert (folder / "own.jpg").read_bytes()[:3] == b"\xff\xd8\xff"


def syntax_of(path):
    found = re.search(rb"\x02\x00\x10\x00UI..([0-9.]+)", path.read_bytes()[:2000], re.S)
    return found[1].decode() if found else ""


def check_decoders(tools, folder, data):
    """Every compressed file, as DCMTK has it."""
    compared = 0
    for path in sorted((data / "pydicom/test_files").glob("*.dcm")) + sorted((data / "transfer_syntaxes/orthanc").glob("*.dcm")):
        tool = next((tool for tool, ends in DECODERS.items() if syntax_of(path).endswith(ends)), None)
        if tool is None or not shutil.which(tool) or path.name in REFUSED_BY_DCMTK:
            continue
        theirs, ours = folder / "theirs.dcm", folder / "ours.dcm"
        theirs.unlink(missing_ok=True)
        if subprocess.run([tool, str(path), str(theirs)], capture_output=True).returncode != 0:
            continue
        if b"7fe0" in tools.listed(theirs)[0] or not tools.listed(theirs)[1]:
            continue
        tools.convert(0, path, ours, "--quiet")
        (a, pixels), (b, wanted) = tools.listed(ours), tools.listed(theirs)
        assert pixels == wanted, path.name
        # DCMTK orders colours by its own taste, and says of them what it did.
        skipped = {"00080005", "00280006", "00282110", "00080016", "00080018", "7fe00010", "00081111"}
        for key in set(a) & set(b):
            mean, meant = ([] if row[1] == [""] else row[1] for row in (a[key], b[key]))
            assert key[:8] in skipped or mean == meant or mean is None or meant is None, (path.name, key, mean, meant)
        compared += 1
    return compared


def check_encoders(tools, folder, data):
    """What we compress, as DCMTK decodes it."""
    for name, tool in (("jpeg-ls", "dcmdjpls"), ("rle", "dcmdrle")):
        for path in ("MR_small.dcm", "SC_rgb_rle_2frame.dcm", "rtdose_1frame.dcm", "JPGExtended.dcm"):
            source = data / "pydicom/test_files" / path
            if not shutil.which(tool) or not source.exists() or (name == "jpeg-ls" and path.startswith("rtdose")):
                continue
            tools.convert(0, source, folder / "made.dcm", "--transfer-syntax", name, "--quiet")
            subprocess.run([tool, str(folder / "made.dcm"), str(folder / "back.dcm")], check=True, capture_output=True)
            assert tools.listed(folder / "back.dcm")[1] == tools.listed(source)[1], (name, path)


def greys_of(pgm):
    """What dcmj2pnm writes: P5, width and height, 255, the pixels."""
    _, size, _, pixels = pgm.split(b"\n", 3)
    return *map(int, size.split()), pixels


def greys_of_png(data):
    width, height = struct.unpack(">II", data[16:24])
    rows = zlib.decompress(b"".join(part[8:-4] for part in chunks(data) if part[4:8] == b"IDAT"))
    return width, height, b"".join(rows[y * (width + 1) + 1:(y + 1) * (width + 1)] for y in range(height))


def chunks(data):
    at = 8
    while at < len(data):
        size = struct.unpack(">I", data[at:at + 4])[0]
        yield data[at:at + size + 12]
        at += size + 12


def check_pictures(tools, folder, data):
    """Within one grey of dcmj2pnm, which computes with tables."""
    if not shutil.which("dcmj2pnm"):
        return
    for name, options, window in (("CT_small.dcm", ["+Ww", "40", "400"], "40,400"), ("MR_small_jp2klossless.dcm", ["+Wi", "1"], None),
                                  ("JPEG-lossy.dcm", ["+Wm"], None)):
        source = data / "pydicom/test_files" / name
        tools.convert(0, source, folder / "plain.dcm", "--quiet")
        subprocess.run(["dcmj2pnm", "+op", *options, str(folder / "plain.dcm"), str(folder / "theirs.pgm")], check=True)
        tools.convert(0, source, folder / "ours.png", "--quiet", *(["--window", window] if window else []))
        ours = greys_of_png((folder / "ours.png").read_bytes())
        theirs = greys_of((folder / "theirs.pgm").read_bytes())
        assert ours[:2] == theirs[:2], name
        assert max(abs(a - b) for a, b in zip(ours[2], theirs[2])) <= 1, name


def check_send(tools, folder, data):
    """storescp takes what is uncompressed only, unless told otherwise."""
    if not shutil.which("storescp"):
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    received = folder / "received"
    received.mkdir()
    there = subprocess.Popen(["storescp", "+B", "-od", str(received), str(port)])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        sources = [data / "pydicom/test_files" / name for name in ("MR_small_jp2klossless.dcm", "MR_small_RLE.dcm", "CT_small.dcm")]
        for source in sources:
            done = subprocess.run([tools.program, "dicom", "send", f"127.0.0.1:{port}", str(source), "--json", "--quiet"],
                                  capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr
            (row,) = json.loads(done.stdout)
            assert row["sent_as"] == (None if source.name == "CT_small.dcm" else SYNTAXES["explicit"]), row
            (arrived,) = received.iterdir()
            assert tools.listed(arrived)[1] == tools.listed(source)[1]
            arrived.unlink()
    finally:
        there.terminate()
        there.wait()


def check_retrieve(tools, folder):
    """A copy beside what was sealed, which stays as it was."""
    node = Radseal(tools.program, folder / "node")
    node.init()
    node.seal(folder / "own.dcm")
    out = folder / "out"
    done = node.run("retrieve", "--home", node.home, "--subject", "P9", "--purpose", "operations", "-o", out, "--json",
                    "--transfer-syntax", "jpeg-ls", check=0)
    (row,) = json.loads(done.stdout)
    assert pathlib.Path(row["path"]).read_bytes() == (folder / "own.dcm").read_bytes()
    assert SYNTAXES["jpeg-ls"].encode() in pathlib.Path(row["copy"]).read_bytes()[:400]
    assert tools.listed(row["copy"])[1] == tools.listed(folder / "own.dcm")[1]
    assert node.verify(row["copy"]).returncode == 1, "a copy is not what was sealed"


def main():
    tools = Tools(*(str(pathlib.Path(argument).resolve()) for argument in sys.argv[1:3]))
    with tempfile.TemporaryDirectory(prefix="radseal-convert-") as name:
        folder = pathlib.Path(name)
        check_own(tools, folder)
        check_retrieve(tools, folder)
        if len(sys.argv) > 3:
            data = pathlib.Path(sys.argv[3])
            compared = check_decoders(tools, folder, data)
            assert compared > 20 or not shutil.which("dcmdjpeg"), compared
            check_encoders(tools, folder, data)
            check_pictures(tools, folder, data)
            check_send(tools, folder, data)
            print(f"{compared} compressed files decoded as DCMTK does")
    print("convert: well")


if __name__ == "__main__":
    main()
