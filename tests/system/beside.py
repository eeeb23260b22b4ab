"""Commands that write beside a running server: `beside.py RADSEAL [--count N] [--kills N]`. Clients store all the while, another
process grants, revokes, seals, gives out, erases, verifies and audits: everything that was acknowledged is there, whoever was
revoked is refused at once, and nobody waits for long. Either side may be killed at any moment."""
import argparse
import concurrent.futures
import contextlib
import fcntl
import json
import pathlib
import random
import signal
import statistics
import subprocess
import tempfile
import threading
import time

from dicom_network import SECONDARY, Server, expect_sealed
from dicom_peer import EXPLICIT, Peer, small_instance
from node_tools import write_nifti

CLIENTS = 8
OUT_OF_RESOURCES, NOT_AUTHORIZED = 0xA700, 0x0124


class Clients:
    """Store one small instance after the other until told to stop; what was acknowledged, by patient."""

    def __init__(self, port, first, patients, clients=CLIENTS):
        self.port, self.patients, self.ends, self.odd = port, patients, threading.Event(), []
        self.stored, self.waits = [], []
        self.pool = concurrent.futures.ThreadPoolExecutor(clients)
        self.futures = [self.pool.submit(self.client, first + 100000 * number) for number in range(clients)]

    def client(self, number):
        with contextlib.suppress(OSError), Peer(self.port, timeout=60) as peer:
            peer.associate([(SECONDARY, [EXPLICIT])])
            while not self.ends.is_set():
                patient = random.Random(number).choice(self.patients)
                instance = small_instance(number, patient=patient)
                began = time.monotonic()
                status = peer.store(1, *instance)
                self.waits.append(time.monotonic() - began)
                if status == 0:
                    self.stored.append((patient, (instance[0], instance[1], EXPLICIT, instance[2])))
                else:
                    self.odd.append((patient, status))
                number += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ends.set()
        for future in self.futures:
            future.result()
        self.pool.shutdown()


class Operator:
    """What a hospital does meanwhile, with the time that each command took."""

    def __init__(self, node, scratch):
        self.node, self.scratch, self.took, self.sealed, self.erased = node, scratch, {}, [], 0

    def do(self, *arguments, check=0):
        began = time.monotonic()
        done = self.node.run(*arguments, "--home", self.node.home, check=check)
        self.took.setdefault(arguments[0], []).append(time.monotonic() - began)
        return done

    def seal(self, number):
        path = self.scratch / f"beside{number}.nii"
        write_nifti(path, number, side=8)
        self.do("seal", "--quiet", "--subject", f"S{number}", path)
        self.do("retrieve", "--subject", f"S{number}", "--purpose", "operations", "--output", self.scratch / f"out{number}",
                "--quiet")
        self.sealed.append(path)

    def erase(self, number):
        self.do("erase", "--subject", f"E{number % 4}", "--quiet", check=None)

    def people(self, number):
        self.node.run("key", "new", f"m{number}", "--home", self.node.home, check=0)
        self.do("member", "grant", f"m{number}", "--role", "radiologist")
        self.do("member", "revoke", f"m{number}")

    def consent(self, number):
        self.do("consent", "grant", "--subject", "P1", "--organisation", "Radiology", "--roles", "researcher",
                "--purposes", "research", "--operations", "read")

    def read(self, number):
        self.do("log", "--quiet")
        self.do("audit", "subject", "--subject", "P1")
        self.do("verify", self.sealed[-1])
        if number % 4 == 0:
            self.do("fsck")
            self.do("backup", self.scratch / "backup", "--quiet")


def work(node, scratch, count):
    operator = Operator(node, scratch)
    patients = [f"P{number}" for number in range(7)] + [f"E{number}" for number in range(4)]
    with node.serving() as port:
        with Clients(port, 200000, patients) as clients:
            time.sleep(0.5)
            for number in range(count):
                for act in (operator.people, operator.seal, operator.consent, operator.erase, operator.read):
                    act(number)
            before = len(clients.stored)
            time.sleep(0.5)
            assert len(clients.stored) > before, "the server serves on"
        for number in range(4):  # what comes after an erasure is of a new subject
            with Peer(port) as peer:
                peer.associate([(SECONDARY, [EXPLICIT])])
                instance = small_instance(900000 + number, patient=f"E{number}")
                assert peer.store(1, *instance) == 0
                clients.stored.append(("new", (instance[0], instance[1], EXPLICIT, instance[2])))
    assert all(patient[0] == "E" and status == OUT_OF_RESOURCES for patient, status in clients.odd), clients.odd[:5]
    expect_sealed(node, scratch, [stored for patient, stored in clients.stored if patient[0] != "E"])
    assert set(node.verdicts(*operator.sealed).values()) == {"genuine"}
    node.fsck(check=0)
    for name, took in sorted(operator.took.items()):
        print(f"  {name:9} {len(took):4} times, median {1000 * statistics.median(took):.0f} ms, "
              f"longest {1000 * max(took):.0f} ms")
    print(f"beside {CLIENTS} clients: {len(clients.stored)} stored, {len(clients.odd)} of erased subjects sent back, longest "
          f"answer {1000 * max(clients.waits):.0f} ms; all of it is there")


