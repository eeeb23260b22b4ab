"""`radseal serve` as DICOM peers meet it: by dcmtk's tools and by a peer of our own that sends what no tool would;
`dicom_network.py RADSEAL [--kills N] [--step N] [DATA]`. What was answered with success is sealed bit for bit, whatever happens then."""
import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import warnings

from dicom_peer import (BIG, DEFLATED, EXPLICIT, IMPLICIT, VERIFICATION, Peer, associate, command, explicit, meta,
                        read_part10, small_instance, values)
from node_tools import Radseal

SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
REJECTED, ABORT = 3, 7


class Server(Radseal):
    @contextlib.contextmanager
    def serving(self, *arguments, end=signal.SIGTERM, listen=("--dicom", "127.0.0.1:0")):
        process = subprocess.Popen([self.program, "serve", "--home", str(self.home), *listen, *map(str, arguments)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = []
        reader = threading.Thread(target=lambda: said.append(process.stderr.read()))
        reader.start()
        try:
            words = process.stdout.readline().split()
            if not words:
                reader.join()
            assert words and words[0] == listen[0][2:], said
            self.process = process
            yield int(words[1])
        finally:
            process.send_signal(end)
            process.wait(timeout=60)
            reader.join()
            process.stdout.close()
            process.stderr.close()
            self.said = said[0]
        assert process.returncode in (0, -end), (process.returncode, self.said[-2000:])


def expect_sealed(node, scratch, stored):
    """Files as they must lie in the vault: meta group, then the data set as it was sent."""
    paths = []
    for number, (sop_class, instance, transfer, data) in enumerate(stored):
        path = scratch / f"expected{number}.dcm"
        path.write_bytes(meta(sop_class, instance, transfer) + data)
        paths.append(path)
    for at in range(0, len(paths), 100):
        verdicts = node.verdicts(*paths[at:at + 100])
        assert set(verdicts.values()) <= {"genuine"}, verdicts
    for path in paths:
        path.unlink()


def echo_and_store(node, scratch):
    stored = []
    with node.serving() as port, Peer(port) as peer:
        assert peer.associate([(VERIFICATION, [BIG, IMPLICIT]), (SECONDARY, [EXPLICIT]), ("1.2.3", [EXPLICIT]),
                               ("1.2.840.10008.5.1.4.1.2.2.1", [IMPLICIT])]) == 2
        assert peer.accepted == {1: IMPLICIT, 3: EXPLICIT}, peer.accepted
        assert peer.echo() == 0
        for number in range(5):
            instance = small_instance(number, size=300 * 1000 if number == 4 else 2000)
            assert peer.store(3, *instance, maximum=[20, 128, 4096, peer.maximum, 1000][number]) == 0
            stored.append((instance[0], instance[1], EXPLICIT, instance[2]))
        assert peer.store(3, *instance) == 0, "the same once more is known"
        peer.release()
    expect_sealed(node, scratch, stored)
    node.fsck(check=0)
    print("echo and store: what came is what lies in the vault")


def odd_messages(node):
    """What is no sound instance is refused with a status, and the association goes on."""
    sop_class, instance, data = small_instance(50)
    with node.serving() as port, Peer(port) as peer:
        assert peer.associate([(VERIFICATION, [IMPLICIT]), (SECONDARY, [EXPLICIT]), (SECONDARY, [DEFLATED])]) == 2
        cases = {
            "another instance": (peer.store(3, sop_class, "2.25.9", data), 0xA900),
            "another class": (peer.store(3, "1.2.840.10008.5.1.4.1.1.2", instance, data), 0xA900),
            "cut off": (peer.store(3, sop_class, instance, data[:-100]), 0xC000),
            "empty": (peer.store(3, sop_class, instance, b""), 0xA900),
            "not deflated": (peer.store(5, sop_class, instance, data), 0xC000),
            "store by the context of verification": (peer.store(1, sop_class, instance, data), 0x0211),
        }
        for name, (status, expected) in cases.items():
            assert status == expected, f"{name}: status {status:04X}"
        assert peer.echo() == 0
        peer.release()
    node.fsck(check=0)
    print(f"odd messages: {len(cases)} refused with their status")


def refused_associations(node):
    """PS3.8: each with its result, source and reason."""
    good = [(VERIFICATION, [IMPLICIT])]
    cases = [
        ("called AE title", associate(good, called="OTHER"), REJECTED, "010107"),
        ("calling AE title", associate(good, calling="STRANGER"), REJECTED, "010103"),
        ("protocol version", associate(good, protocol=2), REJECTED, "010202"),
        ("application context", associate(good, application="1.2.3"), REJECTED, "010102"),
        ("tiny PDUs", associate(good, maximum=10), REJECTED, "010101"),
        ("an item beyond the PDU", associate(good, extra=b"\x52\0\xff\xff1"), ABORT, "000206"),
        ("a PDU of 4 GiB", b"\1\0\xff\xff\xff\xff", ABORT, "000000"),
        ("HTTP", b"GET / HTTP/1.1\r\n\r\n", ABORT, "000000"),
        ("a PDU beyond what was offered", associate(good) + struct.pack(">BBI", 4, 0, 1 << 20), ABORT, "000206"),
        ("a context of nobody", associate(good) + b"".join(values(9, 1, b"", 100)), ABORT, "000206"),
        ("twice", associate(good) + associate(good), ABORT, "000202"),
    ]
    peers = node.home / "peers.conf"
    peers.write_text("# one line for each\nPEER 127.0.0.1 echo,store\nMR1 10.0.0.1:104 all\n")
    with node.serving("--peers", peers) as port:
        for name, sent, kind, tail in cases:
            with Peer(port) as peer:
                peer.send(sent)
                answers = [peer.receive()]
                if answers[0][0] == 2:
                    answers.append(peer.receive())
                got, body = answers[-1]
                assert got == kind and body[1:].hex() == tail, f"{name}: PDU {got} {body.hex()}"
    with node.serving("--peers", peers, "--associations", 3) as port:
        with contextlib.ExitStack() as stack:
            full = [stack.enter_context(Peer(port)) for _ in range(4)]
            kinds = [peer.associate(good) for peer in full]
            assert kinds == [2, 2, 2, REJECTED] and full[3].answer[1:].hex() == "020302", kinds
        for _ in range(50):  # until the server has seen that they are gone
            with Peer(port) as peer:
                if peer.associate(good) == 2 and peer.echo() == 0:
                    break
            time.sleep(0.1)
        else:
            raise AssertionError("no room again")
    peers.write_text("PEER somewhere echo\n")
    done = node.run("serve", "--home", node.home, "--dicom", "127.0.0.1:0", "--peers", peers, check=1)
    assert "line 1" in done.stderr, done.stderr
    print(f"refused: {len(cases)} kinds of associations, each with its reason")


def ends_of_connections(node, scratch):
    """Peers that vanish, fall silent or are slow hurt nobody else; a stop lets a message come to its end."""
    instance = small_instance(60, size=400 * 1000)
    with node.serving("--idle", 1) as port:
        silent, half = Peer(port), Peer(port)
        slow = Peer(port)
        slow.send(associate([(VERIFICATION, [IMPLICIT])])[:50])
        with Peer(port) as gone:
            assert gone.associate([(SECONDARY, [EXPLICIT])]) == 2
            gone.begin_store(1, *instance[:2])
            gone.send(next(values(1, 0, instance[2], 4096)))
        with Peer(port) as rude:
            assert rude.associate([(SECONDARY, [EXPLICIT])]) == 2
            rude.begin_store(1, *instance[:2])
            rude.send(next(values(1, 0, instance[2], 4096)), bytes.fromhex("07000000000400000000"))
        assert half.associate([(VERIFICATION, [IMPLICIT])]) == 2
        started = time.monotonic()
        assert half.receive()[0] == ABORT, "idle for a second"
        assert 0.9 < time.monotonic() - started < 20
        for peer in (silent, slow):
            with contextlib.suppress(ConnectionError):
                assert peer.receive()[0] == ABORT
            assert time.monotonic() - started < 40
        with Peer(port) as peer:
            assert peer.associate([(VERIFICATION, [IMPLICIT])]) == 2 and peer.echo() == 0
    with node.serving() as port, Peer(port) as deaf:
        assert deaf.associate([(VERIFICATION, [IMPLICIT])]) == 2
        echo = b"".join(values(1, 1, command(e0002=VERIFICATION, e0100=0x30, e0110=1, e0800=0x101), 4096))
        asking = threading.Thread(target=lambda: [deaf.send(echo * 100) for _ in range(200)])
        asking.start()
        time.sleep(0.5)  # answers that nobody reads do not pile up: the server stops reading
        assert all(deaf.status() == 0 for _ in range(20000))
        asking.join()
    with node.serving("--idle", 1, "--associations", 1) as port, Peer(port) as deaf:
        assert deaf.associate([(VERIFICATION, [IMPLICIT])]) == 2
        deaf.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError, ConnectionResetError):  # a busy machine may need the second
            while deaf.socket.send(echo * 100) == len(echo) * 100:
                time.sleep(0.001)
        started, kind = time.monotonic(), None
        while kind != 2:
            assert time.monotonic() - started < 45, "who never takes an answer keeps its association"
            time.sleep(0.1)
            with Peer(port) as peer:
                kind = peer.associate([(VERIFICATION, [IMPLICIT])])
    assert "does not take its answers" in node.said, node.said[-1000:]
    with node.serving() as port, Peer(port) as peer, Peer(port) as idle:
        assert idle.associate([(VERIFICATION, [IMPLICIT])]) == 2
        assert peer.associate([(SECONDARY, [EXPLICIT])]) == 2
        peer.begin_store(1, *instance[:2])
        pdus = list(values(1, 0, instance[2], 4096))
        peer.send(*pdus[:3])
        time.sleep(0.3)
        node.process.send_signal(signal.SIGTERM)
        assert idle.receive()[0] == ABORT
        peer.send(*pdus[3:])
        assert peer.status() == 0, "what was under way is finished"
    expect_sealed(node, scratch, [(instance[0], instance[1], EXPLICIT, instance[2])])
    node.fsck(check=0)
    print("connections that end in odd ways: nothing is left of them, others go on")


def by_dcmtk(node, scratch):
    """Debian's dcmtk: echoscu, storescu, dcmsend, with odd proposals and aborts."""
    if not shutil.which("storescu"):
        print("dcmtk is not installed: its tools were left out")
        return
    folder = scratch / "dcmtk"
    folder.mkdir()
    for number in range(70, 82):
        sop_class, instance, data = small_instance(number)
        (folder / f"{number}.dcm").write_bytes(meta(sop_class, instance, EXPLICIT, "1.2.3.4") + data)

    def tool(*words, check=0):
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=60)
        assert (done.returncode == 0) == (check == 0), (words, done.stderr)
        return done.stderr + done.stdout
    with node.serving() as port:
        there = ["-aec", "RADSEAL", "127.0.0.1", port]
        tool("echoscu", "--repeat", 3, *there)
        tool("echoscu", "--propose-ts", 3, "--propose-pc", 128, *there)
        tool("echoscu", "--abort", *there)
        assert "Called AE Title Not Recognized" in tool("echoscu", "-aec", "OTHER", "127.0.0.1", port, check=1)
        for number, odd in enumerate((["-xe"], ["-xb"], ["-xi"], ["-xd"], ["-R"], ["-pdu", "4096"], ["--abort"], [])):
            tool("storescu", *odd, *there, folder / f"{70 + number}.dcm")
        tool("storescu", *there, "+sd", folder)
        tool("dcmsend", *there[:2], *there[2:], "+sd", folder)
    node.fsck(check=0)
    print("dcmtk's tools: all served")


