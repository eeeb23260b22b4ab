"""STOW-RS of metadata and bulk data (PS3.18 section 10.5.2): `dicomweb_json.py RADSEAL`. What is sealed is compared, byte for byte, with
files made here from PS3.5 alone; what WADO-RS gives as metadata can be stored again; what is no data set is refused, alone."""
import base64
import json
import pathlib
import struct
import sys
import tempfile

from dicom_peer import EXPLICIT, explicit, meta
from dicomweb import BOUNDARY, FAILED, JSON, STORED, UNKNOWN, get, instances, picture_instance, rich_instance
from web_server import LISTEN, Site, ask

SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
RELATED = f'multipart/related; type="{JSON}"; boundary={BOUNDARY}'
OCTETS = "application/octet-stream"


def body_of(metadata, parts=(), end=b"--", first=JSON):
    """parts: (type, location, bytes)"""
    text = metadata if isinstance(metadata, bytes) else json.dumps(metadata).encode()
    body = b"--%s\r\nContent-Type: %s\r\n\r\n%s" % (BOUNDARY.encode(), first.encode(), text)
    for kind, location, content in parts:
        body += b"\r\n--%s\r\nContent-Type: %s\r\n" % (BOUNDARY.encode(), kind.encode())
        body += (b"Content-Location: %s\r\n" % location.encode() if location else b"") + b"\r\n" + content
    return body + b"\r\n--" + BOUNDARY.encode() + end


def store(port, token, *body, path="/studies", **options):
    status, _, content = ask(port, path, token, "POST", body_of(*body, **options), {"Content-Type": RELATED, "Accept": JSON})
    return status, json.loads(content)


def named(number, **changes):
    values = {"00080016": ("UI", SECONDARY), "00080018": ("UI", f"2.25.{number}"), "00100020": ("LO", "P1"), "0020000D": ("UI", "2.25.800"),
              "0020000E": ("UI", "2.25.801")} | {tag.removeprefix("e"): value for tag, value in changes.items()}
    return {tag: value if isinstance(value, dict) else {"vr": value[0], "Value": [value[1]]} for tag, value in values.items() if value}


