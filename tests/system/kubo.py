"""The vault and its copies in an IPFS node: `kubo.py RADSEAL BLOBS_TEST`. Against a server that plays a Kubo node always, bad
ones included; and, when RADSEAL_KUBO names the program, against a real one in a private network of its own, set up as
SECURITY.md says. It was run with Kubo 0.42.0, built by Go in a module of its own, as Kubo's go.mod has `exclude` lines that
`go install` refuses:

    module kubo
    go 1.26.4
    exclude github.com/ipfs/go-ipfs-cmds v2.0.1+incompatible
    exclude github.com/libp2p/go-libp2p v6.0.23+incompatible
    require github.com/ipfs/kubo v0.42.0
    tool github.com/ipfs/kubo/cmd/ipfs

and `GOFLAGS=-mod=mod go mod tidy && go build -o ipfs github.com/ipfs/kubo/cmd/ipfs`."""
import json
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import kubo_fake
from node_tools import Radseal, files_below, write_nifti


class Vault(Radseal):
    def vault(self, *arguments, check=0):
        return self.run("vault", *arguments, "--home", self.home, check=check)

    def configure(self, **settings):
        path = self.home / "radseal.yaml"
        kept = path.read_text().split("\nvault:")[0]
        path.write_text(kept + "\nvault:\n" + "".join(f"  {key}: {value}\n" for key, value in settings.items()))

    def objects(self):
        return [path for path in files_below(self.home / "vault/objects")]


def make_node(program, scratch, url, count=4):
    node = Vault(program, scratch / "node")
    node.init()
    for number in range(count):
        write_nifti(scratch / f"{number}.nii", number, side=90 if number == 0 else 12)  # the first one is larger than a block
    node.seal(*sorted(scratch.glob("*.nii")))
    node.configure(store="ipfs", url=url)
    return node


def copies_are_made_checked_and_brought_back(node, pins):
    names = {path.name for path in node.objects()}
    assert json.loads(node.vault("replicate", "--json").stdout)["done"] == len(names)
    assert pins() == names
    again = json.loads(node.vault("replicate", "--verify", "--json").stdout)
    assert again["done"] == 0 and again["looked"] == len(names) and again["faults"] == 0
    status = json.loads(node.vault("status", "--json").stdout)
    assert status["copied"] == len(names) and status["ipfs_version"].startswith("0."), status
    # Rot in one object, another one gone: scrub names both, fetch brings them back.
    largest = max(node.objects(), key=lambda path: path.stat().st_size)
    other = next(path for path in node.objects() if path != largest)
    content = bytearray(largest.read_bytes())
    content[-5] ^= 4
    largest.write_bytes(content)
    other.unlink()
    found = json.loads(node.vault("scrub", "--max-age", 0, "--json", check=1).stdout)
    assert {(event["what"], event["name"]) for event in found["events"]} == {("rot", largest.name), ("missing", other.name)}
    assert all("radseal vault fetch" in event["sentence"] for event in found["events"])
    node.vault("fetch", largest.name, other.name)
    node.vault("scrub", "--max-age", 0)
    node.fsck(check=0)
    unknown = kubo_fake.cid_of(0x55, b"nobody's")
    assert "no record" in node.vault("fetch", unknown, check=4).stderr


def what_nobody_needs_goes(node, pins):
    """An object whose record was taken from the index, as erasure does: it, its receipt and its copy go, others stay."""
    import sqlite3
    victim = node.objects()[0]
    with sqlite3.connect(node.home / "index.sqlite") as index:
        index.execute("DELETE FROM record WHERE lower(hex(cid)) = ?", (bytes_of(victim.name).hex(),))
        assert index.total_changes == 1
    index.close()
    before = {path for path in files_below(node.home) if victim.name in path.name}
    assert len(before) == 2
    told = json.loads(node.vault("gc", "--dry-run", "--json").stdout)
    assert sorted(event["what"] for event in told["events"]) == ["unreferenced copy", "unreferenced object",
                                                                  "unreferenced receipt"]
    assert all(path.exists() for path in before) and victim.name in pins()
    assert json.loads(node.vault("gc", "--json").stdout)["done"] == 3
    assert not any(path.exists() for path in before) and pins() == {path.name for path in node.objects()}
    assert json.loads(node.vault("gc", "--json").stdout)["done"] == 0


def erasing_reaches_the_copies(node, pins, scratch):
    """The erasure takes object, records and receipt here; the copy, noise by then, goes with the next collection."""
    path = scratch / "erased.nii"
    write_nifti(path, 815, side=12)
    before = {path.name for path in node.objects()}
    node.run("seal", "--home", node.home, "--subject", "P17", "--quiet", path, check=0)
    (copy,) = {path.name for path in node.objects()} - before
    node.vault("replicate")
    assert copy in pins()
    node.run("erase", "--subject", "P17", "--home", node.home, check=0)
    assert {path.name for path in node.objects()} == before and copy in pins()
    events = json.loads(node.vault("gc", "--json").stdout)["events"]
    assert [(event["what"], event["name"]) for event in events] == [("removed copy", copy)], events
    assert pins() == before
    node.fsck(check=0)