def over_tls(node, scratch):
    """Mutual certificates; without one, or by TLS 1.1, no association."""
    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=scratch)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "tls.key", "-out",
            "tls.pem", "-days", 2, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    listen = ("--dicom-tls", "127.0.0.1:0")
    arguments = ["--certificate", scratch / "tls.pem", "--certificate-key", scratch / "tls.key", "--authorities",
                 scratch / "tls.pem"]
    instance = small_instance(90, size=500 * 1000)
    context = ssl.create_default_context(cafile=str(scratch / "tls.pem"))
    with node.serving(*arguments, listen=listen) as port:
        try:
            with Peer(port, wrap=lambda plain: context.wrap_socket(plain, server_hostname="localhost")) as peer:
                peer.associate([(VERIFICATION, [IMPLICIT])])
            raise AssertionError("a peer without a certificate was served")
        except (ssl.SSLError, ConnectionError, OSError):
            pass
        context.load_cert_chain(scratch / "tls.pem", scratch / "tls.key")
        with Peer(port, wrap=lambda plain: context.wrap_socket(plain, server_hostname="localhost")) as peer:
            assert peer.associate([(VERIFICATION, [IMPLICIT]), (SECONDARY, [EXPLICIT])]) == 2
            assert peer.echo() == 0 and peer.store(3, *instance) == 0
        warnings.simplefilter("ignore", DeprecationWarning)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        try:
            with Peer(port, wrap=old.wrap_socket):
                raise AssertionError("TLS 1.1 was taken")
        except (ssl.SSLError, ConnectionError, OSError):
            pass
    expect_sealed(node, scratch, [(instance[0], instance[1], EXPLICIT, instance[2])])
    print("TLS: with certificates on both sides, and not otherwise")