def bytes_as_expected(port, token):
    """One of each kind of value, and the file that it must become."""
    item = explicit(8, 0x100, "SH", "A")
    nested = explicit(8, 0x100, "SH", "B") + struct.pack("<HH2sHI", 0x40, 0xA043, b"SQ", 0, 8 + len(item)) + \
        struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item
    rows = [  # tag, VR, JSON, bytes
        ("00080005", "CS", ["ISO_IR 100"], b"ISO_IR 192"), ("00080008", "CS", ["ORIGINAL", None, "AXIAL"], b"ORIGINAL\\\\AXIAL "),
        ("00080016", "UI", [SECONDARY], SECONDARY.encode() + b"\0"), ("00080018", "UI", ["2.25.810"], b"2.25.810"),
        ("00080020", "DA", ["20260102"], b"20260102"), ("00100010", "PN", [{"Alphabetic": "D\u00f6^J", "Phonetic": "y"}, {"Ideographic": "\u5c71"}],
                                                     "D\u00f6^J==y\\=\u5c71".encode()),
        ("00100020", "LO", ["P1"], b"P1"), ("00180050", "DS", [2.5, 0.1234567890123456789, "1e3"], b"2.5\\0.12345678901235\\1e3"),
        ("0020000D", "UI", ["2.25.800"], b"2.25.800"), ("0020000E", "UI", ["2.25.801"], b"2.25.801"), ("00200013", "IS", [-3], b"-3"),
        ("00280009", "AT", ["00181063", "FFFEE000"], struct.pack("<4H", 0x18, 0x1063, 0xFFFE, 0xE000)),
        ("00280010", "US", [65535, 0], struct.pack("<2H", 65535, 0)), ("00280106", "SS", [-32768], struct.pack("<h", -32768)),
        ("00290010", "LO", ["OWN"], b"OWN"), ("00291001", "UN", base64.b64encode(b"\1\2\3\4").decode(), b"\1\2\3\4"),
        ("00291002", "SV", [str(-(1 << 63))], struct.pack("<q", -(1 << 63))), ("00291003", "UV", [(1 << 64) - 1], None),
        ("00404001", "FD", [1.25, "NaN", "-Infinity"], struct.pack("<3d", 1.25, float("nan"), float("-inf"))),
        ("00404002", "FL", [0.5], struct.pack("<f", 0.5)),
        ("0040A160", "UT", ["one\\two\nthree"], b"one\\two\nthree"), ("0040A168", "SQ", [
            {"00080100": {"vr": "SH", "Value": ["B"]}, "0040A043": {"vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["A"]}}]}}, {}],
            struct.pack("<HHI", 0xFFFE, 0xE000, len(nested)) + nested + struct.pack("<HHI", 0xFFFE, 0xE000, 0)),
        ("00420011", "OB", "http://x/bulk/1", b"%PDF-1.4 ")]
    rows[17] = ("00291003", "UV", [str((1 << 64) - 1)], struct.pack("<Q", (1 << 64) - 1))
    data, said = b"", {}
    for tag, vr, value, content in rows:
        content += (b"\0" if vr in ("UI", "OB") else b" ") * (len(content) % 2)
        number = (int(tag[:4], 16), int(tag[4:], 16))
        if vr in ("SV", "UV"):
            data += struct.pack("<HH2sHI", *number, vr.encode(), 0, len(content)) + content
        else:
            data += explicit(*number, vr, content)
        key = "InlineBinary" if vr == "UN" else "BulkDataURI" if vr == "OB" else "Value"
        said[tag] = {"vr": vr, key: value}
    said |= {"00020010": {"vr": "UI", "Value": ["1.2.3"]}, "00080000": {"vr": "UL", "Value": [7]}}  # made anew, and left out
    status, answer = store(port, token, [dict(reversed(said.items()))], [(OCTETS, "http://x/bulk/1", b"%PDF-1.4 ")])
    assert status == 200 and instances(answer, STORED) == [("2.25.810", None)], answer
    _, _, content = get(port, token, "/studies/2.25.800/series/2.25.801/instances/2.25.810", "application/dicom")
    expected = meta(SECONDARY, "2.25.810", EXPLICIT) + data
    assert content == expected, next((at, content[at - 40:at + 40], expected[at - 40:at + 40]) for at in range(len(expected))
                                     if content[at:at + 1] != expected[at:at + 1])
    print(f"as expected: {len(rows)} elements, byte for byte")


def pictures(port, token):
    """Native pixel data, and compressed frames, a part each; refused where they do not fit."""
    content, pixels = picture_instance()
    assert ask(port, "/studies", token, "POST", content, {"Content-Type": "application/dicom", "Accept": JSON})[0] == 200
    (dataset,) = json.loads(get(port, token, "/studies/2.25.9/metadata", JSON)[2])
    uri = dataset["7FE00010"]["BulkDataURI"]
    dataset["00080018"]["Value"] = ["2.25.9002"]
    status, answer = store(port, token, [dataset], [(f"{OCTETS}; transfer-syntax={EXPLICIT}", uri, pixels)], path="/studies/2.25.9")
    assert status == 200, answer
    frames = get(port, token, "/studies/2.25.9/series/2.25.90/instances/2.25.9002/frames/2")[2]
    assert pixels[len(pixels) // 3:2 * len(pixels) // 3] in frames
    dataset["00080018"]["Value"], streams = ["2.25.9003"], [b"\xff\xd8one\xff\xd9", b"\xff\xd8second\xff\xd9", b"\xff\xd8three\xff\xd9"]
    status, answer = store(port, token, [dataset], [("image/jpeg", uri, stream) for stream in streams])
    assert status == 200, answer
    _, _, content = get(port, token, "/studies/2.25.9/series/2.25.90/instances/2.25.9003", "application/dicom")
    fragments = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(one) + len(one) % 2) + one + bytes(len(one) % 2) for one in (b"", *streams))
    assert content.endswith(b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff" + fragments + b"\xfe\xff\xdd\xe0" + bytes(4))
    assert b"1.2.840.10008.1.2.4.70" in content[:400]
    parts = get(port, token, "/studies/2.25.9/series/2.25.90/instances/2.25.9003/frames/2", 'multipart/related; type="image/jpeg"')[2]
    assert streams[1] in parts
    print("pictures: native and compressed frames come back as they were sent")


def rich_again(port, token):
    """What WADO-RS tells of an instance is stored under another UID, and told again."""
    content, expected = rich_instance()
    assert ask(port, "/studies", token, "POST", content, {"Content-Type": "application/dicom", "Accept": JSON})[0] == 200
    (dataset,) = json.loads(get(port, token, "/studies/2.25.7/metadata", JSON)[2])
    dataset["00080018"]["Value"] = ["2.25.7002"]
    status, answer = store(port, token, [dataset], [(OCTETS, dataset["00291002"]["BulkDataURI"], bytes(2000))])
    assert status == 200, answer
    (again,) = json.loads(get(port, token, "/studies/2.25.7/series/2.25.70/instances/2.25.7002/metadata", JSON)[2])
    again["00291002"]["BulkDataURI"] = dataset["00291002"]["BulkDataURI"]
    assert again == dataset, {tag for tag in again if again.get(tag) != dataset.get(tag)}
    print("rich again: what is told can be stored, and is told the same")


def refusing(port, token):
    deep = {}
    for _ in range(200):
        deep = {"0040A168": {"vr": "SQ", "Value": [deep]}}
    alone = {
        "no class": named(1, e00080016=None), "no instance": named(2, e00080018=None), "a UID that climbs": named(3, e0020000D=("UI", "../../x")),
        "a vr that is none": named(4, e00080020=("XX", "1")), "no vr": named(5, e00080020={"Value": ["1"]}),
        "two values where one belongs": named(6, e0040A160={"vr": "UT", "Value": ["a", "b"]}), "a backslash": named(7, e00081030=("LO", "a\\b")),
        "a control character": named(8, e00081030=("LO", "a\x1bb")), "a line": named(9, e00100020=("LO", "P1\r\nP2")),
        "a group of a name": named(10, e00100010=("PN", {"Alphabetic": "a=b"})), "a name that is text": named(11, e00100010=("PN", "a")),
        "too large": named(12, e00280010=("US", 65536)), "below zero": named(13, e00280010=("US", -1)), "no number": named(14, e00280010=("US", "x")),
        "too long a number": named(15, e00200013=("IS", 12345678901234)), "no base64": named(16, e00420011={"vr": "OB", "InlineBinary": "*"}),
        "half a word": named(17, e7FE00010={"vr": "OW", "InlineBinary": "AQ=="}), "no such part": named(18, e00420011={"vr": "OB", "BulkDataURI": "x"}),
        "two forms": named(19, e00420011={"vr": "OB", "BulkDataURI": "b", "InlineBinary": "AQI="}), "deep": named(20, **{"e0040A168": deep["0040A168"]}),
        "a tag that is none": {**named(21), "0008": {"vr": "LO"}}, "an element that is none": named(22) | {"00081030": "x"},
        "a text of bytes": named(23, e00081030={"vr": "LO", "InlineBinary": "AQI="}), "no object": 7, "another study": None}
    for name, dataset in alone.items():
        path = "/studies/2.25.1" if name == "another study" else "/studies"
        status, answer = store(port, token, [dataset or named(24), *([named(900)] if dataset else [])], [(OCTETS, "b", b"12")], path=path)
        refused = instances(answer, FAILED) + instances(answer, UNKNOWN)
        assert status == (202 if dataset else 409) and len(refused) == 1 and refused[0][1] in (0xC000, 0xA900), (name, status, answer)
    whole = {
        "no array": ({}, (), 400), "no JSON": (b"[{]", (), 400), "said twice": (b'[{"00080018":{"vr":"UI"},"00080018":{"vr":"UI"}}]', (), 400),
        "nothing": ([], (), 400), "no location": ([named(30)], [(OCTETS, "", b"x")], 400), "another type": ([named(31)], [("text/html", "x", b"x")], 415),
        "another syntax": ([named(32)], [(f"{OCTETS}; transfer-syntax=1.2.840.10008.1.2.2", "x", b"x")], 415),
        "much metadata": (b"[" + b" " * (9 << 20) + b"]", (), 413)}
    for name, (metadata, parts, expected) in whole.items():
        status, answer = store(port, token, metadata, parts)
        assert status == expected and answer["detail"], (name, status, answer)
    assert store(port, token, [named(33)], end=b"")[0] == 400 and store(port, token, [named(34)], first="application/dicom")[0] == 415
    xml = RELATED.replace(JSON, "application/dicom+xml")
    assert ask(port, "/studies", token, "POST", body_of([]), {"Content-Type": xml})[0] == 415
    print(f"refused: {len(alone)} data sets alone, {len(whole) + 3} bodies")


def main(program):
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        site = Site(program, scratch / "node")
        site.init()
        site.run("key", "new", "reader", "--home", site.home, "--quiet", check=0)
        site.run("member", "grant", "reader", "--role", "radiologist", "--home", site.home, "--quiet", check=0)
        tokens = site.tokens(scratch, reader="reader all")
        with site.serving("--http-tokens", tokens, listen=LISTEN) as port:
            for step in (bytes_as_expected, pictures, rich_again, refusing):
                step(port, site.token["reader"])
        site.fsck(check=0)


if __name__ == "__main__":
    main(sys.argv[1])
