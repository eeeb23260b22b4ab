"""The agent beside a scanner: `edge.py RADSEAL RADSEAL-EDGE`. Files in a directory, a real mosquitto, a node; the agent is killed at
random. What lay in the directory is sealed once and for all, or still there."""
import json
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

from devices import series
from dicom_network import Server
from dicom_peer import EXPLICIT, meta, read_part10, small_instance
from mqtt import quarantined, serving, wait_for
from mqtt_peer import Broker, is_installed
from node_tools import write_nifti

KILLS = 12


class Agent:
    def __init__(self, program, node, scratch, name="mr-1"):
        self.program, self.node, self.name = program, node, name
        self.watched, self.state = scratch / f"{name}-watched", scratch / f"{name}-state"
        self.watched.mkdir()

    def command(self, target, *arguments):
        mqtt, keys = self.node.home / "mqtt", self.node.home / "keys"
        certificate = mqtt / "devices" / self.name
        return list(map(str, (
            self.program, self.watched, "--state", self.state, "--device", self.name, "--key", keys / f"{self.name}.key", "--to",
            target, "--node-key", keys / "log.vkey", "--certificate", f"{certificate}.pem", "--certificate-key",
            f"{certificate}.key", "--authorities", mqtt / "ca.pem", "--settle", "0", "--series-idle", "0", *arguments)))

    def once(self, target, *arguments):
        done = subprocess.run(self.command(target, "--once", "--json", "--quiet", *arguments), capture_output=True, text=True,
                              timeout=240)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def start(self, target, *arguments):
        return subprocess.Popen(self.command(target, "--quiet", *arguments), stdout=subprocess.DEVNULL)

    def waiting(self):
        return [path for path in self.watched.rglob("*") if path.is_file() and
                not any(part.startswith(".") for part in path.relative_to(self.watched).parts)]

    def queue(self):
        return sorted((self.state / "queue").glob("*.dcm"))

    def fill(self, *arguments):
        """Takes what is there while nobody listens; copies of what will be sent."""
        process = self.start("mqtt://localhost:9", *arguments)
        wait_for(lambda: not self.waiting(), "the queue takes all")
        wait_for(lambda: not list((self.state / "series").iterdir()), "series are announced")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        return [path.read_bytes() for path in self.queue() if path.stat().st_size]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, seed):
    rows = random.Random(seed).randbytes(width * height)
    lines = b"".join(b"\0" + rows[at:at + width] for at in range(0, len(rows), width))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")), rows


# The smallest baseline JPEG that decoders take: 1 × 1, grey.
JPEG = bytes.fromhex(
    "ffd8ffdb004300" + "01" * 64 + "ffc0000b08000100010101110 0".replace(" ", "") + "ffc4001400010000000000000000000000000000000a"
    "ffc40014100100000000000000000000000000000000" + "ffda0008010100003f00" + "37ffd9")


def dicom_file(number, size=30000):
    sop_class, uid, data = small_instance(number, size=size)
    return meta(sop_class, uid, EXPLICIT, "1.2.3.4") + data


def sealed(node, scratch, contents):
    paths = []
    for number, content in enumerate(contents):
        paths.append(scratch / f"sealed{number}.dcm")
        paths[-1].write_bytes(content)
    rows = json.loads(node.verify(*paths).stdout)
    for path in paths:
        path.unlink()
    return rows


def as_sealed(content):
    sop_class, uid, transfer, data = read_part10(content)
    return meta(sop_class, uid, transfer) + data


def takes_all_kinds(agent, node, broker, scratch):
    picture, values = png(40, 30, 1)
    originals = {"a.png": picture, "b.pgm": b"P5 3 2 255\n" + bytes(range(6)), "c.jpg": JPEG}
    for name, content in originals.items():
        (agent.watched / name).write_bytes(content)
    write_nifti(agent.watched / "d.nii", 7, side=12)
    volume = (agent.watched / "d.nii").read_bytes()
    (agent.watched / "e.txt").write_text("nothing to see")
    (agent.watched / ".hidden").write_text("not mine")
    (agent.watched / "stat").mkdir()
    (agent.watched / "stat" / "f.dcm").write_bytes(dicom_file(1))
    (agent.watched / "g.dcm").write_bytes(dicom_file(2))
    copies = agent.fill("--patient", "P7")
    assert (agent.watched / ".refused" / "e.txt").exists() and (agent.watched / ".hidden").exists()
    assert len(copies) == 6, len(copies)
    assert read_part10(copies[0])[3] == read_part10(dicom_file(1))[3], "what is urgent comes first, and as it was"
    for original in (*originals.values(), volume):
        assert sum(original in copy for copy in copies) == 1, "the original lies in what is sent"
    shown = next(copy for copy in copies if picture in copy)
    assert shown.endswith(struct.pack(f"<{len(values)}H", *(value * 257 for value in values))), "and its pixels"
    with serving(node, broker):
        said = agent.once(f"mqtts://localhost:{broker.port}")
        assert said["acknowledged"] == 6 + 2 and said["quarantined"] == 0, said  # two series
    for row in sealed(node, scratch, copies):
        assert row["verdict"] == "genuine" and row["device"] == agent.name and row["source"] == f"mqtt {agent.name}", row
    assert not agent.queue() and (agent.state / "receipts").stat().st_size > 8 * 100
    assert all(complete for *_, complete in series(node)), series(node)
    print(f"takes all kinds: {len(copies)} files signed, wrapped and sealed, {len(series(node))} series complete")