COMMITMENT, COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"


def reference(sop_class, instance, *more):
    content = explicit(8, 0x1150, "UI", sop_class) + explicit(8, 0x1155, "UI", instance) + b"".join(more)
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content


def commitments(node):
    """Which instances lie here: told within the association, or to where the peer listens."""
    stored, other = small_instance(120), small_instance(121)
    request = (explicit(8, 0x1195, "UI", "2.25.77") + explicit(8, 0x1199, "SQ", reference(stored[0], stored[1]) +
               reference("1.2.840.10008.5.1.4.1.1.2", stored[1]) + reference(other[0], other[1])))
    expected = (explicit(8, 0x1195, "UI", "2.25.77") + explicit(
        8, 0x1198, "SQ", reference("1.2.840.10008.5.1.4.1.1.2", stored[1], explicit(8, 0x1197, "US", b"\x19\1")) +
        reference(other[0], other[1], explicit(8, 0x1197, "US", b"\x12\1"))) +
        explicit(8, 0x1199, "SQ", reference(stored[0], stored[1])))

    def ask(peer, content):
        action = command(e0003=COMMITMENT, e0100=0x130, e0110=9, e0800=1, e1001=COMMITMENT_INSTANCE, e1008=1)
        peer.send(*values(1, 1, action, 4096), *values(1, 0, content, 4096))
        return peer.status()
    contexts = [(COMMITMENT, [EXPLICIT]), (SECONDARY, [EXPLICIT])]
    peers = node.home / "commit.conf"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        peers.write_text(f"MR1 127.0.0.1 all\nMR2 127.0.0.1:{listener.getsockname()[1]} all\n")
        with node.serving("--peers", peers) as port:
            with Peer(port) as peer:
                assert peer.associate(contexts, calling="MR1") == 2
                assert peer.store(3, *stored) == 0
                assert ask(peer, request) == 0
                told, context, report = peer.message()
                assert report == expected, report
                assert told[0x0100] == b"\0\1" and told[0x1002] == b"\2\0", "event 2: not all of them"
                peer.send(*values(context, 1, command(e0002=COMMITMENT, e0100=0x8100, e0120=1, e0800=0x101, e0900=0), 999))
                assert ask(peer, explicit(8, 0x1195, "UI", "2.25.77")) == 0x0110, "no instance is named"
                peer.release()
            with Peer(port) as peer:
                assert peer.associate(contexts, calling="MR2") == 2
                assert ask(peer, request) == 0
                peer.release()
            there = Peer(0, accepted=listener.accept()[0])
            there.answer_associate()
            told, context, report = there.message()
            assert report == expected and told[0x1002] == b"\2\0"
            there.send(*values(context, 1, command(e0002=COMMITMENT, e0100=0x8100, e0120=1, e0800=0x101, e0900=0), 999))
            assert there.receive()[0] == 5
            there.send(bytes.fromhex("06000000000400000000"))
    assert "delivered" in node.said
    print("storage commitment: within the association, and to where the peer listens")