def bytes_of(cid):
    import base64
    text = cid[1:].upper()
    return base64.b32decode(text + "=" * (-len(text) % 8))


def bad_nodes_are_named(node, server, url):
    cases = [("wrong key", "names a block"), ("endless", "more than the"), ("no JSON", "Version"), ("no HTTP", "HTTP"),
             ("token", "keys/ipfs.token")]
    for fault, words in cases:
        server.pins.clear()
        server.fault, server.token = fault, "s3cret" if fault == "token" else None
        done = node.run("vault", "replicate", "--home", node.home)
        said = done.stdout + done.stderr
        assert done.returncode in (1, 4) and words in said, (fault, done.returncode, said)
        assert not server.pins
    (node.home / "keys/ipfs.token").write_text("s3cret\n")
    server.fault = None
    node.vault("replicate")
    (node.home / "keys/ipfs.token").unlink()
    server.token = None
    for fault in ("altered", "cut"):
        server.fault = fault
        done = node.vault("replicate", "--verify", "--json", check=1)
        assert json.loads(done.stdout)["faults"] == len(node.objects()), fault
        victim = node.objects()[0]
        kept = victim.read_bytes()
        node.vault("fetch", victim.name, check=1)
        assert victim.read_bytes() == kept, "a bad copy took the place of a good object"
    assert not list((node.home / "vault/tmp").iterdir())
    server.fault = None
    node.configure(store="ipfs", url="http://127.0.0.1:1")
    assert "127.0.0.1:1" in node.vault("replicate", check=4).stderr
    assert "does not answer" in node.vault("status").stdout
    node.configure(store="ipfs", url=url)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RealNode:
    """A Kubo node that knows nobody: as README says a private one is set up."""

    def __init__(self, program, folder):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {**os.environ, "IPFS_PATH": str(folder), "LIBP2P_FORCE_PNET": "1", "IPFS_TELEMETRY": "off"}
        self.program = program
        self.ipfs("init", "--profile=unixfs-v1-2025,server", "--empty-repo")
        (folder / "swarm.key").write_text(f"/key/swarm/psk/1.0.0/\n/base16/\n{secrets.token_hex(32)}\n")
        for key, value in (("Bootstrap", "[]"), ("Routing.Type", '"none"'), ("Provide.Enabled", "false"),
                           ("AutoConf.Enabled", "false"), ("Swarm.Transports.Network.QUIC", "false"),
                           ("Addresses.API", f'"/ip4/127.0.0.1/tcp/{self.port}"'), ("Addresses.Gateway", '""'),
                           ("Addresses.Swarm", "[]")):
            self.ipfs("config", "--json", key, value)
        self.daemon = subprocess.Popen([program, "daemon"], env=self.environment, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        for _ in range(120):
            time.sleep(0.5)
            try:
                return self.ask("version") and None
            except OSError:
                pass
        raise AssertionError("the Kubo node does not start")

    def ipfs(self, *arguments):
        return subprocess.run([self.program, *arguments], env=self.environment, check=True, capture_output=True,
                              timeout=120).stdout.decode()

    def ask(self, command):
        request = urllib.request.Request(f"{self.url}/api/v0/{command}", method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"{}")

    def pins(self):
        pinned = self.ask("pin/ls?type=recursive&names=true").get("Keys") or {}
        return {cid for cid, pin in pinned.items() if pin["Name"] == "radseal"}  # a new node has a pin of its own

    def close(self):
        self.daemon.terminate()
        self.daemon.wait(60)


def conformance(test, url):
    done = subprocess.run([test], env={**os.environ, "RADSEAL_KUBO_URL": url}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def against_a_real_one(program, test, kubo):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        real = RealNode(kubo, scratch / "ipfs")
        try:
            conformance(test, real.url)
            node = make_node(program, scratch, real.url)
            copies_are_made_checked_and_brought_back(node, real.pins)
            for path in node.objects():  # the name that the node itself gives the same file
                assert real.ipfs("add", "--only-hash", "--quieter", str(path)).strip() == path.name
                assert real.ipfs("files", "stat", "--format=<size>", f"/ipfs/{path.name}").strip() == str(path.stat().st_size)
            erasing_reaches_the_copies(node, real.pins, scratch)
            what_nobody_needs_goes(node, real.pins)
        finally:
            real.close()


def main():
    program, test = sys.argv[1:3]
    server, url = kubo_fake.serve()
    with tempfile.TemporaryDirectory() as scratch:
        node = make_node(program, pathlib.Path(scratch), url)
        copies_are_made_checked_and_brought_back(node, lambda: server.pins)
        erasing_reaches_the_copies(node, lambda: server.pins, pathlib.Path(scratch))
        what_nobody_needs_goes(node, lambda: server.pins)
        bad_nodes_are_named(node, server, url)
    conformance(test, url)
    kubo = os.environ.get("RADSEAL_KUBO") or shutil.which("ipfs")
    if kubo:
        against_a_real_one(program, test, kubo)
    print(f"{len(server.calls)} calls answered by the server that plays a node" + (f"; {kubo} passed, too" if kubo else
          "; RADSEAL_KUBO names no real one"))


if __name__ == "__main__":
    main()