def processes(agent, scratch):
    """Less noise, and the values spread: the original stays as it is."""
    picture, _ = png(32, 32, 5)
    seen = {}
    for how in ([], ["--denoise", "median"], ["--denoise", "nlm"], ["--denoise", "median", "--normalise"]):
        (agent.watched / "x.png").write_bytes(picture)
        copy, = agent.fill(*how)
        assert picture in copy
        values = struct.unpack("<1024H", copy[-2048:])
        seen[tuple(how)] = sum(abs(a - b) for a, b in zip(values, values[1:]))
        shutil.rmtree(agent.state)
    noise = list(seen.values())
    assert len(set(noise)) == 4 and noise[1] < noise[0] / 2 and noise[2] < noise[0], noise
    print("processes: median and non-local means take noise away, the original is sent along")


def over_dicom(agent, node, scratch):
    for number in range(100, 110):
        (agent.watched / f"{number}.dcm").write_bytes(dicom_file(number))
    with node.serving() as port:
        said = agent.once(f"dicom://RADSEAL@127.0.0.1:{port}")
        assert said["acknowledged"] == 11, said
    rows = sealed(node, scratch, [as_sealed(dicom_file(number)) for number in range(100, 110)])
    assert all(row["device"] == agent.name and row["source"] == f"dicom {agent.name}" for row in rows), rows
    assert series(node)[-1] == (agent.name, 10, 10, True), series(node)
    print("over DICOM: announced, sent, signed")


def stays_within_quota(agent, node, broker):
    for number in range(200, 206):
        (agent.watched / f"{number}.dcm").write_bytes(dicom_file(number, size=400000))
    process = agent.start("mqtt://localhost:9", "--quota", "2")
    wait_for(lambda: len(agent.waiting()) <= 5, "one is taken, as four times its size fits")
    time.sleep(1)
    assert sum(path.stat().st_size for path in agent.queue()) <= 2 << 20 and len(agent.waiting()) >= 4
    process.kill()
    process.wait()
    with serving(node, broker):
        said = agent.once(f"mqtts://localhost:{broker.port}", "--quota", "2", "--rate", "2000")
    assert not agent.waiting() and said["acknowledged"] >= 6, said
    print("stays within its quota; what does not fit waits in the directory")


def survives_kills(agent, node, broker, scratch):
    generator, target, number = random.Random(3), f"mqtts://localhost:{broker.port}", 300
    with serving(node, broker):
        for turn in range(KILLS):
            process = agent.start(target)
            for _ in range(3):
                partial = agent.watched / f".{number}"
                partial.write_bytes(dicom_file(number, size=200000))
                partial.rename(agent.watched / f"{number}.dcm")
                number += 1
                time.sleep(generator.uniform(0, 0.1))
            if turn == KILLS // 2:
                broker.stop(signal.SIGKILL)
                broker.start()
            time.sleep(generator.uniform(0, 0.25))
            process.kill()
            process.wait()
        said = agent.once(target)
    rows = sealed(node, scratch, [as_sealed(dicom_file(one, size=200000)) for one in range(300, number)])
    assert all(row["verdict"] == "genuine" and row["device"] == agent.name for row in rows), rows
    assert not agent.waiting() and not agent.queue(), "nothing is left"
    assert series(node)[-1][3], series(node)[-1]
    node.fsck(check=0)
    print(f"survives {KILLS} kills and a broker's: {len(rows)} files, none lost; the last run settled {said['acknowledged']}")


def is_told_of_quarantine(agent, node, broker):
    node.run("device", "revoke", agent.name, "--home", node.home, check=0)
    (agent.watched / "late.dcm").write_bytes(dicom_file(400))
    with serving(node, broker):
        said = agent.once(f"mqtts://localhost:{broker.port}")
    assert said["quarantined"] == 2, said
    assert [row["why"] for row in quarantined(node)] == ["revoked"] * 2
    print("a revoked key: what it sends is in quarantine, and the agent is told")


def main(program, edge):
    if not is_installed():
        print("1..0 # SKIP mosquitto is not installed (tools/setup.sh checks)")
        return
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        node = Server(program, scratch / "node")
        node.run("init", node.home, "--mqtt", "--quiet", check=0)
        agents = []
        for name in ("mr-1", "us-2"):
            node.run("key", "new", name, "--home", node.home, check=0)
            node.run("device", "enrol", name, "--home", node.home, check=0)
            node.run("device", "certificate", name, "--home", node.home, check=0)
            agents.append(Agent(edge, node, scratch, name))
        with Broker(node.home) as broker:
            takes_all_kinds(agents[0], node, broker, scratch)
            processes(agents[1], scratch)
            over_dicom(agents[0], node, scratch)
            stays_within_quota(agents[1], node, broker)
            survives_kills(agents[1], node, broker, scratch)
            is_told_of_quarantine(agents[0], node, broker)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