def has_ipv6():
    """Whether this machine has a loopback of IPv6; containers often have none."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def as_a_client(node, scratch):
    """`radseal dicom`: to our own server, over TLS too, and to dcmtk's; what arrives is what the files hold."""
    folder, received = scratch / "outgoing", scratch / "received"
    folder.mkdir()
    received.mkdir()
    sent = {}
    for number in range(100, 104):
        sop_class, instance, data = small_instance(number, size=20_000_000 if number == 103 else 3000)
        (folder / f"{number}.dcm").write_bytes(meta(sop_class, instance, EXPLICIT, "1.2.3.4") + data)
        sent[instance] = (sop_class, instance, EXPLICIT, data)
    (folder / "notes.txt").write_text("no image")
    trust = ["--authorities", scratch / "tls.pem", "--certificate", scratch / "tls.pem", "--certificate-key",
             scratch / "tls.key"]

    def send(port, *more, check=0, host="127.0.0.1"):
        done = node.run("dicom", "send", f"{host}:{port}", folder, "--json", "--timeout", 20, *more, check=check)
        return sorted(row["outcome"] for row in json.loads(done.stdout))
    with node.serving() as port:
        node.run("dicom", "echo", f"127.0.0.1:{port}", "--called", "RADSEAL", check=0)
        assert "called AE title" in node.run("dicom", "echo", f"127.0.0.1:{port}", "--called", "X", check=3).stderr
        assert send(port, "--called", "RADSEAL") == ["sent"] * 4 + ["skipped"]
    node.run("dicom", "echo", f"127.0.0.1:{port}", "--retries", 0, check=4)
    if has_ipv6():
        with node.serving(listen=("--dicom", "[::1]:0")) as port:
            assert send(port, "--called", "RADSEAL", host="[::1]") == ["sent"] * 4 + ["skipped"]
            node.run("dicom", "echo", f"127.0.0.1:{port}", "--retries", 0, check=4)
    with node.serving(*trust, listen=("--dicom-tls", "localhost:0")) as port:
        assert send(port, "--called", "RADSEAL", "--tls", *trust, host="localhost") == ["sent"] * 4 + ["skipped"]
        node.run("dicom", "echo", f"127.0.0.1:{port}", "--called", "RADSEAL", "--tls", *trust, check=4)
    expect_sealed(node, scratch, sent.values())
    peers = node.home / "echo.conf"
    peers.write_text(f"* * echo,store {IMPLICIT}\n")
    with node.serving("--peers", peers) as port:
        assert send(port, "--called", "RADSEAL") == ["sent"] * 4 + ["skipped"], "as implicit copies"
    if not shutil.which("storescp"):
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    there = subprocess.Popen(["storescp", "+B", "-od", received, "+xa", str(port)])
    try:
        while node.run("dicom", "echo", f"127.0.0.1:{port}").returncode:
            time.sleep(0.1)
        assert send(port) == ["sent"] * 4 + ["skipped"]
    finally:
        there.terminate()
        there.wait()
    files = [read_part10(path.read_bytes()) for path in received.iterdir()]
    assert {parts[1]: parts for parts in files} == sent
    print("dicom echo and send: to ourselves, over TLS, to dcmtk")


