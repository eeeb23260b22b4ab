"""What a client of DICOMweb waits for: `web_bench.py RADSEAL [--runs N] [--orthanc PROGRAM] [--plugin LIBRARY] [--paired PROGRAM]`. 100 X-rays (210 MB)
made here go in by STOW-RS, one or ten a request; come out by WADO-RS, one study a request, over one connection; 25 studies are
listed by QIDO-RS. radseal, and Orthanc with its DICOMweb plugin where they are installed, in turn in the same run; medians in ms, and
the server's peak of memory. radseal answers when an instance is encrypted, stored and sealed, durably, and gives out what it
decrypted and compared with the ledger, after the request is on the ledger. "WADO again" are the same once more: from the system's
cache on both sides, and already on the ledger. With --paired (web_compare_bench) nothing else is measured than retrieval with and
without the comparison, in turn, on one node; over a network of 1 Gb/s when it runs in a network namespace of its own whose loopback is that slow:
`ip netns add slow; ip -n slow link set lo up; tc -n slow qdisc add dev lo root tbf rate 1gbit burst 256kb limit 4mb; ip netns exec slow
web_bench.py …`. With --find-bench (its path), nothing
but a list of 25 studies is measured, on nodes of up to --filled instances. BENCH_DIR names a folder on the disk to measure."""
import argparse
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from gateway_bench import free_port, make_sets

BOUNDARY = "a" * 32
PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"


