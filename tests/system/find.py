"""What is found by its attributes, by whom, and what is left of them: `find.py RADSEAL [DATA]`. `radseal find` against the same
questions answered in Python; the contract's decisions, study by study; C-FIND by dcmtk's findscu, and the same answers as Orthanc's
where that is installed; nodes of before; backups; erasures."""
import argparse
import contextlib
import fnmatch
import json
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time
import urllib.request

from dicom_network import Server
from dicom_peer import EXPLICIT, IMPLICIT, Peer, explicit, meta
from node_tools import files_below

NAMES = ("Doe^Jane", "Doe^John^^Dr", "Roe^Richard", "M\u00fcller^J\u00fcrgen")
MR, SEG = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.66.4"
KEYWORDS = {"PatientID": (0x10, 0x20, "LO"), "PatientName": (0x10, 0x10, "PN"), "StudyDate": (8, 0x20, "DA"),
            "StudyDescription": (8, 0x1030, "LO"), "AccessionNumber": (8, 0x50, "SH"), "Modality": (8, 0x60, "CS"),
            "StudyInstanceUID": (0x20, 0xD, "UI"), "SeriesInstanceUID": (0x20, 0xE, "UI"), "SeriesNumber": (0x20, 0x11, "IS"),
            "SOPInstanceUID": (8, 0x18, "UI"), "SOPClassUID": (8, 0x16, "UI"), "InstanceNumber": (0x20, 0x13, "IS")}
LEVELS = {"patient": "PatientID", "study": "StudyInstanceUID", "series": "SeriesInstanceUID", "image": "SOPInstanceUID"}