def asking_an_archive(node, scratch):
    """`radseal dicom find` and `move` with dcmtk's archive, which sends what is moved to our own server."""
    if not shutil.which("dcmqrscp"):
        return
    folder, database = scratch / "archive", scratch / "database"
    folder.mkdir()
    database.mkdir()
    instances = [small_instance(130 + number, patient="P8" if number == 5 else "P7") for number in range(6)]
    for number, (sop_class, instance, data) in enumerate(instances):
        data = data.replace(explicit(0x20, 0xD, "UI", "2.25.1"), explicit(0x20, 0xD, "UI", f"2.25.{1 + number // 5}"))
        instances[number] = (sop_class, instance, data)
        (folder / str(number)).write_bytes(meta(sop_class, instance, EXPLICIT, "1.2.3.4") + data)
    with socket.create_server(("127.0.0.1", 0)) as free:
        there = free.getsockname()[1]
    with node.serving() as port:
        (scratch / "archive.cfg").write_text(
            f"NetworkTCPPort = {there}\nMaxPDUSize = 16384\nMaxAssociations = 16\nHostTable BEGIN\nrs = (RADSEAL, "
            f"127.0.0.1, {port})\nHostTable END\nVendorTable BEGIN\nVendorTable END\nAETable BEGIN\nARCHIVE {database} RW "
            f"(100, 1024mb) ANY\nAETable END\n")
        archive = subprocess.Popen(["dcmqrscp", "-c", scratch / "archive.cfg"], stderr=subprocess.DEVNULL)
        try:
            def ask(verb, *words, check=0):
                return node.run("dicom", verb, f"127.0.0.1:{there}", "--called", "ARCHIVE", *words, check=check).stdout
            while node.run("dicom", "echo", f"127.0.0.1:{there}", "--called", "ARCHIVE").returncode:
                time.sleep(0.1)
            ask("send", folder, "--quiet")
            rows = ask("find", "--level", "image", "StudyInstanceUID=2.25.1", "SeriesInstanceUID=2.25.2",
                       "SOPInstanceUID").splitlines()
            assert sorted(row.split("\t")[2] for row in rows[1:]) == [f"2.25.{1130 + n}" for n in range(5)], rows
            assert json.loads(ask("find", "PatientID=P7", "StudyInstanceUID", "--json")) == [
                {"PatientID": "P7", "StudyInstanceUID": "2.25.1"}]
            few = ask("find", "--level", "image", "StudyInstanceUID=2.25.1", "SeriesInstanceUID=2.25.2", "SOPInstanceUID",
                      "--limit", 2).splitlines()
            assert len(few) == 3, few
            moved = json.loads(ask("move", "StudyInstanceUID=2.25.1", "--to", "RADSEAL", "--json"))
            assert moved == {"completed": 5, "failed": 0, "warned": 0}, moved
            ask("move", "StudyInstanceUID=2.25.1", "--to", "NOBODY", check=3)
            ask("find", "PixelData", check=2)
        finally:
            archive.terminate()
            archive.wait()
    node.fsck(check=0)
    print("dicom find and move: with dcmtk's archive, into our own node")


