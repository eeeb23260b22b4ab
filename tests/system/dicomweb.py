"""`radseal serve` as clients of DICOMweb meet it: STOW-RS, WADO-RS and QIDO-RS; `dicomweb.py RADSEAL`. What was answered as stored is sealed
bit for bit and comes back so; what is refused says why, and changes nothing; what was altered is never given as whole."""
import argparse
import contextlib
import http.client
import json
import pathlib
import re
import socket
import sqlite3
import struct
import tempfile

from dicom_peer import EXPLICIT, explicit, meta, small_instance
from web_server import LISTEN, Site, ask

DICOM, JSON = "application/dicom", "application/dicom+json"
BOUNDARY = "boundary-of-parts"
RELATED = f'multipart/related; type="{DICOM}"; boundary={BOUNDARY}'


def file_of(number, **options):
    sop_class, instance, data = small_instance(number, **options)
    return meta(sop_class, instance, EXPLICIT) + data


def body_of(files, media=DICOM, end=b"--"):
    return b"".join(b"\r\n--%s\r\nContent-Type: %s\r\n\r\n%s" % (BOUNDARY.encode(), media.encode(), content)
                    for content in files) + b"\r\n--" + BOUNDARY.encode() + end


def store(port, token, files, path="/studies", media=RELATED, **options):
    body = body_of(files) if isinstance(files, list) else files
    status, _, content = ask(port, path, token, "POST", body, {"Content-Type": media, "Accept": JSON}, **options)
    return status, json.loads(content)


def instances(answer, sequence):
    return [(one.get("00081155", {}).get("Value", [None])[0], one.get("00081197", {}).get("Value", [None])[0])
            for one in answer.get(sequence, {}).get("Value", [])]


STORED, FAILED, UNKNOWN = "00081199", "00081198", "0008119A"


def expect_sealed(site, scratch, files):
    for number, content in enumerate(files):
        (scratch / f"sent{number}").write_bytes(content)
    paths = [scratch / f"sent{number}" for number in range(len(files))]
    verdicts = site.verdicts(*paths)
    assert set(verdicts.values()) == {"genuine"}, verdicts


def storing(site, scratch):
    tokens = site.tokens(scratch, store="node store", query="node query")
    files = [file_of(number, size=3_000_000 if number == 3 else 2000) for number in range(30)]
    # Another preamble, and bytes that look like the beginning of a delimiter.
    files.append(b"II*\0" + file_of(40)[4:])
    files.append(file_of(41, size=20000).replace(b"\x29\x04" * 2000, (b"\r\n--" + BOUNDARY.encode()[:-1] + b"\r\n--") * 160 + b"\0" * 160))
    with site.serving("--http-tokens", tokens, listen=LISTEN) as port:
        token = site.token["store"]
        status, answer = store(port, token, files)
        assert status == 200 and len(instances(answer, STORED)) == len(files), (status, answer)
        one = answer[STORED]["Value"][0]
        assert one["00081190"]["Value"] == [f"http://127.0.0.1:{port}/studies/2.25.1/series/2.25.2/instances/2.25.1000"], one
        status, answer = store(port, token, files[:2])
        assert status == 200 and len(instances(answer, STORED)) == 2, "the same again is known"
        status, answer = store(port, token, file_of(60), media=DICOM)
        assert status == 200 and instances(answer, STORED) == [("2.25.1060", None)], answer
        status, answer = store(port, token, [file_of(61)], path="/studies/2.25.1")
        assert status == 200 and answer["00081190"]["Value"][0].endswith("/studies/2.25.1")
        status, headers, content = ask(port, "/studies", token, "POST", iter([body_of([file_of(62)])[at:at + 100] for at in
                                       range(0, 3000, 100)]), {"Content-Type": RELATED})
        assert status == 200, ("chunked", status, content)
    expect_sealed(site, scratch, [*files, file_of(60), file_of(61), file_of(62)])
    told = json.loads(site.verify(scratch / "sent1").stdout)[0]
    assert re.fullmatch(r"dicomweb [0-9a-f]{16}", told["source"]), told
    site.fsck(check=0)
    print(f"storing: {len(files)} in one body, one alone, in a study, in chunks: sealed as they were sent")


