"""The agent as scanners meet it: `edge_dicom.py RADSEAL RADSEAL-EDGE`. C-STORE by a peer of our own and by dcmtk's storescu; what was
answered with success is sealed, as the device's, whatever happens in between."""
import contextlib
import json
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from devices import series
from dicom_network import Server, expect_sealed
from dicom_peer import DEFLATED, EXPLICIT, IMPLICIT, VERIFICATION, Peer, small_instance
from edge import Agent, dicom_file
from mqtt import wait_for
from mqtt_peer import free_port

SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
KILLS = 4


class Box(Agent):
    """An agent that watches nothing, and listens."""

    def __init__(self, program, node, scratch, name):
        super().__init__(program, node, scratch, name)
        self.port = free_port()

    @contextlib.contextmanager
    def listening(self, target, *arguments, end=signal.SIGTERM):
        command = self.command(target, "--listen-dicom", f"127.0.0.1:{self.port}", "--ae", "BOX", *arguments)
        command.remove(str(self.watched))
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            for _ in range(100):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                    break
                time.sleep(0.05)
            yield process
        finally:
            process.send_signal(end)
            self.said = process.communicate(timeout=60)[1]
        assert process.returncode in (0, -end), (process.returncode, self.said[-2000:])

    @contextlib.contextmanager
    def peer(self, contexts=((SECONDARY, [EXPLICIT]),)):
        with Peer(self.port) as peer:
            assert peer.associate(list(contexts), called="BOX") == 2
            yield peer

    def send(self, instances):
        with self.peer() as peer:
            for instance in instances:
                assert peer.store(1, *instance) == 0
            peer.release()

    def received(self):
        return [path for path in (self.state / "received").iterdir() if path.suffix == ".dcm" and path.name[0] != "."]


def answers(box):
    """Nobody is there to forward to: what is refused says why, nothing is half there."""
    good = small_instance(1)
    with box.listening("http://localhost:9", "--quota", "4"):
        with Peer(box.port) as peer:
            assert peer.associate([(SECONDARY, [EXPLICIT])], called="OTHER") == 3
        with box.peer([(VERIFICATION, [IMPLICIT]), (SECONDARY, [EXPLICIT]), ("1.2.3", [EXPLICIT]), (SECONDARY, [DEFLATED])]) as peer:
            assert peer.accepted == {1: IMPLICIT, 3: EXPLICIT, 7: DEFLATED}, peer.accepted
            assert peer.echo() == 0
            assert peer.store(3, *good) == 0 and peer.store(3, *good, maximum=20) == 0
            assert peer.store(3, good[0], "2.25.77", good[2]) == 0xA900, "another instance than was said"
            assert peer.store(3, good[0], good[1], good[2][:-7]) == 0xC000, "cut off"
            assert peer.store(7, *good) == 0xC000, "deflated"
            climbing = good[2].replace(b"2.25.1001\0", b"../../../x")
            assert len(climbing) == len(good[2]) and peer.store(3, good[0], good[1], climbing) != 0, "its own name climbs"
            assert peer.store(3, *small_instance(2)) == 0, "and goes on"
            peer.release()
        with contextlib.suppress(ConnectionError), box.peer() as peer:
            assert peer.store(1, good[0], "../../../x", climbing) != 0
        assert not [path for path in box.state.parent.rglob("x*") if path.is_file()], "nothing climbed"
        with contextlib.suppress(OSError, EOFError, AssertionError), Peer(box.port) as peer:
            peer.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
            peer.receive()
        with box.peer() as peer:
            large, status = [small_instance(number, size=900000) for number in range(10, 30)], 0
            for count, instance in enumerate(large):
                status = peer.store(1, *instance)
                if status:
                    break
                time.sleep(0.1)
            assert status == 0xA700 and count >= 2, (status, count)
        with box.peer() as peer:
            peer.begin_store(1, *large[0][:2])
        wait_for(lambda: not list((box.state / "received").glob(".*")), "what was begun is removed")
    assert "the queue is full" in box.said, box.said[-2000:]
    with box.listening("http://localhost:9"):
        wait_for(lambda: not box.received(), "the queue takes the rest when there is room")
    print(f"answers: echo, odd and cut data sets, another title, a full queue after {count} instances")
    return [good, small_instance(2), *large[:count]]


def forwards(box, node, scratch, port, before):
    """Through kills of the agent; storescu, too."""
    generator, sent, target = random.Random(9), list(before), f"http://localhost:{port}"
    number = 1000
    for _ in range(KILLS):
        with box.listening(target, end=signal.SIGKILL), contextlib.suppress(OSError, EOFError), box.peer() as peer:
            end = time.monotonic() + generator.uniform(0.1, 0.3)
            while time.monotonic() < end:
                instance = small_instance(number, size=generator.choice((500, 60000)))
                assert peer.store(1, *instance) == 0
                sent.append(instance)
                number += 1
    with box.listening(target):
        if shutil.which("storescu"):
            folder = scratch / "dicom"
            folder.mkdir()
            for one in range(5):
                (folder / f"{one}.dcm").write_bytes(dicom_file(5000 + one))
            subprocess.run(["storescu", "-aec", "BOX", "-xe", "+sd", "127.0.0.1", str(box.port), folder], check=True, timeout=60)
        box.send([small_instance(number)])
        sent.append(small_instance(number))
        end = time.monotonic() + 120  # on a disk that others use
        while box.received() or box.queue():
            assert time.monotonic() < end, "not all is forwarded"
            time.sleep(0.1)
    return sent


def main(program, edge):
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        node = Server(program, scratch / "node")
        node.run("init", node.home, "--mqtt", "--quiet", check=0)
        node.run("key", "new", "ct-1", "--home", node.home, check=0)
        node.run("device", "enrol", "ct-1", "--home", node.home, check=0)
        box = Box(edge, node, scratch, "ct-1")
        before = answers(box)
        with node.serving(listen=("--http", "127.0.0.1:0")) as port:
            sent = forwards(box, node, scratch, port, before)
        expect_sealed(node, scratch, [(sop_class, uid, EXPLICIT, data) for sop_class, uid, data in sent])
        done = json.loads(node.run("device", "series", "--home", node.home, "--json", check=0).stdout)
        assert done and all(row["complete"] for row in done), (done, series(node))
        node.fsck(check=0)
        print(f"forwards: {len(sent)} instances through {KILLS} kills of the agent, none lost")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