def kills(node, scratch, rounds, clients=8):
    """kill -9 while clients store: what was answered with success is there."""
    generator, number, acknowledged = random.Random(5), 10000, []
    for round_ in range(rounds):
        if round_ % 20 == 19:  # checks of a node take longer the more it holds
            node = Server(node.program, scratch / f"node{round_}")
            node.init()

        def client(first):
            done = []
            with contextlib.suppress(OSError), Peer(port, timeout=10) as peer:
                peer.associate([(SECONDARY, [EXPLICIT])])
                for own in range(first, first + 200):
                    instance = small_instance(own, size=2000, patient=f"P{own % 7}")
                    if peer.store(1, *instance) == 0:
                        done.append((instance[0], instance[1], EXPLICIT, instance[2]))
            return done
        with concurrent.futures.ThreadPoolExecutor(clients) as pool, node.serving(end=signal.SIGKILL) as port:
            futures = [pool.submit(client, number + 1000 * index) for index in range(clients)]
            time.sleep(0.1 + generator.random() * 0.4)
            node.process.kill()
        done = [stored for future in futures for stored in future.result()]
        number += 1000 * clients
        with node.serving():
            pass  # the next start ends what was interrupted
        node.fsck(check=0)
        expect_sealed(node, scratch, done)
        acknowledged.append(len(done))
    print(f"kill -9 under {clients} clients: {rounds} rounds, {sum(acknowledged)} acknowledged, all there")


def every_file(node, scratch, data, step):
    """Files of the collection: the data set stored and kept bit for bit, or refused with a status."""
    stored, refused, passed_over = [], 0, 0
    with node.serving("--peers", private_peers(node)) as port:
        for path in sorted(path for path in pathlib.Path(data).rglob("*") if path.is_file())[::step]:
            parts = read_part10(path.read_bytes())
            try:
                with Peer(port) as peer:
                    if not parts or peer.associate([(parts[0], [parts[2]])]) != 2 or 1 not in peer.accepted:
                        passed_over += 1
                        continue
                    if peer.store(1, parts[0], parts[1], parts[3]) == 0:
                        stored.append(parts)
                    else:
                        refused += 1
            except (ConnectionError, UnicodeError, struct.error):
                refused += 1
        with Peer(port) as peer:
            assert peer.associate([(VERIFICATION, [IMPLICIT])]) == 2 and peer.echo() == 0
    expect_sealed(node, scratch, stored)
    node.fsck(check=0)
    assert len(stored) > 300 // step
    print(f"{data}: {len(stored)} stored bit for bit, {refused} refused, {passed_over} not DICOM or not storage")


def private_peers(node):
    path = node.home / "private.conf"
    path.write_text("* * all\n")
    return path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("radseal")
    parser.add_argument("data", nargs="?")
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--step", type=int, default=5, help="1 takes every file of DATA")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        node = Server(os.path.abspath(options.radseal), scratch / "node")
        node.init()
        echo_and_store(node, scratch)
        odd_messages(node)
        refused_associations(node)
        ends_of_connections(node, scratch)
        by_dcmtk(node, scratch)
        over_tls(node, scratch)
        commitments(node)
        as_a_client(node, scratch)
        asking_an_archive(node, scratch)
        kills(node, scratch, options.kills)
        if options.data:
            every_file(node, scratch, options.data, options.step)


if __name__ == "__main__":
    main()
