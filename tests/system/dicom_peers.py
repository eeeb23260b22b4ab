"""Others' programs as DICOM peers of `radseal serve`: dcmtk, Orthanc, gdcmscu and odil, those of them that are installed (tools/setup.sh
checks does that): `dicom_peers.py RADSEAL`. What they store is sealed, what they retrieve has the data sets that were sealed, or in
another transfer syntax the same pixels."""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from dicom_network import Server, expect_sealed
from dicom_peer import EXPLICIT, IMPLICIT, meta, read_part10
from find import orthanc
from moves import instance, make, seal
from node_tools import files_below

J2K, RLE, JPEGLS = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80"


def tool(*words, check=0, **options):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, errors="replace", timeout=60, **options)
    assert check is None or (done.returncode == 0) == (check == 0), (words, done.returncode, done.stdout[-1500:], done.stderr[-1500:])
    return done.stdout + done.stderr


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def taken(folder):
    """{SOP instance: (transfer syntax, data set)} of the files below a directory, which is emptied."""
    found = {}
    for path in files_below(folder):
        parts = read_part10(path.read_bytes())
        found[parts[1]] = (parts[2], parts[3])
        path.unlink()
    return found


def same(found, made, prefix):
    wanted = {uid: (EXPLICIT, data) for uid, data in made.items() if uid.startswith(prefix)}
    assert found == wanted, (sorted(found), sorted(wanted))