def make_images(folder):
    """Four patients, two studies each, a series of three images and one of one; what each says."""
    folder.mkdir()
    images = []
    for number in range(4 * 2 * 4):
        patient, study, image = number // 8, number // 4, number % 4
        said = {"PatientID": f"P{patient}", "PatientName": NAMES[patient], "StudyDate": f"20{23 + study % 2}0{1 + patient}15",
                "StudyDescription": ("knee left", "head")[study % 2], "AccessionNumber": f"A{study}",
                "Modality": "SEG" if image == 3 else "MR", "SOPClassUID": SEG if image == 3 else MR,
                "StudyInstanceUID": f"1.2.77.{study}", "SeriesInstanceUID": f"1.2.77.{study}.{image // 3}",
                "SOPInstanceUID": f"1.2.77.{study}.{image // 3}.{image}", "SeriesNumber": str(1 + image // 3),
                "InstanceNumber": str(1 + image)}
        rows = sorted((*KEYWORDS[key], value) for key, value in said.items())
        body = explicit(8, 5, "CS", "ISO_IR 100") + b"".join(
            explicit(group, element, vr, latin(value) if vr == "PN" else value) for group, element, vr, value in rows)
        path = folder / f"{number:03d}.dcm"
        path.write_bytes(meta(said["SOPClassUID"], said["SOPInstanceUID"], EXPLICIT) + body)
        images.append(dict(said, path=path))
    return images


def latin(text):
    content = text.encode("latin-1")
    return content + b" " * (len(content) % 2)


def matches(key, wanted, value):
    if "-" in wanted and key == "StudyDate":
        low, high = wanted.split("-")
        return (low or "0") <= value <= (high or "9")
    values = (value.lower().rstrip("^"), wanted.lower()) if key == "PatientName" else (value, wanted)
    return any(fnmatch.fnmatchcase(values[0], one) for one in values[1].split("\\"))


def expected(images, level, keys):
    above = list(LEVELS.values())[:list(LEVELS).index(level) + 1]
    return sorted({tuple(image[key] for key in above) for image in images
                   if all(matches(key, wanted, image[key]) for key, wanted in keys.items())})


def find(node, level, keys, *options, code=0):
    """The unique keys of what is found, from the patient's on."""
    wanted = list(LEVELS.values())[:list(LEVELS).index(level) + 1]
    asked = [f"{key}={value}" for key, value in keys.items()]
    done = node.run("find", "--home", node.home, "--level", level, "--json", *asked, *wanted, *options, check=code)
    return sorted(tuple(row[key] for key in wanted) for row in json.loads(done.stdout)) if code == 0 else done.stderr


QUESTIONS = [
    ("patient", {}), ("study", {}), ("series", {}), ("image", {}), ("patient", {"PatientName": "doe*"}),
    ("study", {"PatientName": "DOE^J*"}), ("study", {"PatientName": "doe^jane"}), ("study", {"PatientName": "m\u00dcller*"}),
    ("study", {"PatientID": "P1"}), ("study", {"PatientID": "P?"}), ("study", {"PatientID": "P1\\P2\\P9"}),
    ("study", {"StudyDate": "20230101-20230331"}), ("study", {"StudyDate": "-20230115"}), ("study", {"StudyDate": "20240315"}),
    ("study", {"StudyDescription": "*nee*", "StudyDate": "20230215-"}), ("study", {"AccessionNumber": "A3"}),
    ("series", {"Modality": "SEG"}), ("series", {"StudyInstanceUID": "1.2.77.3"}), ("series", {"SeriesNumber": "2", "PatientName": "*o*"}),
    ("image", {"SOPInstanceUID": "1.2.77.1.0.1\\1.2.77.2.1.3\\1.2.3"}), ("image", {"SeriesInstanceUID": "1.2.77.3.0", "InstanceNumber": "2"}),
    ("image", {"SOPClassUID": SEG, "PatientID": "P0"}), ("study", {"PatientName": "nobody*"})]


def on_the_command_line(node, images):
    for level, keys in QUESTIONS:
        assert find(node, level, keys) == expected(images, level, keys), (level, keys, find(node, level, keys))
    studies = [find(node, "study", {}, "--limit", 3, "--offset", offset) for offset in (0, 3, 6, 9)]
    assert [len(page) for page in studies] == [3, 3, 2, 0] and sorted(sum(studies, [])) == expected(images, "study", {})
    rows = json.loads(node.run("find", "--home", node.home, "--json", "StudyInstanceUID=1.2.77.0", "ModalitiesInStudy",
                               "NumberOfStudyRelatedInstances", "NumberOfPatientRelatedStudies", check=0).stdout)
    assert [sorted(rows[0]["ModalitiesInStudy"].split("\\")), rows[0]["NumberOfStudyRelatedInstances"],
            rows[0]["NumberOfPatientRelatedStudies"]] == [["MR", "SEG"], "4", "2"], rows
    for bad in ("Rubbish=1", "StudyDate=2024", "PixelData"):
        node.run("find", "--home", node.home, bad, check=2)
    print(f"{len(QUESTIONS)} questions answered as in Python")


def by_the_contract(node):
    def do(*arguments):
        node.run(*arguments, "--home", node.home, check=0)

    def requests():
        entries = json.loads(node.run("log", "--home", node.home, "--json", check=0).stdout)["entries"]
        return sum(entry["type"] == "access-request" for entry in entries)
    for key, role in (("rad", "radiologist"), ("res", "researcher"), ("gone", "radiologist")):
        do("key", "new", key)
        do("member", "grant", key, "--role", role)
    before = requests()
    assert len(find(node, "study", {}, "--as", "rad")) == 8 and requests() == before + 8, "each study is an entry"
    assert len(find(node, "image", {"PatientID": "P0"}, "--as", "rad")) == 8 and requests() == before + 10
    assert find(node, "study", {"PatientID": "P9"}, "--as", "rad") == [] and requests() == before + 10
    assert find(node, "study", {}, "--as", "res") == [] and requests() == before + 10, "what is hidden is no entry"
    do("consent", "grant", "--subject", "P2", "--organisation", "Radiology", "--studies", "1.2.77.5", "--roles", "researcher", "--purposes", "research",
       "--operations", "read")
    assert find(node, "study", {}, "--as", "res") == [("P2", "1.2.77.5")] and requests() == before + 11
    rows = json.loads(node.run("find", "--home", node.home, "--json", "--level", "patient", "--as", "res", "PatientID",
                               "NumberOfPatientRelatedStudies", "NumberOfPatientRelatedInstances", check=0).stdout)
    assert rows == [{"PatientID": "P2", "NumberOfPatientRelatedStudies": "1", "NumberOfPatientRelatedInstances": "4"}], rows
    do("consent", "grant", "--subject", "P1", "--deny", "--studies", "1.2.77.2", "--roles", "radiologist", "--purposes", "treatment",
       "--operations", "read")
    assert ("P1", "1.2.77.2") not in find(node, "study", {}, "--as", "rad") and len(find(node, "study", {}, "--as", "rad")) == 7
    do("member", "revoke", "gone")
    before = requests()
    for who, purpose, refusal in (("rad", "research", None), ("res", "treatment", "PURPOSE"), ("gone", "treatment", "REVOKED")):
        done = find(node, "study", {}, "--as", who, "--purpose", purpose, code=3 if refusal else 0)
        assert done == [] if refusal is None else f"{refusal}: " in done, (who, purpose, done)
    assert requests() == before
    print("decided study by study, an entry for each that is shown")


def findscu(port, level, keys, *options, called="RADSEAL"):
    """([{keyword: value}], final status)"""
    asked = [argument for key, value in {"QueryRetrieveLevel": level.upper(), **keys}.items() for argument in ("-k", f"{key}={value}")]
    done = subprocess.run(["findscu", "-v", "-aec", called, *asked, *options, "127.0.0.1", str(port)], capture_output=True, timeout=60)
    text = (done.stdout + done.stderr).decode("utf-8", "replace")
    rows = []
    for line in text.splitlines():
        if re.search(r"Find Response: \d+ \(Pending\)", line):
            rows.append({})
        found = re.match(r"I: \([0-9a-f,]{9}\) \w\w (?:\[(.*?)\s*\]|(\S+)|\(no value available\))\s+# +\d+, ?\d+ (\w+)$", line)
        if found and rows:
            rows[-1][found[3]] = (found[1] if found[1] is not None else found[2] or "").rstrip("\0 ")
    final = re.search(r"Final Find Response \((.*)\)", text)
    return rows, final[1] if final else text[-300:]


def over_the_network(node, images, scratch):
    peers = scratch / "peers.conf"
    peers.write_text("STORE * echo,store\n* * all\n")
    with node.serving("--peers", peers) as port:
        for level, keys in QUESTIONS:
            wanted = list(LEVELS.values())[:list(LEVELS).index(level) + 1]
            rows, final = findscu(port, level, {**{key: "" for key in wanted}, **{key: value.encode("latin-1").decode("latin-1")
                                  for key, value in keys.items()}}, "-P", *(("-k", "SpecificCharacterSet=ISO_IR 192")))
            got = sorted(tuple(row[key] for key in wanted) for row in rows)
            assert got == expected(images, level, keys) and final == "Success", (level, keys, got, final)
        rows, _ = findscu(port, "study", {"PatientID": "P3", "PatientName": "", "NumberOfStudyRelatedSeries": "",
                                          "InstanceAvailability": "", "PatientComments": ""}, "-S")
        assert rows[0]["SpecificCharacterSet"] == "ISO_IR 192" and rows[0]["PatientName"] == NAMES[3], rows
        assert [rows[0][key] for key in ("RetrieveAETitle", "InstanceAvailability", "PatientComments", "NumberOfStudyRelatedSeries",
                                         "QueryRetrieveLevel")] == ["RADSEAL", "ONLINE", "", "2", "STUDY"], rows
        for arguments, status in ((("patient", {"PatientID": ""}, "-S"), "DataSetDoesNotMatchSOPClass"),
                                  (("nothing", {"PatientID": ""}, "-P"), "DataSetDoesNotMatchSOPClass"),
                                  (("study", {"StudyDate": "2024"}, "-S"), "DataSetDoesNotMatchSOPClass")):
            rows, final = findscu(port, *arguments)
            assert rows == [] and status in final, (arguments, final)
        rows, final = findscu(port, "study", {"PatientID": ""}, "-S", "-aet", "STORE")
        assert rows == [] and "No Acceptable Presentation Contexts" in final, final
        odd_requests(port)
    print(f"{len(QUESTIONS)} C-FINDs answered as in Python; odd ones with their status")


def query_command(message, has_data=True):
    body = b"".join(struct_element(number, value) for number, value in (
        (2, b"1.2.840.10008.5.1.4.1.2.2.1\0"), (0x100, b"\x20\0"), (0x110, message.to_bytes(2, "little")), (0x700, b"\0\0"),
        (0x800, b"\1\0" if has_data else b"\1\1")))
    return struct_element(0, len(body).to_bytes(4, "little")) + body


def struct_element(number, value):
    return b"\0\0" + number.to_bytes(2, "little") + len(value).to_bytes(4, "little") + value


def odd_requests(port):
    """Two requests at once, and identifiers that are none."""
    context = [("1.2.840.10008.5.1.4.1.2.2.1", [IMPLICIT])]
    good = b"\x08\0\x52\0\x06\0\0\0STUDY \x20\0\x0d\0\0\0\0\0"
    for data, status in ((good, 0), (b"\xff" * 40, 0xC000), (b"\x08\0\x52\0\x06\0\0\0STUDY ", 0),
                         (good + b"\x08\0\x20\0\0\0\0\0", 0xC000), (b"\x08\0\x52\0\xff\xff\0\0", 0xC000)):
        with Peer(port) as peer:
            assert peer.associate(context) == 2
            peer.send(*pdus(1, 3, query_command(7)), *pdus(1, 2, data))
            answers = [0xFF00]
            while answers[-1] == 0xFF00:
                answers.append(int.from_bytes(peer.message()[0][0x0900], "little"))
            assert answers[-1] == status, f"{data[:20].hex()}: {answers[-1]:04X}"


def pdus(context, flags, content):
    return [b"\4\0" + (len(content) + 6).to_bytes(4, "big") + (len(content) + 2).to_bytes(4, "big") + bytes([context, flags]) + content]


@contextlib.contextmanager
def orthanc(scratch, files):
    with contextlib.ExitStack() as free:
        ports = [free.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(2)]
    (scratch / "orthanc.json").write_text(json.dumps({
        "StorageDirectory": str(scratch / "orthanc"), "IndexDirectory": str(scratch / "orthanc"), "DicomPort": ports[0],
        "HttpPort": ports[1], "AuthenticationEnabled": False, "DicomAlwaysAllowFind": True, "DicomAlwaysAllowGet": True, "DicomAlwaysAllowMove": True, "DicomAlwaysAllowStore": True, "DefaultEncoding": "Utf8",
        "DicomModalities": {}}))
    process = subprocess.Popen(["Orthanc", scratch / "orthanc.json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{ports[1]}/"

    def ask(path, data=None, method=None):
        return json.load(urllib.request.urlopen(urllib.request.Request(url + path, data=data, method=method), timeout=30))
    ask.url = url
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                ask("system")
                break
            time.sleep(0.1)
        for path in files:
            ask("instances", path.read_bytes(), "POST")
        yield ports[0], ask
    finally:
        process.terminate()
        process.wait(timeout=30)


def as_orthanc(node, scratch, files):
    """The same rows to the same questions, and as an SCU it finds what is here."""
    questions = [("study", {"PatientName": "*o*", "StudyInstanceUID": "", "PatientID": ""}),
                 ("study", {"StudyDate": "20200101-", "StudyInstanceUID": "", "NumberOfStudyRelatedInstances": ""}),
                 ("study", {"ModalitiesInStudy": "MR", "StudyInstanceUID": "", "StudyDescription": ""}),
                 ("series", {"Modality": "MR\\SEG", "SeriesInstanceUID": "", "NumberOfSeriesRelatedInstances": "", "SeriesNumber": ""}),
                 ("image", {"InstanceNumber": "2", "SOPInstanceUID": "", "StudyInstanceUID": "", "Rows": ""}),
                 ("study", {"PatientName": "doe^jane", "StudyInstanceUID": ""})]
    (scratch / "all.conf").write_text("* * all\n")
    with node.serving("--peers", scratch / "all.conf") as port, orthanc(scratch, files) as (theirs, ask):
        for level, keys in questions:
            answers = []
            for rows, final in (findscu(port, level, keys, "-S"), findscu(theirs, level, keys, "-S", called="ORTHANC")):
                assert final == "Success", final
                answers.append(sorted([tuple(sorted(row.get(key, "").split("\\"))) for key in keys] for row in rows))
            assert answers[0] == answers[1] and answers[0], (level, keys, answers)
        request = urllib.request.Request(ask.url + "modalities/radseal", method="PUT",
                                         data=json.dumps(["RADSEAL", "127.0.0.1", port]).encode())
        urllib.request.urlopen(request, timeout=30)
        query = ask("modalities/radseal/query", json.dumps({"Level": "Study", "Query": {"PatientName": "doe*"}}).encode(), "POST")
        assert len(ask(query["Path"].lstrip("/") + "/answers")) == 4
    print(f"{len(questions)} questions answered as by Orthanc")


def of_before(node, images):
    """A node without its tables finds nothing, says so, and is filled."""
    with contextlib.closing(sqlite3.connect(node.home / "index.sqlite")) as index:
        for table in ("image", "series", "study_token", "patient_token", "study", "patient"):
            index.execute(f"DROP TABLE catalogue_{table}")
        index.commit()
    done = node.fsck(check=1)
    assert "fault in catalogue: 32 records" in done.stdout, done.stdout
    node.run("fsck", "--repair", "--home", node.home, check=0)
    for level in LEVELS:
        assert find(node, level, {}) == expected(images, level, {})


def erased(node, images, scratch):
    node.run("backup", "--home", node.home, scratch / "data", "--keys", scratch / "keys", "--quiet", check=0)
    content = b"".join(path.read_bytes() for path in files_below(node.home))
    for word in ("Doe^J", "knee left", "1.2.77.0", "20230115"):
        assert word.encode() not in content, word
    node.run("erase", "--home", node.home, "--subject", "P0", check=0)
    left = [image for image in images if image["PatientID"] != "P0"]
    for level in LEVELS:
        assert find(node, level, {}) == expected(left, level, {})
    node.fsck(check=0)
    keys = next((scratch / "keys").iterdir())
    home, node.home = node.home, scratch / "restored"
    shutil.copy(home / "keys" / "unlock.key", scratch / "unlock")
    node.run("restore", scratch / "data", "--keys", keys, "--home", node.home, "--unlock-file", scratch / "unlock", check=0)
    assert find(node, "image", {}) == expected(images, "image", {}), "a backup brings it along"
    node.home = home
    print("erased, restored, filled anew")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("radseal")
    parser.add_argument("data", nargs="?", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        node = Server(options.radseal, scratch / "node")
        node.init()
        images = make_images(scratch / "images")
        node.seal(scratch / "images")
        on_the_command_line(node, images)
        over_the_network(node, images, scratch)
        by_the_contract(node)
        node.fsck(check=0)
        of_before(node, images)
        if shutil.which("Orthanc"):
            other = Server(options.radseal, scratch / "other")
            other.init()
            series = files_below(options.data / "mr_series") if options.data else []
            files = [image["path"] for image in images] + [path for path in series if path.suffix == ".dcm"][:40]
            other.seal(*files)
            as_orthanc(other, scratch, files)
        erased(node, images, scratch)


if __name__ == "__main__":
    main()
