"""Retrievals by DICOM, C-GET and C-MOVE: `moves.py RADSEAL [DATA]`. By a peer of our own that does what no tool would, with what the
contract, faults and odd requests make of them; with DATA every file of it comes back bit for bit. Others' tools: dicom_peers.py."""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

from dicom_network import Server
from dicom_peer import EXPLICIT, IMPLICIT, VERIFICATION, Peer, command, explicit, item, meta, read_part10, values
from node_tools import files_below

ROOT = "1.2.840.10008.5.1.4.1.2."
PATIENT_GET, STUDY_GET, PATIENT_MOVE, STUDY_MOVE = ROOT + "1.3", ROOT + "2.3", ROOT + "1.2", ROOT + "2.2"
SECONDARY, MR = "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.4"
JPEG2000, RLE = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5"
TAGS = {"QueryRetrieveLevel": (8, 0x52, "CS"), "PatientID": (0x10, 0x20, "LO"), "PatientName": (0x10, 0x10, "PN"),
        "StudyInstanceUID": (0x20, 0xD, "UI"), "SeriesInstanceUID": (0x20, 0xE, "UI"), "SOPInstanceUID": (8, 0x18, "UI")}


def instance(number, patient, study, series, size=3000, sop_class=SECONDARY):
    """(SOP class, UID, data set)"""
    uid = f"1.2.9.{study}.{series}.{number}"
    data = (explicit(8, 0x16, "UI", sop_class) + explicit(8, 0x18, "UI", uid) + explicit(0x10, 0x10, "PN", "Doe^J") +
            explicit(0x10, 0x20, "LO", patient) + explicit(0x20, 0xD, "UI", f"1.2.9.{study}") +
            explicit(0x20, 0xE, "UI", f"1.2.9.{study}.{series}") + explicit(0x28, 2, "US", b"\1\0") +
            explicit(0x28, 4, "CS", "MONOCHROME2") + explicit(0x28, 0x10, "US", struct.pack("<H", size // 1000)) +
            explicit(0x28, 0x11, "US", struct.pack("<H", 500)) +
            explicit(0x28, 0x100, "US", b"\x10\0") + explicit(0x28, 0x101, "US", b"\x10\0") + explicit(0x28, 0x102, "US", b"\x0f\0") +
            explicit(0x28, 0x103, "US", b"\0\0") + explicit(0x7FE0, 0x10, "OW", os.urandom(8) + bytes(size - 8)))
    return sop_class, uid, data


def make(folder):
    """Two patients; studies 1, 2 of P1 and 3 of P2; each of series 1 (four images) and 2 (one of another class)."""
    folder.mkdir()
    made = {}
    for study, patient in ((1, "P1"), (2, "P1"), (3, "P2")):
        for number in range(5):
            sop_class, uid, data = instance(number, patient, study, 1 + number // 4, sop_class=MR if number == 4 else SECONDARY)
            (folder / uid).write_bytes(meta(sop_class, uid, EXPLICIT) + data)
            made[uid] = data
    return made


def seal(node, path):
    """{file's name: its object in the vault}"""
    addresses = {pathlib.Path(row["path"]).name: pathlib.Path(row["receipt"]).stem for row in json.loads(node.seal(path).stdout)}
    objects = {path.name: path for path in files_below(node.home / "vault")}
    return {name: objects[address] for name, address in addresses.items()}


def identifier(level, keys):
    rows = sorted((*TAGS[key], value) for key, value in {"QueryRetrieveLevel": level.upper(), **keys}.items())
    return b"".join(explicit(*row) for row in rows)


def role(sop_class, scu=0, scp=1):
    return item(0x54, struct.pack(">H", len(sop_class)) + sop_class.encode() + bytes([scu, scp]))


class Asker(Peer):
    """Who asks, and for C-GET takes what comes."""

    def open(self, classes, model=STUDY_GET, roles=None, **options):
        contexts = [(model, [EXPLICIT])] + [(name, syntaxes) for name, syntaxes in classes]
        names = sorted({name for name, _ in classes}) if roles is None else roles
        assert self.associate(contexts, extra=b"".join(map(role, names)), **options) == 2
        self.model = model
        self.syntaxes = {2 * number + 3: syntaxes[0] for number, (_, syntaxes) in enumerate(classes)}
        return self

    def ask(self, level, keys, to=None, message=1):
        elements = {"e0002": self.model, "e0100": 0x21 if to else 0x10, "e0110": message, "e0700": 0, "e0800": 1}
        if to:
            elements["e0600"] = to + " " * (len(to) % 2)
        self.send(*values(1, 1, command(**elements), 4096), *values(1, 0, identifier(level, keys), 4096))

    def take(self, answer=lambda number: 0):
        """({uid: (context, data set)}, [(status, remaining, completed, failed, warned)], failed list)"""
        got, told = {}, []
        while True:
            elements, context, data = self.message()
            if elements[0x100] == b"\1\0":
                uid = elements[0x1000].rstrip(b"\0").decode()
                got[uid] = (context, data)
                self.store_answer(elements, context, answer(len(got)))
                continue
            numbers = [struct.unpack("<H", elements[key])[0] if key in elements else None
                       for key in (0x900, 0x1020, 0x1021, 0x1022, 0x1023)]
            told.append(tuple(numbers))
            if numbers[0] != 0xFF00:
                uids = data[8:].rstrip(b"\0").decode().split("\\") if data else []
                return got, told, uids

    def store_answer(self, elements, context, status):
        self.send(*values(context, 1, command(e0002=elements[2].rstrip(b"\0").decode(), e0100=0x8001,
                                              e0120=struct.unpack("<H", elements[0x110])[0], e0800=0x101, e0900=status,
                                              e1000=elements[0x1000].rstrip(b"\0").decode()), 4096))


BOTH = [(SECONDARY, [EXPLICIT]), (MR, [EXPLICIT])]


def levels(node, made, peers):
    cases = [(PATIENT_GET, "patient", {"PatientID": "P1"}, 10), (PATIENT_GET, "study", {"PatientID": "P1", "StudyInstanceUID": "1.2.9.2"}, 5),
             (PATIENT_GET, "patient", {"PatientID": "P9"}, 0), (STUDY_GET, "study", {"StudyInstanceUID": "1.2.9.3"}, 5),
             (STUDY_GET, "study", {"StudyInstanceUID": "1.2.9.3\\1.2.9.1", "PatientName": ""}, 10),
             (STUDY_GET, "series", {"StudyInstanceUID": "1.2.9.1", "SeriesInstanceUID": "1.2.9.1.1"}, 4),
             (STUDY_GET, "image", {"SOPInstanceUID": "1.2.9.1.1.0\\1.2.9.3.2.4\\1.2.3"}, 2),
             (STUDY_GET, "study", {"StudyInstanceUID": "1.2.9.3", "PatientID": "P1"}, 0)]
    with node.serving("--peers", peers) as port:
        for model, level, keys, count in cases:
            with Asker(port) as peer:
                peer.open(BOTH, model).ask(level, keys)
                got, told, failed = peer.take()
                assert len(got) == count and told[-1] == (0, None, count, 0, 0) and not failed, (level, keys, told)
                assert [row[:3] for row in told[:-1]] == [(0xFF00, count - done, done) for done in range(count)], told
                assert {uid: data for uid, (_, data) in got.items()}.items() <= made.items()
                peer.release()
        with Asker(port) as peer:  # one association, one after the other
            peer.open(BOTH)
            for _ in range(3):
                peer.ask("study", {"StudyInstanceUID": "1.2.9.1"})
                assert len(peer.take()[0]) == 5
    print(f"C-GET: {len(cases)} questions, what comes is what was sealed")


def odd_requests(node, peers):
    good = {"StudyInstanceUID": "1.2.9.1"}
    cases = [("study", {}, 0xA900), ("study", {"StudyInstanceUID": ""}, 0xA900), ("study", {"StudyInstanceUID": "1.2.9.*"}, 0xA900),
             ("study", {"PatientID": "P?"}, 0xA900), ("study", {"PatientName": "Doe*", **good}, 0xA900),
             ("study", {"SeriesInstanceUID": "1.2.9.1.1", **good}, 0xA900), ("patient", {"PatientID": "P1"}, 0xA900),
             ("nothing", good, 0xA900), ("image", good, 0xA900)]
    with node.serving("--peers", peers) as port:
        with Asker(port) as peer:
            peer.open(BOTH)
            for level, keys, status in cases:
                peer.ask(level, keys)
                got, told, _ = peer.take()
                assert not got and told[0][0] == status, (level, keys, told)
            peer.send(*values(1, 1, command(e0002=STUDY_GET, e0100=0x10, e0110=1, e0700=0, e0800=1), 4096), *values(1, 0, b"\xff" * 50, 4096))
            assert peer.take()[1][0][0] == 0xC000
        with Asker(port) as peer:
            peer.open([], STUDY_MOVE).ask("study", good, to="NOBODY")
            assert peer.take()[1][0][0] == 0xA801
            peer.ask("study", good, to="PEER")
            assert peer.take()[1][0][0] == 0xA801, "a title without an address"
        for roles, classes, status in (([SECONDARY], BOTH, 0xB000), ([], BOTH, 0xA702), ([MR], [(MR, [JPEG2000])], 0xB000)):
            with Asker(port) as peer:
                peer.open(classes, roles=roles).ask("study", good)
                got, told, failed = peer.take()
                assert told[-1][0] == status and len(got) + len(failed) == 5 and told[-1][2:4] == (len(got), len(failed)), told
                assert not set(got) & set(failed)
        for status, row in ((0xA700, (0xA702, 0, 5, 0)), (0xB007, (0, 0, 0, 5)), (0xC001, (0xA702, 0, 5, 0))):
            with Asker(port) as peer:
                peer.open(BOTH).ask("study", good)
                _, told, failed = peer.take(lambda _, status=status: status)
                assert (told[-1][0], *told[-1][2:]) == row and len(failed) == row[2], told
        with Asker(port) as peer:  # a context that is there for retrievals alone
            peer.open(BOTH, calling="GETONLY")
            assert peer.store(3, *instance(7, "P1", 1, 1)) == 0x0211
            peer.ask("study", good)
            assert len(peer.take()[0]) == 5
        with Asker(port) as peer:
            assert peer.associate([(STUDY_GET, [IMPLICIT]), (SECONDARY, [IMPLICIT])], calling="NOGET", extra=role(SECONDARY)) == 2
            assert peer.accepted == {3: IMPLICIT}, peer.accepted
    print(f"{len(cases)} odd retrievals refused with their status; roles and statuses counted")


def cancelled(node, peers):
    with node.serving("--peers", peers) as port, Asker(port) as peer:
        peer.open(BOTH)
        peer.ask("study", {"StudyInstanceUID": "1.2.9.1"}, message=7)

        def answer(number):
            if number == 2:
                peer.send(*values(1, 1, command(e0100=0xFFF, e0120=7, e0800=0x101), 4096))
            return 0
        got, told, _ = peer.take(answer)
        assert len(got) in (2, 3) and told[-1] == (0xFE00, 5 - len(got), len(got), 0, 0), told
        peer.ask("image", {"SOPInstanceUID": "1.2.9.1.1.0"})
        assert len(peer.take()[0]) == 1
    print("C-CANCEL: what is left stays")


def not_converted(node, scratch, peers):
    """A video is sent as it is, or fails; a peer that says something else than its answers is left, and nobody else."""
    mpeg = "1.2.840.10008.1.2.4.100"
    sop_class, uid, plain = instance(1, "P6", 6, 1)
    fragment = struct.pack("<HHI", 0xFFFE, 0xE000, 8) + bytes(8)
    data = plain[:plain.index(b"\xe0\x7f\x10\0OW")] + b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff" + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0) + fragment + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    (scratch / "video.dcm").write_bytes(meta(sop_class, uid, mpeg) + data)
    node.seal(scratch / "video.dcm")
    with node.serving("--peers", peers) as port:
        for syntaxes, status in (([EXPLICIT], 0xA702), ([mpeg], 0)):
            with Asker(port) as peer:
                peer.open([(SECONDARY, syntaxes)]).ask("study", {"StudyInstanceUID": "1.2.9.6"})
                got, told, failed = peer.take()
                assert told[-1][0] == status and (failed == [uid] or got[uid][1] == data), told
        for odd in (command(e0002=VERIFICATION, e0100=0x30, e0110=1, e0800=0x101),
                    command(e0002=SECONDARY, e0100=0x8001, e0120=99, e0800=0x101, e0900=0, e1000=uid), b"\xff" * 20, None):
            with Asker(port) as peer:
                peer.open(BOTH).ask("study", {"StudyInstanceUID": "1.2.9.1"})
                peer.message()
                peer.send(*(values(1, 1, odd, 4096) if odd else [bytes.fromhex("05000000000400000000")]))
                try:
                    raise AssertionError(peer.take())
                except ConnectionError as broken:
                    assert "PDU 7" in str(broken), broken
        with Asker(port) as peer:
            peer.open(BOTH).ask("study", {"StudyInstanceUID": "1.2.9.1"})
            assert len(peer.take()[0]) == 5
    print("a video as it is or not at all; answers that are none end an association")


class Destination:
    """Takes what is moved to it, for as many instances as it lives."""

    def __init__(self, lives=None, silent=False, context=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.got, self.originators, self.lives, self.silent, self.associations = {}, set(), lives, silent, 0
        self.context = context
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                accepted = self.listener.accept()[0]
                wrap = (lambda plain: self.context.wrap_socket(plain, server_side=True)) if self.context else None
                with contextlib.suppress(OSError, ConnectionError), Asker(0, accepted=accepted, wrap=wrap) as peer:
                    self.associations += 1
                    peer.answer_associate()
                    self.take(peer)

    def take(self, peer):
        while True:
            if self.silent and self.got:
                time.sleep(20)
            elements, context, data = peer.message()
            if self.lives is not None and len(self.got) >= self.lives:
                self.lives += 2
                return
            self.got[elements[0x1000].rstrip(b"\0").decode()] = data
            self.originators.add((elements[0x1030].strip(), elements[0x1031]))
            peer.store_answer(elements, context, 0)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def moved(node, made, scratch):
    for lives, silent, status, least in ((None, False, 0, 10), (3, False, 0xB000, 6), (0, False, 0xA702, 0), (None, True, 0xB000, 1)):
        there = Destination(lives, silent)
        (scratch / "moves.conf").write_text(f"DEST 127.0.0.1:{there.port} echo\nPEER * all purpose=operations\n")
        with node.serving("--peers", scratch / "moves.conf", "--idle", 2) as port, Asker(port) as peer:
            peer.open([], PATIENT_MOVE).ask("patient", {"PatientID": "P1"}, to="DEST", message=77)
            _, told, failed = peer.take()
            assert told[-1][0] == status and told[-1][2] + told[-1][3] == 10 and len(failed) == told[-1][3], (lives, told)
            assert told[-1][2] == len(there.got) >= least and not set(failed) & set(there.got)
            assert there.got.items() <= made.items() and there.originators <= {(b"PEER", b"\x4d\0")}
        there.close()
    there = Destination()
    there.close()
    (scratch / "moves.conf").write_text(f"DEST 127.0.0.1:{there.port} echo\nPEER * all\n")
    with node.serving("--peers", scratch / "moves.conf") as port, Asker(port) as peer:
        peer.open([], PATIENT_MOVE).ask("patient", {"PatientID": "P1"}, to="DEST")
        assert peer.take()[1][-1] == (0xA702, None, 0, 10, 0)
        assert "refused" in node.run("dicom", "move", f"127.0.0.1:{port}", "--called", "RADSEAL", "--ae", "PEER", "--patient-root",
                                     "--level", "patient", "PatientID=P1", "--to", "DEST", check=3).stderr
    print("C-MOVE: to who listens; destinations that die, hang or are away cost what was to come")


def faults(node, scratch, peers):
    """A peer that stops reading, one that vanishes, an object that was altered, a server that stops."""
    large = instance(1, "P7", 7, 1, size=30_000_000)
    (scratch / "large.dcm").write_bytes(meta(large[0], large[1], EXPLICIT) + large[2])
    node.objects.update(seal(node, scratch / "large.dcm"))
    with node.serving("--peers", peers, "--idle", 2) as port:
        with Asker(port) as deaf, Asker(port) as gone:
            deaf.open(BOTH).ask("image", {"SOPInstanceUID": large[1]})
            gone.open(BOTH).ask("image", {"SOPInstanceUID": large[1]})
            gone.receive()
            gone.socket.close()
            with Asker(port) as other:
                other.open(BOTH).ask("study", {"StudyInstanceUID": "1.2.9.1"})
                assert len(other.take()[0]) == 5, "others are served meanwhile"
            time.sleep(4)
        with Asker(port) as peer:
            peer.open(BOTH).ask("image", {"SOPInstanceUID": large[1]})
            assert peer.take()[0][large[1]][1] == large[2]
    assert "does not take what it asked for" in node.said and "connection was lost" in node.said, node.said[-2000:]
    with node.serving("--peers", peers) as port, Asker(port) as slow:
        slow.open(BOTH).ask("study", {"StudyInstanceUID": "1.2.9.1"})
        slow.receive()
        node.process.terminate()
        with contextlib.suppress(ConnectionError):
            while slow.receive()[0] != 7:
                pass
    for uid, what in (("1.2.9.2.1.1", "one fails, the others come"), (large[1], "the end never comes")):
        path = node.objects["large.dcm" if uid == large[1] else uid]
        content = path.read_bytes()
        path.chmod(0o600)
        path.write_bytes(content[:-20] + bytes([content[-20] ^ 1]) + content[-19:])
        with node.serving("--peers", peers) as port, Asker(port) as peer:
            if uid == large[1]:
                peer.open(BOTH).ask("image", {"SOPInstanceUID": uid})
                try:
                    raise AssertionError(peer.take()[1])
                except ConnectionError:
                    pass
            else:
                peer.open(BOTH).ask("study", {"StudyInstanceUID": "1.2.9.2"})
                got, told, failed = peer.take()
                assert failed == [uid] and len(got) == 4 and told[-1] == (0xB000, None, 4, 1, 0), (what, told)
        assert "level=warning event=retrieval" in node.said
        path.write_bytes(content)
    print("peers that stop reading or vanish, altered objects, a stop: nothing half is taken for whole")


def by_the_contract(node, scratch):
    """As whom the server serves: a purpose that its role has not, a consent that comes and ends, a member that is revoked."""
    def do(*arguments):
        node.run(*arguments, "--home", node.home, check=0)

    def requests():
        entries = json.loads(node.run("log", "--home", node.home, "--json", check=0).stdout)["entries"]
        return sum(entry["type"] == "access-request" for entry in entries)

    def ask(port, count, status=0, calling="STUDIES"):
        with Asker(port) as peer:
            peer.open(BOTH, calling=calling).ask("study", {"StudyInstanceUID": "1.2.9.3"})
            got, told, _ = peer.take()
            assert len(got) == count and told[-1][0] == status, (len(got), told)
    do("key", "new", "scholar")
    do("member", "grant", "scholar", "--role", "researcher")
    (scratch / "contract.conf").write_text("STUDIES * get,find purpose=research\nWARD * get purpose=treatment\nPLAIN * get\n")
    with node.serving("--peers", scratch / "contract.conf", "--as", "scholar") as port:
        before = requests()
        ask(port, 0)
        ask(port, 0, 0x0124, "WARD")
        assert requests() == before
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))
        do("consent", "grant", "--subject", "P2", "--organisation", "Radiology", "--roles", "researcher", "--purposes", "research",
           "--operations", "read", "--until", until)
        ask(port, 5)
        assert requests() == before + 1, "an entry of the ledger, before the first byte"
        ask(port, 5, calling="PLAIN")
        time.sleep(5.5)
        ask(port, 0)
        do("member", "revoke", "scholar")
        ask(port, 0, 0x0124)
    said = [line for line in node.said.splitlines() if "event=retrieval" in line]
    assert sum("not_permitted=5" in line and "level=warning" in line for line in said) == 2, said
    assert sum("REVOKED" in line or "PURPOSE" in line for line in said) == 2, said
    print("the contract decides: by purpose, consent and member, each retrieval and each moment")


def every_file(node, scratch, data):
    """What of DATA can be sealed comes back with the same data set; what says no transfer syntax comes converted, or not."""
    node = Server(node.program, scratch / "every")
    node.init()
    node.seal(data, check=None)
    files = {parts[3] for parts in (read_part10(path.read_bytes()) for path in files_below(data)) if parts}
    rows = json.loads(node.run("find", "--home", node.home, "--json", "--level", "image", "--limit", 100000, "StudyInstanceUID",
                               "SOPInstanceUID", "SOPClassUID", "AvailableTransferSyntaxUID", check=0).stdout)
    studies = collections.defaultdict(list)
    for row in rows:
        if row["SOPInstanceUID"]:
            studies[row["StudyInstanceUID"]].append(row)
    (scratch / "every.conf").write_text("PEER * all\n")
    same, converted = 0, 0
    with node.serving("--peers", scratch / "every.conf") as port:
        for study, found in studies.items():
            classes = sorted({(row["SOPClassUID"], row["AvailableTransferSyntaxUID"] or EXPLICIT) for row in found if row["SOPClassUID"]})
            with Asker(port) as peer:
                peer.open([(name, [syntax]) for name, syntax in classes[:120]])
                peer.ask(*(("study", {"StudyInstanceUID": study}) if study else
                           ("image", {"SOPInstanceUID": "\\".join(row["SOPInstanceUID"] for row in found)})))
                got, told, failed = peer.take()
            known = {row["SOPInstanceUID"]: row["SOPClassUID"] and row["AvailableTransferSyntaxUID"] for row in found}
            assert set(got) | set(failed) == set(known), (study, told)
            assert not {uid for uid in failed if known[uid]}, [known[uid] for uid in failed]
            for uid, (_, content) in got.items():
                assert content in files or not known[uid], uid
                same, converted = same + (content in files), converted + (content not in files)
    assert same > 300
    print(f"{data}: {same} instances came back bit for bit, {converted} of files without a meta group otherwise")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("radseal")
    parser.add_argument("data", nargs="?")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        node = Server(os.path.abspath(options.radseal), scratch / "node")
        node.init()
        made = make(scratch / "files")
        node.objects = seal(node, scratch / "files")
        peers = scratch / "peers.conf"
        peers.write_text("GETONLY * echo,get\nNOGET * echo,find,store\nPEER * all\n")
        levels(node, made, peers)
        odd_requests(node, peers)
        cancelled(node, peers)
        not_converted(node, scratch, peers)
        moved(node, made, scratch)
        faults(node, scratch, peers)
        by_the_contract(node, scratch)
        if options.data:
            every_file(node, scratch, pathlib.Path(options.data))


if __name__ == "__main__":
    main()