@contextlib.contextmanager
def storescp(port, folder, *options, syntaxes="+xa"):
    process = subprocess.Popen(["storescp", "+B", syntaxes, "-od", str(folder), *map(str, options), str(port)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def keys_of(keys):
    return [word for key, value in keys.items() for word in ("-k", f"{key}={value}")]


CASES = [("-P", {"QueryRetrieveLevel": "PATIENT", "PatientID": "P2"}, "1.2.9.3."),
         ("-S", {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "1.2.9.1"}, "1.2.9.1."),
         ("-S", {"QueryRetrieveLevel": "SERIES", "StudyInstanceUID": "1.2.9.1", "SeriesInstanceUID": "1.2.9.1.1"}, "1.2.9.1.1."),
         ("-P", {"QueryRetrieveLevel": "IMAGE", "PatientID": "P1", "StudyInstanceUID": "1.2.9.1", "SeriesInstanceUID": "1.2.9.1.2",
                 "SOPInstanceUID": "1.2.9.1.2.4"}, "1.2.9.1.2.4")]


def by_dcmtk(node, scratch, made):
    there, out = free_port(), scratch / "dcmtk"
    out.mkdir()
    (scratch / "dcmtk.conf").write_text(f"DEST 127.0.0.1:{there} all\n* * all\n")
    with node.serving("--peers", scratch / "dcmtk.conf") as port:
        here = ["-aec", "RADSEAL", "127.0.0.1", port]
        for root, keys, prefix in CASES:
            for pdu in (4096, 131072):
                tool("getscu", root, "+B", "-pdu", pdu, "-od", out, *here, *keys_of(keys))
                same(taken(out), made, prefix)
            with storescp(there, out, "-pdu", "4096"):
                tool("movescu", root, "-aem", "DEST", *here, *keys_of(keys))
                same(taken(out), made, prefix)
        tool("movescu", "-S", "-aet", "DEST", "-aem", "DEST", "+P", there, "+B", *here, *keys_of(CASES[1][1]), cwd=out)
        same(taken(out), made, CASES[1][2])
        study = keys_of(CASES[1][1])
        said = tool("movescu", "-v", "-S", "-aem", "NOBODY", *here, *study, check=None)
        assert "MoveDestinationUnknown" in said, said[-800:]
        for refusing in ("--refuse", "--abort-after", "--abort-during"):
            with storescp(there, out, refusing):
                said = tool("movescu", "-v", "-S", "-aem", "DEST", *here, *study, check=None)
                assert "OutOfResourcesSubOperations" in said, (refusing, said[-600:])
            shutil.rmtree(out)
            out.mkdir()
        with storescp(there, out):
            assert "Cancel" in tool("movescu", "-v", "-S", "--cancel", 1, "-aem", "DEST", *here, *study, check=None)
        tool("movescu", "-S", "--abort", "-aem", "DEST", *here, *study, check=None)
        tool("getscu", "-S", "--abort", "-od", out, *here, *study, check=None)
        tool("getscu", "-S", "-aec", "OTHER", "127.0.0.1", port, *study, check=1)
        tool("echoscu", *here)
    print(f"dcmtk: {len(CASES)} retrievals by getscu and movescu, with large and small PDUs; refusals, aborts and cancels")


def converted(node, scratch):
    """One image in five transfer syntaxes, to peers that take some of them: the pixels by dcmtk's decoders."""
    sop_class, uid, data = instance(1, "P5", 5, 1)
    folder, out, there = scratch / "syntaxes", scratch / "decoded", free_port()
    folder.mkdir()
    out.mkdir()
    (folder / "plain.dcm").write_bytes(meta(sop_class, uid, EXPLICIT) + data)
    kept = {}
    for number, syntax in enumerate((EXPLICIT, IMPLICIT, J2K, RLE, JPEGLS)):
        other = f"1.2.9.5.{number}.1"
        copy = folder / f"{number}.dcm"
        copy.write_bytes(meta(sop_class, other, EXPLICIT) + data.replace(uid.encode(), other.encode()))
        if syntax != EXPLICIT:
            node.run("convert", copy, folder / f"{number}.out.dcm", "--transfer-syntax", syntax, check=0)
            (folder / f"{number}.out.dcm").replace(copy)
        kept[other] = (syntax, read_part10(copy.read_bytes())[3])
    (folder / "plain.dcm").unlink()
    node.seal(folder)
    (scratch / "conv.conf").write_text(f"DEST 127.0.0.1:{there} echo\n* * all\n")
    study = keys_of({"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "1.2.9.5"})
    with node.serving("--peers", scratch / "conv.conf") as port:
        here = ["-aec", "RADSEAL", "127.0.0.1", port]
        for prefer, syntax in (("+xv", J2K), ("+xr", RLE), ("+xt", JPEGLS), ("+xe", EXPLICIT)):
            tool("getscu", "-S", "+B", prefer, "-od", out, *here, *study)
            pixels_of(out, kept, syntax, data[-3000:])
        with storescp(there, out):
            tool("movescu", "-S", "-aem", "DEST", *here, *study)
            found = taken(out)
            assert found == kept, "who takes everything gets it as it is"
        with storescp(there, out, syntaxes="+xi"):
            tool("movescu", "-S", "-aem", "DEST", *here, *study)
            pixels_of(out, kept, IMPLICIT, data[-3000:])
    print("other transfer syntaxes: as it is where it is taken, else the same pixels")


def pixels_of(out, kept, syntax, pixels):
    """Every file in this syntax: as it was sealed where that is its own, and with the same pixels, by GDCM's decoders."""
    found = set()
    for path in files_below(out):
        _, uid, got, data = read_part10(path.read_bytes())
        assert got == syntax and (kept[uid][0] != syntax or data == kept[uid][1]), (uid, got, kept[uid][0])
        if got not in (EXPLICIT, IMPLICIT) and shutil.which("gdcmconv"):
            tool("gdcmconv", "--raw", path, out.parent / "raw.dcm")
            data = read_part10((out.parent / "raw.dcm").read_bytes())[3]
        if got in (EXPLICIT, IMPLICIT) or shutil.which("gdcmconv"):
            assert data.endswith(pixels), uid
        found.add(uid)
        path.unlink()
    assert found == set(kept), (sorted(found), sorted(kept))


def over_tls(node, scratch, made):
    """To a destination by TLS with certificates of both sides; findscu and echoscu over TLS."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "tls.key", "-out",
                    "tls.pem", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], check=True,
                   capture_output=True, cwd=scratch)
    there, out = free_port(), scratch / "tls"
    out.mkdir()
    own = ["+tls", scratch / "tls.key", scratch / "tls.pem", "+cf", scratch / "tls.pem"]
    (scratch / "tls.conf").write_text(f"DEST 127.0.0.1:{there} echo tls\nPLAIN 127.0.0.1:{there} echo\n* * all\n")
    arguments = ["--certificate", scratch / "tls.pem", "--certificate-key", scratch / "tls.key", "--authorities", scratch / "tls.pem",
                 "--peers", scratch / "tls.conf"]
    with node.serving(*arguments, listen=("--dicom-tls", "127.0.0.1:0")) as port:
        here = ["-aec", "RADSEAL", "127.0.0.1", port]
        tool("echoscu", *own, *here)
        tool("echoscu", *here, check=1)
        assert "1.2.9.1" in tool("findscu", "-v", "-S", *own, *here, *keys_of({"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": ""}))
        ask = ["dicom", "move", f"127.0.0.1:{port}", "--called", "RADSEAL", "--tls", "--certificate", scratch / "tls.pem", "--certificate-key",
               scratch / "tls.key", "--authorities", scratch / "tls.pem", "StudyInstanceUID=1.2.9.1", "--to"]
        with storescp(there, out, *own):
            node.run(*ask, "DEST", check=0)
            same(taken(out), made, "1.2.9.1.")
            node.run(*ask, "PLAIN", check=3)
        assert not taken(out)
        fetched = Server(node.program, scratch / "by-tls")
        fetched.init()
        fetched.run("fetch", "--home", fetched.home, *ask[2:12], "-k", "StudyInstanceUID=1.2.9.1", check=0)
        fetched.fsck(check=0)
    print("TLS: queries, moves to who listens by TLS, fetches")


def by_orthanc(node, scratch, made):
    with orthanc(scratch, []) as (theirs, ask):
        (scratch / "orthanc.conf").write_text(f"ORTHANC 127.0.0.1:{theirs} all\nPEER * all\n")
        with node.serving("--peers", scratch / "orthanc.conf") as port:
            urllib.request.urlopen(urllib.request.Request(ask.url + "modalities/radseal", method="PUT", data=json.dumps(
                {"AET": "RADSEAL", "Host": "127.0.0.1", "Port": port, "AllowTranscoding": False}).encode()), timeout=30)

            def post(path, content):
                return ask(path, json.dumps(content).encode(), "POST")
            post("modalities/radseal/echo", {})
            query = post("modalities/radseal/query", {"Level": "Study", "Query": {"PatientID": "P1", "StudyInstanceUID": ""}})["Path"]
            post(query.lstrip("/") + "/retrieve", {"TargetAet": "ORTHANC", "Synchronous": True})
            got = {}
            for number in ask("instances"):
                content = urllib.request.urlopen(f"{ask.url}instances/{number}/file", timeout=30).read()
                parts = read_part10(content)
                got[parts[1]] = parts[3]
            assert got == {uid: data for uid, data in made.items() if uid.startswith(("1.2.9.1.", "1.2.9.2."))}, sorted(got)
            other = [instance(number, "P6", 6, 1) for number in range(3)]
            numbers = [post_file(ask, meta(name, uid, EXPLICIT) + data) for name, uid, data in other]
            assert post("modalities/radseal/store", numbers)["FailedInstancesCount"] == 0
            commitment = post("modalities/radseal/storage-commitment", {"DicomInstances": [
                {"SOPClassUID": name, "SOPInstanceUID": uid} for name, uid, _ in other]})
            assert commitment_of(ask, commitment["ID"])["Status"] == "Success"
            ours = node.run("dicom", "move", f"127.0.0.1:{theirs}", "--called", "ORTHANC", "StudyInstanceUID=1.2.9.1", "--to", "RADSEAL",
                            "--json", check=0).stdout
            assert json.loads(ours)["failed"] == 0, ours
            said = node.run("dicom", "move", f"127.0.0.1:{port}", "--called", "RADSEAL", "--ae", "PEER", "StudyInstanceUID=1.2.9.3", "--to",
                            "ORTHANC", "--json", check=0).stdout
            assert json.loads(said)["completed"] == 5 and len(ask("instances")) == 18, said
    expect_sealed(node, scratch, [(name, uid, EXPLICIT, data) for name, uid, data in other])
    print("Orthanc: finds, has us move to it, stores, asks for commitment, moves to us, and is moved to")


def post_file(ask, content):
    return ask("instances", content, "POST")["ID"]


def commitment_of(ask, number):
    for _ in range(100):
        report = ask(f"storage-commitment/{number}")
        if report["Status"] != "Pending":
            return report
        time.sleep(0.1)
    raise AssertionError(report)


def by_gdcm(node, scratch, made):
    there, out, more = free_port(), scratch / "gdcm", scratch / "gdcm-in"
    out.mkdir()
    more.mkdir()
    stored = instance(1, "P8", 8, 1)
    (more / "a.dcm").write_bytes(meta(stored[0], stored[1], EXPLICIT) + stored[2])
    (scratch / "gdcm.conf").write_text(f"GDCM 127.0.0.1:{there} all {EXPLICIT},{IMPLICIT}\nGDCM2 127.0.0.1:{there} all {IMPLICIT}\n")
    with node.serving("--peers", scratch / "gdcm.conf") as port:
        here = ["-H", "127.0.0.1", "-p", port, "--aetitle", "GDCM", "--call", "RADSEAL"]
        # Debian's aborts itself once the association is released, whoever the peer is: what was done until then counts.
        tool("gdcmscu", "--echo", *here, check=None)
        tool("gdcmscu", "--store", *here, "-i", more / "a.dcm", check=None)
        tool("gdcmscu", "--find", "--patientroot", "--study", *here, "--key", "10,20=P2", "--key", "20,d=", check=None)
        here[-3] = "GDCM2"  # as an SCP it takes explicit for implicit little endian
        tool("gdcmscu", "--move", "--patientroot", "--patient", *here, "--port-scp", there, "--key", "10,20=P2", "-o", out, check=None)
        got = {read_part10(path.read_bytes())[1] for path in files_below(out)}
        assert got == {uid for uid in made if uid.startswith("1.2.9.3.")}, got
    assert "level=STUDY matches=1 not_permitted=0 status=0000H" in node.said and node.said.count("reason=released") == 4, node.said
    expect_sealed(node, scratch, [(stored[0], stored[1], EXPLICIT, stored[2])])
    print("gdcmscu: echo, store, find, move to itself")


def by_odil(node, scratch, made):
    out, more = scratch / "odil", scratch / "odil.dcm"
    out.mkdir()
    stored = instance(1, "P9", 9, 1)
    more.write_bytes(meta(stored[0], stored[1], EXPLICIT) + stored[2])
    (scratch / "odil.conf").write_text("* * all\n")
    with node.serving("--peers", scratch / "odil.conf") as port:
        here = ["127.0.0.1", port, "ODIL", "RADSEAL"]
        tool("odil", "echo", *here)
        tool("odil", "store", *here, more)
        assert "1.2.9.2" in tool("odil", "find", *here, "patient", "QueryRetrieveLevel=STUDY", "PatientID=P1", "StudyInstanceUID")
        tool("odil", "get", "-d", out, *here, "study", "QueryRetrieveLevel=STUDY", "StudyInstanceUID=1.2.9.3")
        got = {read_part10(path.read_bytes())[1] for path in files_below(out)}
        assert got == {uid for uid in made if uid.startswith("1.2.9.3.")}, got
    node.fsck(check=0)
    print("odil: echo, store, find, get")


def main():
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        node = Server(os.path.abspath(sys.argv[1]), scratch / "node")
        node.init()
        made = make(scratch / "files")
        seal(node, scratch / "files")
        for program, checks in (("getscu", (by_dcmtk, over_tls)), ("Orthanc", (by_orthanc,)), ("gdcmscu", (by_gdcm,)), ("odil", (by_odil,))):
            for check in checks if shutil.which(program) else ():
                check(node, scratch, made)
            if not shutil.which(program):
                print(f"{program} is not installed: left out")
        if shutil.which("getscu"):
            converted(node, scratch)


if __name__ == "__main__":
    main()
