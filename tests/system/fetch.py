"""`radseal fetch` from a node of ours, from dcmtk's archive and from Orthanc, where they are installed: `fetch.py RADSEAL`. What comes
is sealed with the data set that the archive has; what does not come is told."""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from dicom_network import Server, expect_sealed
from dicom_peer import EXPLICIT, Peer, command, values
from find import orthanc
from moves import make, seal


def fetch(node, port, *words, check=0, called="RADSEAL"):
    done = node.run("fetch", "--home", node.home, f"127.0.0.1:{port}", "--called", called, "--json", "--quiet", *words, check=check)
    return json.loads(done.stdout) if done.stdout else done.stderr


def new_node(program, folder):
    node = Server(program, folder)
    node.init()
    return node


def expect_all(node, scratch, made, count):
    """What was fetched: the data sets, behind our own meta group."""
    rows = json.loads(node.run("find", "--home", node.home, "--json", "--level", "image", "SOPInstanceUID", "SOPClassUID", check=0).stdout)
    assert len(rows) == count, rows
    expect_sealed(node, scratch, [(row["SOPClassUID"], row["SOPInstanceUID"], EXPLICIT, made[row["SOPInstanceUID"]]) for row in rows])
    node.fsck(check=0)


def from_ourselves(program, scratch, made):
    there, here = new_node(program, scratch / "there"), new_node(program, scratch / "here")
    there.objects = seal(there, scratch / "files")
    (scratch / "peers.conf").write_text("RADSEAL * all\nNOGET * echo,find\n")
    with there.serving("--peers", scratch / "peers.conf") as port:
        rows = fetch(here, port, "-k", "PatientID=P1", "--list")
        assert sorted(row["StudyInstanceUID"] for row in rows) == ["1.2.9.1", "1.2.9.2"] and not json.loads(
            here.run("find", "--home", here.home, "--json", check=0).stdout)
        rows = fetch(here, port, "-k", "PatientID=P1", "-k", "PatientName=doe*")
        assert sorted((row["study"], row["there"], row["sealed"], row["known"], row["missing"]) for row in rows) == [
            ("1.2.9.1", 5, 5, 0, 0), ("1.2.9.2", 5, 5, 0, 0)], rows
        rows = fetch(here, port, "-k", "StudyInstanceUID=1.2.9.1", "-k", "SeriesInstanceUID=1.2.9.1.1", "--level", "series")
        assert [(row["series"], row["sealed"], row["known"]) for row in rows] == [("1.2.9.1.1", 0, 4)], rows
        assert "nothing there matches" in here.run("fetch", f"127.0.0.1:{port}", "--home", here.home, "--called", "RADSEAL", "-k",
                                                   "PatientID=P9").stderr
        fetch(here, port, check=2)
        fetch(here, port, "-k", "Rubbish=1", check=2)
        fetch(here, port, "-k", "PatientID=P1", "--level", "image", check=2)
        assert fetch(here, port, "-k", "PatientID=P1", "--ae", "NOGET", check=3)
        object_ = there.objects["1.2.9.3.1.1"]
        content = object_.read_bytes()
        object_.chmod(0o600)
        object_.write_bytes(content[:-20] + bytes([content[-20] ^ 1]) + content[-19:])
        rows = fetch(here, port, "-k", "StudyInstanceUID=1.2.9.3", check=3)
        assert [(row["there"], row["sealed"], row["missing"]) for row in rows] == [(5, 4, 1)] and "B000" in rows[0]["reason"], rows
        object_.write_bytes(content)
        rows = fetch(here, port, "-k", "StudyInstanceUID=1.2.9.3")
        assert [(row["sealed"], row["known"], row["missing"]) for row in rows] == [(1, 4, 0)], rows
        with here.serving("--peers", scratch / "peers.conf") as own:
            (scratch / "to.conf").write_text(f"HERE 127.0.0.1:{own} echo\nRADSEAL * all\n")
            assert fetch(here, port, "-k", "StudyInstanceUID=1.2.9.3", "--to", "HERE", check=3)  # unknown there
            rows = fetch(here, port, "-k", "StudyInstanceUID=1.2.9.2")  # beside a server of the same node
            assert rows[0]["known"] == 5, rows
    expect_all(here, scratch, made, 15)
    print("from a node of ours: all of it, once; what fails is told and comes the next time")


