"""What goes wrong around a running server, and that it goes on: `serve_faults.py RADSEAL [--idle N] [--slow N]`. A disk that is
full, a ledger that others keep, peers that drip or hang, thousands of idle associations, certificates that end."""
import argparse
import contextlib
import pathlib
import re
import resource
import socket
import sqlite3
import ssl
import subprocess
import tempfile
import time

from dicom_network import SECONDARY, expect_sealed
from dicom_peer import EXPLICIT, IMPLICIT, VERIFICATION, Peer, associate, small_instance
from web_server import Site, ask

OUT_OF_RESOURCES = 0xA700


def told(site, web):
    """{metric with its labels: value}"""
    status, _, content = ask(web, "/metrics", site.token["all"])
    assert status == 200, content
    return {line.rsplit(" ", 1)[0].removeprefix("radseal_"): float(line.rsplit(" ", 1)[1])
            for line in content.decode().splitlines() if not line.startswith("#")}


@contextlib.contextmanager
def serving(site, *arguments):
    """(port of DICOM, port of the web)"""
    tokens = site.tokens(site.home.parent, all="node all")
    with site.serving("--http-tokens", tokens, "--http", "127.0.0.1:0", *arguments) as port:
        yield port, int(site.process.stdout.readline().split()[1])


BROKEN = 'dicom_events_total{event="association_broken"}'


def stored(instance):
    return instance[0], instance[1], EXPLICIT, instance[2]


def storing(port):
    peer = Peer(port, timeout=60)
    assert peer.associate([(SECONDARY, [EXPLICIT]), (VERIFICATION, [IMPLICIT])]) == 2
    return peer


def full_disk(program, scratch):
    """A disk of 24 MB with a node on it: refused as long as it is full, taken when there is room again."""
    disk = scratch / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True).returncode:
        print("full disk: no disk can be mounted here; left out")
        return
    try:
        node = Site(program, disk / "node")
        node.init()
        with open(node.home / "radseal.yaml", "a") as config:
            config.write("vault:\n  reserve: 0\n")
        taken, refused = [], 0
        with serving(node) as (port, web), storing(port) as peer:
            assert ask(web, "/ready")[0] == 200
            for number in range(60):
                instance = small_instance(number, size=600 * 1000, patient=f"P{number % 5}")
                status = peer.store(1, *instance)
                assert status in (0, OUT_OF_RESOURCES, 0x0110), f"{status:04X}"
                taken += [stored(instance)] if status == 0 else []
                refused += status != 0
            assert taken and refused and peer.echo(3) == 0
            ballast = disk / "ballast"
            with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass  # not a page is left for the ledger
            assert peer.store(1, *small_instance(100, patient="P1")) != 0
            metrics = told(node, web)
            assert metrics["instances_refused_total"] == refused + 1 and metrics["room_bytes"] == 0, metrics
            assert metrics["instances_sealed_total"] == len(taken) and ask(web, "/ready")[0] == 503
            ballast.unlink()
            subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
            instance = small_instance(101, size=600 * 1000)
            assert peer.store(1, *instance) == 0, "there is room again"
            taken.append(stored(instance))
            assert told(node, web)["room_bytes"] > 1e6 and ask(web, "/ready")[0] == 200
        assert re.search("disk|space", node.said), node.said[-2000:]
        expect_sealed(node, scratch, taken)
        node.fsck(check=0)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
    print(f"full disk: {len(taken)} taken, {refused} refused, and on when there was room again")


def ledger_away(node, scratch):
    """Another program keeps the ledger's file: refused after SQLite's five seconds, taken afterwards."""
    with serving(node) as (port, web), storing(port) as peer, storing(port) as other:
        assert peer.store(1, *small_instance(200)) == 0
        with contextlib.closing(sqlite3.connect(node.home / "ledger.sqlite", isolation_level=None)) as ledger:
            ledger.execute("BEGIN IMMEDIATE")
            assert peer.store(1, *small_instance(201)) == OUT_OF_RESOURCES
            assert other.echo(3) == 0
            ledger.execute("ROLLBACK")
        metrics = told(node, web)
        assert metrics["instances_refused_total"] == 1 and metrics['dicom_events_total{event="instance_refused"}'] == 1, metrics
        again = small_instance(201)
        assert peer.store(1, *again) == 0
    assert "ledger.sqlite" in node.said and "locked" in node.said, node.said[-2000:]
    expect_sealed(node, scratch, [stored(again)])
    node.fsck(check=0)
    print("ledger away: refused with the reason, and on when it is back")