class Client:
    def __init__(self, port, root, token=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120, blocksize=1 << 18)
        self.root, self.headers = root, {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, method, path, body=None, **headers):
        self.connection.request(method, self.root + path, body, self.headers | {k.replace("_", "-"): v for k, v in headers.items()})
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status in (200, 206), (path, answer.status, content[:300])
        return content

    def store(self, files):
        """All of them in one request, sent as they lie."""
        pieces = []
        for path in files:
            pieces += [f"\r\n--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode(), path.read_bytes()]
        pieces.append(f"\r\n--{BOUNDARY}--\r\n".encode())
        self.connection.putrequest("POST", self.root + "/studies")
        for name, value in (self.headers | {
                "Content-Type": f'multipart/related; type="application/dicom"; boundary={BOUNDARY}',
                "Accept": "application/dicom+json", "Content-Length": str(sum(map(len, pieces)))}).items():
            self.connection.putheader(name, value)
        self.connection.endheaders()
        for piece in pieces:
            self.connection.send(piece)
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status == 200, (answer.status, content[:500])
        assert len(json.loads(content)["00081199"]["Value"]) == len(files)


@contextlib.contextmanager
def serving(port, words):
    process = subprocess.Popen(list(map(str, words)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            assert process.poll() is None, words
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def radseal(options, scratch, filled=0):
    home, port, token = scratch / "node", free_port(), secrets.token_hex(32)
    subprocess.run([options.radseal, "init", home, "--quiet"], check=True)
    if filled:
        subprocess.run([options.find_bench, str(filled), "--node", home], check=True)
    for words in (["key", "new", "reader"], ["member", "grant", "reader", "--role", "radiologist"]):
        subprocess.run([options.radseal, *words, "--home", home, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    (scratch / "tokens").write_text(f"{hashlib.sha256(token.encode()).hexdigest()} reader all treatment\n")
    with serving(port, [options.radseal, "serve", "--home", home, "--http", f"127.0.0.1:{port}", "--http-tokens", scratch / "tokens",
                        "--quiet"]) as process:
        yield Client(port, "", token), process


@contextlib.contextmanager
def orthanc(options, scratch):
    port = free_port()
    (scratch / "orthanc.json").write_text(json.dumps({
        "StorageDirectory": str(scratch / "store"), "IndexDirectory": str(scratch / "store"), "DicomServerEnabled": False,
        "HttpPort": port, "KeepAlive": True, "TcpNoDelay": True, "AuthenticationEnabled": False, "Plugins": [options.plugin]}))
    with serving(port, [options.orthanc, scratch / "orthanc.json"]) as process:
        yield Client(port, "/dicom-web"), process


def timed(action):
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000


def peak_mib(process):
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def store(client, files, per_request):
    for at in range(0, len(files), per_request):
        client.store(files[at:at + per_request])


def retrieve(client, numbers):
    for number in numbers:
        content = client.ask("GET", f"/studies/2.25.{1000 + number}",
                             Accept='multipart/related; type="application/dicom"; transfer-syntax=*')
        assert len(content) > 2 * 1024 * 1024


def query(client, count):
    found = client.ask("GET", f"/studies?limit={count}&includefield=00081030", Accept="application/dicom+json")
    assert len(json.loads(found)) == count


def measure(server, options, files, steps):
    times = {}
    for per_request in (1, 10, 100):
        with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as scratch:
            with server(options, pathlib.Path(scratch)) as (client, process):
                times[f"STOW {per_request} a request"] = timed(lambda: store(client, files, per_request))
                if per_request == 10 and "WADO" in steps:
                    times["WADO"] = timed(lambda: retrieve(client, range(len(files))))
                    times["WADO again"] = timed(lambda: retrieve(client, range(len(files))))
                if per_request == 10 and "QIDO" in steps:
                    query(client, 25)
                    times["QIDO 25"] = statistics.median(timed(lambda: query(client, 25)) for _ in range(20))
                times[f"peak MiB, {per_request} a request"] = peak_mib(process)
    return times


def paired(options, files):
    """Wall time of retrieval, and the server's time of processors, with the comparison and without."""
    rows = {"on": [], "off": []}
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as scratch:
        scratch = pathlib.Path(scratch)
        with radseal(options, scratch) as (client, process):
            store(client, files, 10)
            token = client.headers["Authorization"].split()[1]
        for run in range(options.runs):
            for mode in ("on", "off") if run % 2 else ("off", "on"):
                port = free_port()
                with serving(port, [options.paired, scratch / "node", scratch / "tokens", port, mode]) as process:
                    client = Client(port, "", token)
                    retrieve(client, range(len(files)))
                    for _ in range(3):
                        before = pathlib.Path(f"/proc/{process.pid}/stat").read_text().split()[13:15]
                        wall = timed(lambda: retrieve(client, range(len(files))))
                        after = pathlib.Path(f"/proc/{process.pid}/stat").read_text().split()[13:15]
                        rows[mode].append((wall, 10 * sum(int(b) - int(a) for a, b in zip(before, after))))
    for mode, values in rows.items():
        print(f"comparison {mode:3}  wall {statistics.median(wall for wall, _ in values):7.1f} ms  processors "
              f"{statistics.median(used for _, used in values):7.1f} ms  (fastest {min(values)[0]:.1f})")
    pairs = [on[0] / off[0] - 1 for on, off in zip(rows["on"], rows["off"])]
    print(f"overhead of the comparison: {100 * statistics.median(pairs):.1f} % of wall time, median of {len(pairs)} pairs")


def at_size(options, files):
    """A list of 25 studies on a node whose index has so many instances besides."""
    for filled in (0, 10000, 100000, options.filled):
        with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as scratch:
            with radseal(options, pathlib.Path(scratch), filled) as (client, _):
                store(client, files[:30], 10)
                query(client, 25)
                times = sorted(timed(lambda: query(client, 25)) for _ in range(201))
                print(f"{filled:8} instances: 25 studies in {times[100]:.2f} ms  [{times[0]:.2f}–{times[180]:.2f}]", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("radseal")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--orthanc", default="/usr/sbin/Orthanc")
    parser.add_argument("--plugin", default=PLUGIN)
    parser.add_argument("--steps", default="WADO,QIDO")
    parser.add_argument("--paired")
    parser.add_argument("--find-bench")
    parser.add_argument("--filled", type=int, default=1000000)
    options = parser.parse_args()
    options.radseal = os.path.abspath(options.radseal)
    servers = {"radseal": radseal}
    if os.path.exists(options.orthanc) and os.path.exists(options.plugin):
        servers["Orthanc"] = orthanc
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        make_sets(pathlib.Path(folder))
        files = sorted((pathlib.Path(folder) / "xray100").iterdir())
        if options.find_bench:
            return at_size(options, files)
        if options.paired:
            return paired(options, files)
        rows = {name: [] for name in servers}
        for _ in range(options.runs):
            for name, server in servers.items():
                rows[name].append(measure(server, options, files, options.steps.split(",")))
    for what in rows["radseal"][0]:
        print(f"{what:24}", *(f"{name} {statistics.median(run[what] for run in runs):8.1f} "
                              f"[{min(run[what] for run in runs):.1f}–{max(run[what] for run in runs):.1f}]"
                              for name, runs in rows.items()), sep="  ")


if __name__ == "__main__":
    sys.exit(main())