def idle(node, scratch):
    """Beside a server that has nothing to do."""
    took = []
    with node.serving() as port:
        with Peer(port) as peer:
            peer.associate([(SECONDARY, [EXPLICIT])])
            instance = small_instance(299, patient="P1")
            assert peer.store(1, *instance) == 0
            expect_sealed(node, scratch, [(instance[0], instance[1], EXPLICIT, instance[2])])  # at once
        time.sleep(0.5)
        for number in range(5):
            began = time.monotonic()
            node.run("consent", "grant", "--subject", "P1", "--organisation", "Radiology", "--roles", "researcher",
                     "--purposes", "research", "--operations", "read", "--home", node.home, check=0)
            took.append(time.monotonic() - began)
    print(f"beside an idle server: a consent in {1000 * statistics.median(took):.0f} ms")


def revoked_at_once(node):
    """Who signs for the server is revoked: the next instance is refused."""
    node.run("key", "new", "gateway", "--home", node.home, check=0)
    node.run("device", "enrol", "gateway", "--home", node.home, check=0)
    with node.serving("--as", "gateway") as port, Peer(port) as peer:
        peer.associate([(SECONDARY, [EXPLICIT])])
        assert peer.store(1, *small_instance(300, patient="P1")) == 0
        node.run("device", "revoke", "gateway", "--home", node.home, check=0)
        assert peer.store(1, *small_instance(301, patient="P1")) == NOT_AUTHORIZED
        assert peer.store(1, *small_instance(302, patient="P9")) == NOT_AUTHORIZED
    node.fsck(check=0)
    print("a revoked device is refused by the server at once")


def bounded(node):
    """Somebody does not let go of the node: commands and peers are told so, and the server goes on afterwards."""
    with node.serving("--wait", 1) as port, Peer(port) as peer:
        peer.associate([(SECONDARY, [EXPLICIT])])
        assert peer.store(1, *small_instance(310)) == 0
        time.sleep(0.5)
        with open(node.home / "lock", "rb+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = node.run("member", "revoke", "m0", "--home", node.home, "--wait", 1, check=4)
            assert "did not let go within 1 seconds" in done.stderr, done.stderr
            assert peer.store(1, *small_instance(311)) == OUT_OF_RESOURCES
            assert peer.store(1, *small_instance(312, patient="P8")) == OUT_OF_RESOURCES
            assert "did not let go" in node.run("fsck", "--home", node.home, "--wait", 1, check=4).stderr
        assert peer.store(1, *small_instance(311)) == 0
    node.fsck(check=0)
    print("a node that is not let go of: told within the second, and served afterwards")


def kills(node, scratch, rounds):
    """kill -9 of the server, or of the command beside it."""
    generator, number, acknowledged = random.Random(9), 3000000, 0
    for round_ in range(rounds):
        folder = scratch / f"killed{round_}"
        folder.mkdir()
        for name in range(40):
            write_nifti(folder / f"{name}.nii", 1000 * round_ + name, side=8)
        server_dies = round_ % 2 == 0
        with node.serving(end=signal.SIGKILL if server_dies else signal.SIGTERM) as port:
            with Clients(port, number, ["P1", "P2", f"N{round_}"], clients=4) as clients:
                command = subprocess.Popen([node.program, "seal", "--home", node.home, "--quiet", folder],
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                time.sleep(generator.random() * 0.3)
                (node.process if server_dies else command).kill()
                told = command.communicate(timeout=60)
                time.sleep(0.2)
                clients.ends.set()
        number += 1000000
        assert command.returncode == 0 or not server_dies, told
        node.run("consent", "grant", "--subject", "P1", "--organisation", "Radiology", "--roles", "researcher", "--purposes",
                 "research", "--operations", "read", "--home", node.home, check=0)  # whoever writes next ends what was begun
        expect_sealed(node, scratch, [stored for _, stored in clients.stored])
        if command.returncode == 0:
            assert set(node.verdicts(*folder.iterdir()).values()) == {"genuine"}
        node.run("member", "list", "--home", node.home, check=0)
        node.fsck(check=0)
        acknowledged += len(clients.stored)
    print(f"kill -9 of the server or of a command beside it: {rounds} rounds, {acknowledged} acknowledged, all there")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("radseal")
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--kills", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        node = Server(options.radseal, scratch / "node")
        node.init()
        work(node, scratch, options.count)
        idle(node, scratch)
        revoked_at_once(node)
        bounded(node)
        kills(node, scratch, options.kills)


if __name__ == "__main__":
    main()