def refusing(site, scratch):
    tokens = site.tokens(scratch, store="node store", query="node query")
    with site.serving("--http-tokens", tokens, listen=LISTEN) as port:
        token = site.token["store"]
        good, cut = file_of(100), file_of(101)[:-50]
        status, answer = store(port, token, [good, cut, b"no DICOM at all" * 20])
        assert status == 202 and instances(answer, STORED) == [("2.25.1100", None)], (status, answer)
        assert [reason for _, reason in instances(answer, FAILED) + instances(answer, UNKNOWN)] == [0xC000] * 2, answer
        status, answer = store(port, token, [file_of(102)], path="/studies/2.25.77")
        assert (status, instances(answer, FAILED)) == (409, [("2.25.1102", 0xA900)]), answer
        other = file_of(100, size=4000)
        status, answer = store(port, token, [other])
        assert status in (200, 409), (status, answer)
        cases = {
            "no parts": (body_of([]), RELATED, 400),
            "no end": (body_of([good], end=b""), RELATED, 400),
            "no boundary": (body_of([good]), "multipart/related", 400),
            "a boundary that is none": (body_of([good]), 'multipart/related; boundary="a\u00e4"', 400),
            "another type": (body_of([good]), "multipart/form-data; boundary=x", 415),
            "parts of another type": (body_of([good], media="text/html"), RELATED, 415),
            "metadata of nothing": (body_of([b"[]"], media=JSON), RELATED.replace(DICOM, JSON), 400),
            "a head that does not end": (b"--" + BOUNDARY.encode() + b"\r\nX: " + b"y" * 10000, RELATED, 413),
            "no type": (body_of([good]), "", 415),
        }
        for name, (body, media, expected) in cases.items():
            status, answer = store(port, token, body, media=media)
            assert status == expected and answer["detail"], (name, status, answer)
        assert ask(port, "/studies", token, "POST", body_of([good]), {"Content-Type": RELATED, "Accept": "text/html"})[0] == 406
        for bad in (None, "x" * 64):
            assert ask(port, "/studies", bad, "POST", body_of([file_of(110)]), {"Content-Type": RELATED})[0] == 401
        assert ask(port, "/studies", site.token["query"], "POST", body_of([file_of(110)]), {"Content-Type": RELATED})[0] == 403
        for path in ("/studies/1..2", "/studies/..%2f..%2fkeys", "/studies/1.2/x"):
            assert ask(port, path, token, "POST", body_of([good]), {"Content-Type": RELATED})[0] in (400, 404, 405), path
        # A peer that goes away in the middle leaves nothing.
        with socket.create_connection(("127.0.0.1", port)) as peer:
            body = body_of([file_of(120, size=2_000_000)])
            peer.sendall(f"POST /studies HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: {RELATED}\r\n"
                         f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:1_000_000])
        status, answer = store(port, token, [file_of(121)])
        assert status == 200
    assert not re.search(r"2\.25\.1\d\d\d|P1\b", site.said), "no identifiers in the log"
    (scratch / "unsent").write_bytes(file_of(110))
    assert site.verdicts(scratch / "unsent") == {str(scratch / "unsent"): "unknown"}
    site.fsck(check=0)
    print(f"refusing: {len(cases)} bodies that are none, wrong studies, wrong callers; the log names no patient")


def parts_of(headers, content):
    """Parts of a multipart body by a reader that trusts lengths of nothing: [(Content-Type, bytes)]"""
    boundary = re.search(r'boundary="?([^";]+)', headers["content-type"])[1].encode()
    pieces = (b"\r\n" + content).split(b"\r\n--" + boundary)
    assert pieces[0].strip() == b"" and pieces[-1].startswith(b"--"), (pieces[0][:80], pieces[-1][:80])
    parts = [piece.split(b"\r\n\r\n", 1) for piece in pieces[1:-1]]
    return [(re.search(rb"(?i)content-type: *([^\r\n]*)", head)[1].decode(), body) for head, body in parts]