def slow(node, count):
    """Peers that drip a byte now and then, or say nothing: closed in time, and nobody waits for them."""
    with serving(node, "--associations", 2 * count + 10) as (port, web):
        assert told(node, web)[BROKEN] == 0
        late = [socket.create_connection(("127.0.0.1", web)) for _ in range(3)]  # who never asks, and who never ends to ask
        late[0].sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        drips = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        request, began, longest, open_ = associate([(VERIFICATION, [IMPLICIT])]), time.monotonic(), 0, set(drips + silent)
        for at in range(200):
            for peer in open_.intersection(drips):
                with contextlib.suppress(OSError):
                    peer.send(request[at % len(request):][:1])
            asked = time.monotonic()
            with Peer(port) as peer:
                assert peer.associate([(VERIFICATION, [IMPLICIT])]) == 2 and peer.echo() == 0
            longest = max(longest, time.monotonic() - asked)
            for peer in list(open_):
                peer.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    try:
                        gone = peer.recv(100) == b""
                    except ConnectionResetError:
                        gone = True
                    if gone:
                        open_.remove(peer)
                        peer.close()
            if not open_:
                break
            time.sleep(0.15)
        assert not open_, f"{len(open_)} are still there after {time.monotonic() - began:.0f} s"
        for one in late:
            one.settimeout(20)
            assert one.recv(100) == b"", "closed, too"
            one.close()
        metrics = told(node, web)
        assert metrics[BROKEN] >= 2 * count and metrics["http_connections_late_total"] == 3, metrics
    print(f"slow peers: {2 * count} closed within {time.monotonic() - began:.0f} s; others waited {1000 * longest:.0f} ms at most")


def rss_kib(process):
    return int(re.search(r"VmRSS:\s*(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text()).group(1))


def idle(node, scratch, count):
    """Associations that do nothing: what each takes, and that others are served."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2 * count + 500, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    with serving(node, "--associations", count + 1, "--quiet") as (port, web), contextlib.ExitStack() as stack:
        before = rss_kib(node.process)
        peers = [stack.enter_context(Peer(port)) for _ in range(count)]
        for peer in peers:
            assert peer.associate([(VERIFICATION, [IMPLICIT])]) == 2
        with storing(port) as peer:
            began = time.monotonic()
            assert peer.echo(3) == 0
            asked, instance = time.monotonic() - began, small_instance(300)
            assert told(node, web)["dicom_associations"] == count + 1
            assert peer.store(1, *instance) == 0
        taken = rss_kib(node.process) - before
        assert peers[0].echo() == 0 and peers[-1].echo() == 0
        assert taken < 64 * count + 8192, f"{taken} KiB for {count} associations"
    expect_sealed(node, scratch, [stored(instance)])
    print(f"{count} idle associations: {taken} KiB more, {1024 * taken // count} bytes each; an echo beside them takes "
          f"{1000 * asked:.1f} ms")


def certificates(program, scratch):
    """Ours is warned of before it ends, in log and metrics; an expired one of a peer is refused, and it is said why."""
    site = Site(program, scratch / "certified")
    site.init()

    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, cwd=scratch)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out",
            "ca.pem", "-days", 400, "-subj", "/CN=authority")
    for name, ends in (("server", ["-days", 9]), ("peer", ["-days", 90]), ("old", ["-days", -1])):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out",
                f"{name}.csr", "-subj", f"/CN={name}")
        (scratch / "names").write_text("subjectAltName=DNS:localhost")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
                f"{name}.pem", *ends, "-extfile", "names")
    tokens = site.tokens(scratch, all="node all")
    trust = ["--authorities", scratch / "ca.pem"]
    arguments = ["--certificate", scratch / "server.pem", "--certificate-key", scratch / "server.key", *trust, "--http-tokens",
                 tokens, "--http", "127.0.0.1:0"]

    def echo(port, name, check):
        return site.run("dicom", "echo", f"localhost:{port}", "--called", "RADSEAL", "--tls", *trust, "--certificate",
                        scratch / f"{name}.pem", "--certificate-key", scratch / f"{name}.key", "--retries", 0, check=check)
    with site.serving(*arguments, listen=("--dicom-tls", "localhost:0")) as port:
        web = int(site.process.stdout.readline().split()[1])
        days = float(re.search(rb"\nradseal_certificate_days_left (\S+)", ask(web, "/metrics", site.token["all"])[2]).group(1))
        assert 8 < days <= 9, days
        echo(port, "peer", 0)
        assert "certificate expired" in echo(port, "old", 4).stderr
        context = ssl.create_default_context(cafile=str(scratch / "ca.pem"))
        context.load_cert_chain(scratch / "old.pem", scratch / "old.key")
        try:
            with Peer(port, wrap=lambda plain: context.wrap_socket(plain, server_hostname="localhost")) as peer:
                peer.associate([(VERIFICATION, [IMPLICIT])])
            raise AssertionError("a peer with an expired certificate was served")
        except OSError:
            pass
        echo(port, "peer", 0)
    assert "event=certificate_ends" in site.said and "days_left=" in site.said, site.said
    assert "event=tls_refused" in site.said and "certificate has expired" in site.said, site.said
    print("certificates: ours is warned of by log and metrics, expired ones of peers are refused by name")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("radseal")
    parser.add_argument("--idle", type=int, default=2000)
    parser.add_argument("--slow", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        node = Site(options.radseal, scratch / "node")
        node.init()
        full_disk(options.radseal, scratch)
        ledger_away(node, scratch)
        slow(node, options.slow)
        idle(node, scratch, options.idle)
        certificates(options.radseal, scratch)


if __name__ == "__main__":
    main()