class Archive:
    """Lists an instance that it does not send, or goes away."""

    def __init__(self, mode):
        self.mode, self.listener = mode, socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                with Peer(0, accepted=self.listener.accept()[0]) as peer, contextlib.suppress(ConnectionError):
                    peer.answer_associate()
                    while True:
                        self.answer(peer, *peer.message())

    def answer(self, peer, elements, context, data):
        field = elements[0x100]
        sop_class = elements[2].rstrip(b"\0").decode()
        final = values(context, 1, command(e0002=sop_class, e0100=0x8000 | int.from_bytes(field, "little"), e0120=1, e0800=0x101, e0900=0), 4096)
        if field == b"\x20\0":
            found = b"".join(implicit(*row) for row in ((8, 0x16, MR_CLASS), (8, 0x18, "1.2.9.7.1.1"), (0x20, 0xD, "1.2.9.7"), (0x20, 0xE, "1.2.9.7.1")))
            peer.send(*values(context, 1, command(e0002=sop_class, e0100=0x8020, e0120=1, e0800=1, e0900=0xFF00), 4096), *values(context, 0, found, 4096))
        elif self.mode == "vanishes":
            raise ConnectionError
        elif self.mode == "asks for more":
            peer.send(*values(context, 1, command(e0002="1.2.840.10008.1.1", e0100=0x30, e0110=9, e0800=0x101), 4096))
            return
        peer.send(*final)


MR_CLASS = "1.2.840.10008.5.1.4.1.1.4"


def implicit(group, number, text):
    value = text.encode() + b"\0" * (len(text) % 2)
    return group.to_bytes(2, "little") + number.to_bytes(2, "little") + len(value).to_bytes(4, "little") + value


def from_liars(program, scratch):
    node = new_node(program, scratch / "liars")
    for mode, status, sentence in (("sends nothing", 4, "1 of 1 instances that the archive lists did not come"), ("vanishes", 4, "closed the connection"),
                                   ("asks for more", 1, "something else")):
        rows = fetch(node, Archive(mode).port, "-k", "StudyInstanceUID=1.2.9.7", check=None)
        assert sentence in rows[0]["reason"] and rows[0]["missing"] == 1, (mode, rows)
    print("from archives that list what they do not send, vanish, or ask for more: told, nothing sealed")


def from_dcmtk(program, scratch, made):
    node = new_node(program, scratch / "dcmtk")
    with socket.create_server(("127.0.0.1", 0)) as free:
        there = free.getsockname()[1]
    (scratch / "database").mkdir()
    (scratch / "archive.cfg").write_text(
        f"NetworkTCPPort = {there}\nMaxPDUSize = 16384\nMaxAssociations = 16\nHostTable BEGIN\nHostTable END\nVendorTable BEGIN\n"
        f"VendorTable END\nAETable BEGIN\nARCHIVE {scratch / 'database'} RW (100, 1024mb) ANY\nAETable END\n")
    archive = subprocess.Popen(["dcmqrscp", "-c", scratch / "archive.cfg"], stderr=subprocess.DEVNULL)
    try:
        while node.run("dicom", "echo", f"127.0.0.1:{there}", "--called", "ARCHIVE").returncode:
            time.sleep(0.1)
        node.run("dicom", "send", f"127.0.0.1:{there}", "--called", "ARCHIVE", scratch / "files", "--quiet", check=0)
        rows = fetch(node, there, "-k", "PatientID=P1", called="ARCHIVE")
        assert sorted((row["there"], row["sealed"]) for row in rows) == [(5, 5), (5, 5)], rows
    finally:
        archive.terminate()
        archive.wait()
    expect_all(node, scratch, made, 10)
    print("from dcmtk's archive: as it was stored there")


def from_orthanc(program, scratch, made):
    node = new_node(program, scratch / "orthanc-node")
    with orthanc(scratch, sorted((scratch / "files").iterdir())) as (there, _):
        rows = fetch(node, there, "-k", "PatientID=P2", called="ORTHANC")
        assert [(row["there"], row["sealed"], row["missing"]) for row in rows] == [(5, 5, 0)], rows
    expect_all(node, scratch, made, 5)
    print("from Orthanc: all that it lists")


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        made = make(scratch / "files")
        from_ourselves(program, scratch, made)
        from_liars(program, scratch)
        if shutil.which("dcmqrscp"):
            from_dcmtk(program, scratch, made)
        if shutil.which("Orthanc"):
            from_orthanc(program, scratch, made)


if __name__ == "__main__":
    main()