def get(port, token, path, accept=None, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(port, path, token, headers=named | ({"Accept": accept} if accept else {}))


def members(site):
    """Keys of two members: one who treats, one who has no role."""
    for name in ("reader", "nobody"):
        site.run("key", "new", name, "--home", site.home, "--quiet", check=0)
    site.run("member", "grant", "reader", "--role", "radiologist", "--home", site.home, "--quiet", check=0)


def entries(site):
    return len(site.run("log", "--home", site.home, "--quiet", check=0).stdout.splitlines())


STUDY, SERIES = "/studies/2.25.1", "/studies/2.25.1/series/2.25.2"


def retrieving(site, scratch):
    tokens = site.tokens(scratch, reader="reader all", nobody="nobody all", store="node store", other="reader all research")
    files = {number: file_of(number, size=3_000_000 if number == 205 else 2000) for number in range(200, 210)}
    with site.serving("--http-tokens", tokens, listen=LISTEN) as port:
        token = site.token["reader"]
        assert store(port, token, list(files.values()))[0] == 200
        status, headers, content = get(port, token, STUDY)
        parts = parts_of(headers, content)
        assert status == 200 and len(parts) >= len(files) and len(content) == int(headers["content-length"])
        assert {kind for kind, _ in parts} == {f"{DICOM}; transfer-syntax={EXPLICIT}"}
        assert set(files.values()) <= {body for _, body in parts}, "what went in comes out"
        for accept in ("*/*", f'multipart/related; type="{DICOM}"; transfer-syntax=*', "multipart/related", f"text/html, {RELATED};q=0.1"):
            assert len(parts_of(*get(port, token, SERIES, accept)[1:])) == len(parts), accept
        one = f"{SERIES}/instances/2.25.1205"
        status, headers, content = get(port, token, one, DICOM)
        assert (status, content) == (200, files[205]) and headers["content-type"].startswith(DICOM)
        tag = headers["etag"]
        assert get(port, token, one, DICOM, If_None_Match=tag)[::2] == (304, b"")
        assert get(port, token, one, DICOM, If_None_Match='"other"')[0] == 200
        for given, begin, end in (("bytes=0-9", 0, 10), ("bytes=2999990-", 2999990, None), ("bytes=-7", -7, None)):
            status, headers, content = get(port, token, one, DICOM, Range=given)
            assert (status, content) == (206, files[205][begin:end]), given
        assert get(port, token, one, DICOM, Range="bytes=99999999-")[0] == 416
        assert get(port, token, one, f"{DICOM}; transfer-syntax={EXPLICIT}")[0] == 200
        cases = {(one, "image/jpeg"): 406, (STUDY, DICOM): 406, (one, f"{DICOM}; transfer-syntax=1.2.840.10008.1.2.2"): 406,
                 ("/studies/2.25.9", None): 404, (f"{STUDY}/series/2.25.9", None): 404, (f"{SERIES}/instances/2.25.1", None): 404,
                 ("/studies/2.25.9/series/2.25.2", None): 404, ("/studies/%2e%2e", None): 400, ("/studies/1;x", None): 404}
        for (path, accept), expected in cases.items():
            assert get(port, token, path, accept)[0] == expected, (path, accept)
        for bad, expected in ((None, 401), ("y" * 64, 401), (site.token["store"], 403), (site.token["nobody"], 403),
                              (site.token["other"], 404)):
            assert get(port, bad, one, DICOM)[0] == expected, (bad, get(port, bad, one, DICOM))
        assert ask(port, one, token, "HEAD")[::2] == (200, b"")
    before = entries(site)
    with site.serving("--http-tokens", tokens, listen=LISTEN) as port:
        for _ in range(3):
            assert get(port, token, one, DICOM)[0] == 200
    assert entries(site) == before + 1, "one request for a study stands on the ledger"
    site.run("member", "revoke", "reader", "--home", site.home, "--quiet", check=0)
    with site.serving("--http-tokens", tokens, listen=LISTEN) as port:
        assert get(port, token, one, DICOM)[0] == 403, "a revoked member"
    print("retrieving: studies, series, instances and parts of them as they were sent, on the ledger; others refused")


def rich_instance():
    """A data set with one of each kind of value, and what PS3.18 annex F makes of it."""
    elements = [
        (8, 5, "CS", "ISO_IR 192", {"vr": "CS", "Value": ["ISO_IR 192"]}),
        (8, 8, "CS", "ORIGINAL\\\\AXIAL", {"vr": "CS", "Value": ["ORIGINAL", None, "AXIAL"]}),
        (8, 0x16, "UI", "1.2.840.10008.5.1.4.1.1.7", {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.7"]}),
        (8, 0x18, "UI", "2.25.7001", {"vr": "UI", "Value": ["2.25.7001"]}),
        (8, 0x20, "DA", "20260102", {"vr": "DA", "Value": ["20260102"]}),
        (8, 0x60, "CS", "OT", {"vr": "CS", "Value": ["OT"]}),
        (8, 0x90, "PN", "", {"vr": "PN"}),
        (0x10, 0x10, "PN", "D\u00f6^Jane=\u5c71\u7530^=yamada", {"vr": "PN", "Value": [
            {"Alphabetic": "D\u00f6^Jane", "Ideographic": "\u5c71\u7530^", "Phonetic": "yamada"}]}),
        (0x10, 0x20, "LO", "P7", {"vr": "LO", "Value": ["P7"]}),
        (0x18, 0x50, "DS", "2.50", {"vr": "DS", "Value": [2.5]}),
        (0x18, 0x1063, "DS", "x", {"vr": "DS", "Value": ["x"]}),
        (0x20, 0xD, "UI", "2.25.7", {"vr": "UI", "Value": ["2.25.7"]}),
        (0x20, 0xE, "UI", "2.25.70", {"vr": "UI", "Value": ["2.25.70"]}),
        (0x20, 0x13, "IS", "-3", {"vr": "IS", "Value": [-3]}),
        (0x28, 9, "AT", struct.pack("<4H", 0x18, 0x1063, 0xFFFE, 0xE000), {"vr": "AT", "Value": ["00181063", "FFFEE000"]}),
        (0x28, 0x106, "SS", struct.pack("<h", -5), {"vr": "SS", "Value": [-5]}),
        (0x29, 0x10, "LO", "PRIVATE \"x\"", {"vr": "LO", "Value": ["PRIVATE \"x\""]}),
        (0x29, 0x1001, "OB", bytes(range(6)), {"vr": "OB", "InlineBinary": "AAECAwQF"}),
        (0x29, 0x1002, "OB", bytes(2000), "bulk"),
        (0x40, 0x4001, "FD", struct.pack("<2d", 1.25, float("nan")), {"vr": "FD", "Value": [1.25, "NaN"]}),
        (0x40, 0xA168, "SQ", "items", {"vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["A"]}}, {}]}),
        (0x40, 0xA160, "UT", "one\\two", {"vr": "UT", "Value": ["one\\two"]}),
    ]
    elements.sort(key=lambda row: row[:2])
    data, expected = b"", {}
    for group, number, vr, value, json_value in elements:
        if value == "items":
            inner = explicit(8, 0x100, "SH", "A")
            value = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(inner)) + inner + b"\xfe\xff\x00\xe0" + bytes(4)
        if isinstance(value, str):
            value = value.encode()
            value += (b"\0" if vr == "UI" else b" ") * (len(value) % 2)
        data += explicit(group, number, vr, value)
        expected[f"{group:04X}{number:04X}"] = json_value
    return meta("1.2.840.10008.5.1.4.1.1.7", "2.25.7001", EXPLICIT) + data, expected


def querying(site, scratch):
    tokens = site.tokens(scratch, second="second all", store="node store", nobody="nobody all", research="second query research")
    content, expected = rich_instance()
    with site.serving("--http-tokens", tokens, listen=LISTEN) as port:
        token = site.token["second"]
        assert store(port, token, [content])[0] == 200
        one = "/studies/2.25.7/series/2.25.70/instances/2.25.7001"
        status, headers, body = get(port, token, one + "/metadata", JSON)
        found = json.loads(body)
        assert status == 200 and headers["content-type"] == JSON and len(found) == 1
        uri = found[0]["00291002"].pop("BulkDataURI")
        assert found[0].pop("00291002") == {"vr": "OB"}
        expected.pop("00291002")
        assert found[0] == expected, {tag: (found[0].get(tag), expected.get(tag)) for tag in found[0].keys() | expected.keys()
                                      if found[0].get(tag) != expected.get(tag)}
        assert list(found[0]) == sorted(found[0])
        path = uri.split(str(port), 1)[1]
        assert get(port, token, path, "application/octet-stream")[2] == bytes(2000)
        assert parts_of(*get(port, token, path)[1:]) == [("application/octet-stream", bytes(2000))]
        assert get(port, token, one + "/bulkdata/0040A168.1.00080100", "application/octet-stream")[2] == b"A "
        for path in ("/bulkdata/00291003", "/bulkdata/0040A168.3.00080100", "/bulkdata/x", "/bulkdata/0040A168.0.00080100"):
            assert get(port, token, one + path)[0] == 404, path
        for path in ("/studies/2.25.7/metadata", "/studies/2.25.7/series/2.25.70/metadata"):
            assert len(json.loads(get(port, token, path)[2])) == 1
        questions = {
            "/studies?StudyInstanceUID=2.25.7": 1, "/studies?PatientID=P7": 1, "/studies?00100020=P7": 1, "/studies?PatientID=nobody": 0,
            "/studies?PatientName=d%C3%B6*": 1, "/studies?StudyDate=20260101-20260103&PatientID=P7": 1, "/studies?StudyDate=-20250101": 0,
            "/studies?StudyInstanceUID=2.25.7,2.25.1": 2, "/studies?limit=1": 1, "/studies?limit=0": 0, "/studies?limit=5&offset=1000": 0,
            "/studies/2.25.7/series": 1, "/series?SeriesInstanceUID=2.25.70": 1, "/studies/2.25.7/series?Modality=MR": 0,
            "/studies/2.25.7/instances": 1, "/studies/2.25.7/series/2.25.70/instances?SOPInstanceUID=2.25.7001": 1,
            "/instances?SOPInstanceUID=2.25.7001": 1, "/studies/2.25.99/series": 0,
        }
        for path, count in questions.items():
            status, headers, body = get(port, token, path, JSON)
            assert (status, len(json.loads(body))) == (200, count), (path, status, body[:300])
        study = json.loads(get(port, token, "/studies?PatientID=P7&includefield=NumberOfPatientRelatedStudies")[2])[0]
        assert study["00100010"] == expected["00100010"] and study["00201208"] == {"vr": "IS", "Value": [1]}
        assert study["00201200"]["Value"] == [1] and study["00081190"]["Value"][0].endswith("/studies/2.25.7")
        assert list(study) == sorted(study)
        warned = get(port, token, "/studies?limit=1&fuzzymatching=true")[1]
        assert "fuzzymatching" in warned["warning"] and "additional" in warned["warning"], warned
        for path in ("/studies?nonsense=1", "/studies?limit=x", "/studies?StudyDate=yesterday", "/studies?a=%zz",
                     "/studies?" + "&".join(["PatientID=1"] * 65)):
            assert get(port, token, path)[0] in (400, 413), path
        assert get(port, token, "/studies", "application/dicom+xml")[0] == 406
        for bad, status in ((None, 401), (site.token["store"], 403), (site.token["nobody"], 403)):
            assert get(port, bad, "/studies")[0] == status
        assert json.loads(get(port, site.token["research"], "/studies")[2]) == [], "without a consent nothing is there"
    assert "P7" not in site.said and "2.25.7" not in site.said, "no identifiers in the log"
    print(f"querying: {len(questions)} questions, metadata as annex F has it, bulk data by its URL; others see nothing")


def picture_instance(rows=6, columns=5, frames=3):
    us = lambda element, value: explicit(0x28, element, "US", struct.pack("<H", value))  # noqa: E731
    pixels = struct.pack(f"<{rows * columns * frames}H", *range(rows * columns * frames))
    data = (explicit(8, 0x16, "UI", "1.2.840.10008.5.1.4.1.1.7.3") + explicit(8, 0x18, "UI", "2.25.9001") +
            explicit(0x10, 0x20, "LO", "P9") + explicit(0x20, 0xD, "UI", "2.25.9") + explicit(0x20, 0xE, "UI", "2.25.90") +
            us(2, 1) + explicit(0x28, 4, "CS", "MONOCHROME2 ") + explicit(0x28, 8, "IS", f"{frames} ") + us(0x10, rows) +
            us(0x11, columns) + us(0x100, 16) + us(0x101, 16) + us(0x102, 15) + us(0x103, 0) +
            explicit(0x7FE0, 0x10, "OW", pixels))
    return meta("1.2.840.10008.5.1.4.1.1.7.3", "2.25.9001", EXPLICIT) + data, pixels


def pixels_of(site, scratch):
    tokens = site.tokens(scratch, second="second all", store="node store")
    content, pixels = picture_instance()
    size = len(pixels) // 3
    one = "/studies/2.25.9/series/2.25.90/instances/2.25.9001"
    with site.serving("--http-tokens", tokens, listen=LISTEN) as port:
        token = site.token["second"]
        assert store(port, token, [content])[0] == 200
        for accept in (None, 'multipart/related; type="application/octet-stream"; transfer-syntax=*'):
            parts = parts_of(*get(port, token, one + "/frames/3,1", accept)[1:])
            assert [body for _, body in parts] == [pixels[2 * size:], pixels[:size]], parts
            assert parts[0][0] == f"application/octet-stream; transfer-syntax={EXPLICIT}"
        for path, kind, shape in (("/rendered", "image/png", (5, 6)), ("/frames/2/rendered?viewport=10,3", "image/png", None),
                                  ("/thumbnail", "image/png", None), ("/rendered?window=30,60,linear", "image/png", (5, 6))):
            status, headers, picture = get(port, token, one + path, kind)
            assert status == 200 and headers["content-type"] == kind and picture.startswith(b"\x89PNG"), (path, status, picture[:300])
            assert shape is None or struct.unpack(">2I", picture[16:24]) == shape, path
        status, headers, picture = get(port, token, one + "/rendered")
        assert headers["content-type"] == "image/jpeg" and picture.startswith(b"\xff\xd8"), (status, picture[:300])
        for path in ("/studies/2.25.9", "/studies/2.25.9/series/2.25.90"):
            for accept, begin in ((None, b"\xff\xd8"), ('multipart/related; type="image/png"', b"\x89PNG")):
                parts = parts_of(*get(port, token, path + "/rendered?window=30,60,linear", accept)[1:])
                assert len(parts) == 3 and all(body.startswith(begin) for _, body in parts), "each frame"
                assert parts[1][1] == get(port, token, one + "/frames/2/rendered?window=30,60,linear", parts[0][0])[2]
            assert get(port, token, path + "/rendered", "image/png")[0] == 406 and get(port, token, path + "/rendered?quality=0")[0] == 400
            assert get(port, token, path + "/thumbnail")[2] == get(port, token, one + "/thumbnail")[2]
        small = [get(port, token, f"{one}/frames/{frame}/thumbnail?window=30,60,linear", "image/png")[2] for frame in (1, 3)]
        assert small[0] == get(port, token, one + "/thumbnail?window=30,60,linear", "image/png")[2] != small[1]
        assert get(port, token, "/studies/2.25.1/rendered")[0] == 406, "nothing of it is a picture"
        converted = get(port, token, one, f"{DICOM}; transfer-syntax=1.2.840.10008.1.2")
        assert converted[0] == 200 and len(converted[2]) < len(content) and pixels in converted[2], converted[:2]
        (kind, body), = parts_of(*get(port, token, one, f'multipart/related; type="{DICOM}"; transfer-syntax=1.2.840.10008.1.2')[1:])
        assert kind.endswith("1.2.840.10008.1.2") and body == converted[2]
        cases = {"/frames/0": 400, "/frames/4": 404, "/frames/1,,2": 400, "/frames/1,x": 404, "/frames/99999999999999999999": 400,
                 "/rendered?window=1": 400, "/rendered?window=1,0,linear": 400, "/rendered?viewport=a,b": 400, "/rendered?quality=0": 400,
                 "/rendered?viewport=1,1,-5,0,1,1": 400, "/frames/9/rendered": 404}
        for path, expected in cases.items():
            assert get(port, token, one + path)[0] == expected, (path, get(port, token, one + path))
        assert get(port, token, f"{SERIES}/instances/2.25.1200/rendered", "image/png")[0] in (404, 415), "no picture"
        assert get(port, site.token["store"], one + "/frames/1")[0] == 403
    print("pixels: frames as they were, pictures of them, another transfer syntax; what is no frame, window or viewport refused")


def watching(site, scratch):
    """Events while something is sealed; they end when the server does."""
    tokens = site.tokens(scratch, second="second all", store="node store")
    with site.serving("--http-tokens", tokens, listen=LISTEN) as port:
        assert ask(port, "/events", site.token["store"])[0] == 403
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/events", headers={"Authorization": f"Bearer {site.token['second']}"})
        answer = connection.getresponse()
        assert answer.getheader("Content-Type") == "text/event-stream"
        assert answer.readline() == b"event: sealing\n" and json.loads(answer.readline()[6:])["sealed"] == 0
        assert store(port, site.token["store"], [file_of(number) for number in range(500, 503)])[0] == 200
        sealed = 0
        while sealed < 3:
            line = answer.readline()
            sealed = json.loads(line[6:])["sealed"] if line.startswith(b"data: ") else sealed
        site.process.terminate()
        answer.read()
        connection.close()
    print("watching: events tell what is sealed, and end with the server")


def altering(site, scratch):
    site.run("key", "new", "second", "--home", site.home, "--quiet", check=0)
    site.run("member", "grant", "second", "--role", "radiologist", "--home", site.home, "--quiet", check=0)
    tokens = site.tokens(scratch, second="second all")
    content = file_of(300, size=3_000_000)
    with site.serving("--http-tokens", tokens, listen=LISTEN) as port:
        token = site.token["second"]
        assert store(port, token, [content])[0] == 200
        one = f"{SERIES}/instances/2.25.1300"
        # It is read while the request for it is being written; without that nothing of it leaves.
        with contextlib.closing(sqlite3.connect(site.home / "ledger.sqlite", isolation_level=None)) as ledger:
            ledger.execute("BEGIN IMMEDIATE")
            status, headers, got = get(port, token, one, DICOM)
            assert status >= 500 and json.loads(got)["detail"] and "etag" not in headers, (status, headers, got[:300])
            ledger.execute("ROLLBACK")
        assert get(port, token, one, DICOM)[2] == content
        largest = max((path for path in (site.home / "vault").rglob("*") if path.is_file()), key=lambda path: path.stat().st_mtime_ns)
        stored = bytearray(largest.read_bytes())
        for place in (100, len(stored) // 2, len(stored) - 1):
            altered = bytearray(stored)
            altered[place] ^= 1
            largest.write_bytes(altered)
            for path, accept in ((one, DICOM), (one, None), (SERIES, None)):
                try:
                    got = get(port, token, path, accept)
                    raise AssertionError(f"byte {place}: {got[0]}, {len(got[2])} bytes were given as whole")
                except (http.client.IncompleteRead, ConnectionError):
                    pass
            try:
                assert get(port, token, one, DICOM, Range="bytes=0-9")[0] >= 500, "a range of what was altered"
            except (http.client.IncompleteRead, ConnectionError, http.client.RemoteDisconnected):
                pass
        largest.write_bytes(stored)
        assert get(port, token, one, DICOM)[2] == content
    assert "level=warning" in site.said and "was altered" in site.said or "not what was" in site.said or "decrypt" in site.said, site.said
    print("altering: of objects with one flipped bit no transfer ended well")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("radseal")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        site = Site(options.radseal, scratch / "node")
        site.init()
        members(site)
        for step in (storing, refusing, retrieving, altering, querying, pixels_of, watching):
            step(site, scratch)


if __name__ == "__main__":
    main()
