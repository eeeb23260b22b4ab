"""Devices over HTTP: `edge_http.py RADSEAL RADSEAL-EDGE`. Requests are signed (RFC 9421), and answers read, by code that shares nothing
with radseal; then the agent sends over TLS 1.3 with certificates, while the node is killed."""
import base64
import contextlib
import hashlib
import http.client
import json
import pathlib
import random
import signal
import ssl
import sys
import tempfile
import time

from device_peer import Device, cbor, open_sign1
from devices import series, verified
from dicom_network import Server
from dicom_peer import small_instance
from edge import Agent, as_sealed, dicom_file, sealed
from mqtt import quarantined, wait_for

SEALED, KNOWN, QUARANTINED, LISTED = 1, 2, 3, 4
PATH = "/api/v1/envelopes"
COVERED = ("@method", "@authority", "@path", "@query", "content-type", "content-digest")
KILLS = 4


class Link:
    """A device's connection; the certificate of another one where it shows that, or none."""

    def __init__(self, port, device, node, certificate="", tls=True, version=ssl.TLSVersion.TLSv1_3):
        self.device, self.node_key = device, base64.b64decode((node.home / "keys" / "log.vkey").read_text().strip().split("+", 2)[2])[1:]
        self.host = f"localhost:{port}"
        if tls:
            context = ssl.create_default_context(cafile=node.home / "mqtt" / "ca.pem")
            context.maximum_version = version
            if certificate is not None:
                path = node.home / "mqtt" / "devices" / (certificate or device.name)
                context.load_cert_chain(path.with_suffix(".pem"), path.with_suffix(".key"))
            self.connection = http.client.HTTPSConnection("localhost", port, timeout=30, context=context)
        else:
            self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method, target, body, created=None, covered=COVERED, key=None, change=None, **more):
        key = key or self.device.key
        headers = {"Host": self.host, "Content-Type": "application/octet-stream",
                   "Content-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"}
        path, _, query = target.partition("?")
        values = {"@method": method, "@authority": self.host, "@path": path, "@query": "?" + query,
                  "content-type": headers["Content-Type"], "content-digest": headers["Content-Digest"]}
        parameters = "(" + " ".join(f'"{name}"' for name in covered) + ")" + "".join(
            f";{name}={value}" for name, value in ({"created": int(time.time()) if created is None else created,
                                                    "keyid": f'"{key.public.hex()}"', "tag": '"radseal-envelope"'} | more).items()
            if value)
        base = "".join(f'"{name}": {values[name]}\n' for name in covered) + f'"@signature-params": {parameters}'
        headers |= {"Signature-Input": f"s={parameters}", "Signature": f"s=:{base64.b64encode(key.sign(base.encode())).decode()}:"}
        if change:
            method, target, body = change(headers, method, target, body)
        try:
            self.connection.request(method, target, body, {name: value for name, value in headers.items() if value})
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            self.connection.close()
            raise

    def answer(self, envelope, status, content):
        digest = hashlib.sha256(envelope).digest()
        if status != 200:
            return status, json.loads(content)["detail"]
        if content[:1] == b"\xd2":
            fields = open_sign1(content, self.node_key, b"radseal acknowledgement v1")
            assert fields[2] == digest
            return "acknowledged", fields[3]
        (kind, about, offset), _ = cbor(content)
        assert (kind, about) == (1, digest)
        return "wants", offset

    def post(self, envelope, **options):
        return self.answer(envelope, *self.ask("POST", PATH, envelope, **options))

    def put(self, envelope, data, offset, size, **options):
        target = f"{PATH}/{hashlib.sha256(envelope).hexdigest()}?offset={offset}"
        return self.answer(envelope, *self.ask("PUT", target, data[offset:offset + size], **options))

    def deliver(self, envelope, data=b"", size=100000):
        kind, value = self.post(envelope)
        while kind == "wants":
            kind, value = self.put(envelope, data, value, size)
        return kind, value


def check_sealed(node, scratch, device, instance):
    row = verified(node, scratch, *instance)
    assert row["source"] == f"http {device.name}" and row["device_key"] == device.key.public.hex(), row


def delivered(link, node, scratch):
    device, instances = link.device, [small_instance(number, size=300000) for number in range(4)]
    for (_, _, data), size in zip(instances, (100000, 300000, 1 << 20, 77777)):
        envelope = device.instance(data)
        assert link.deliver(envelope, data, size) == ("acknowledged", SEALED), size
        assert link.deliver(envelope) == ("acknowledged", KNOWN)
    assert link.post(device.manifest([data for _, _, data in instances])) == ("acknowledged", LISTED)
    assert series(node)[-1] == (device.name, 4, 4, True), series(node)
    data = small_instance(5, size=90000)[2]
    envelope = device.instance(data)
    assert link.put(envelope, data, 0, 1000)[0] == 404, "nobody said what this belongs to"
    assert link.post(envelope) == ("wants", 0) and link.put(envelope, data, 0, 50000) == ("wants", 50000)
    assert link.put(envelope, data, 60000, 1000) == ("wants", 50000), "a gap is told"
    assert link.put(envelope, data, 0, 50000) == ("wants", 50000), "what came is passed over"
    assert link.put(envelope, data, 40000, 20000) == ("wants", 60000) and link.post(envelope) == ("wants", 60000)
    assert link.put(envelope, data + b"more", 60000, 40000)[0] == 400
    assert link.put(envelope, data, 60000, 40000)[0] == 404, "a false piece ends the delivery"
    assert link.deliver(envelope, data[:-1] + b"!")[0] == 422
    assert link.deliver(envelope, data) == ("acknowledged", SEALED)
    for instance in instances:
        check_sealed(node, scratch, device, instance)
    print("delivered: whole, in pieces, with gaps and overlaps, once and twice; the series is complete")


def moved(**fields):
    def change(headers, method, target, body):
        headers |= {name.replace("_", "-"): value for name, value in fields.items() if name[0].isupper()}
        return fields.get("method", method), fields.get("target", target), fields.get("body", body)
    return change


def refused(link):
    """401 is who is not believed; nothing is kept of any of it."""
    data, now = small_instance(60)[2], int(time.time())
    envelope = link.device.instance(data)
    for number, options in enumerate((
            {"created": now - 400}, {"created": now + 400}, {"created": ""}, {"expires": now - 1}, {"tag": '"other"'},
            {"keyid": '"x"'}, {"keyid": f'"{Device("x", b"y" * 32).key.public.hex()}"'}, {"alg": '"ecdsa-p256-sha256"'},
            {"key": Device("x", b"z" * 32).key, "keyid": f'"{link.device.key.public.hex()}"'}, {"change": moved(Signature="")},
            {"change": moved(target=PATH + "?x=1")}, {"change": moved(Content_Digest="sha-256=:AA==:")},
            {"change": moved(Host="elsewhere")}, {"change": moved(Content_Type="text/plain")},
            {"change": moved(Signature_Input="s=(")}, {"change": moved(Signature="s=:" + "A" * 9000 + ":")},
            *({"covered": COVERED[:at] + COVERED[at + 1:]} for at in range(len(COVERED))))):
        assert link.post(envelope, **options)[0] == 401, (number, options)
    assert link.post(envelope, change=moved(body=envelope + b"x"))[0] == 400, "Content-Digest"
    assert link.post(envelope[:-1] + bytes([envelope[-1] ^ 1]))[0] == 422, "a forged envelope"
    assert link.post(b"nothing")[0] == 400
    assert link.ask("PUT", f"{PATH}/xyz?offset=0", b"x")[0] == 400 and link.ask("PUT", f"{PATH}/{'0' * 64}", b"x")[0] == 400
    with contextlib.suppress(OSError):  # the answer closes the connection, and may be overtaken by that
        assert link.ask("PUT", f"{PATH}/{'0' * 64}?offset=0", bytes(3 << 20))[0] == 413
    link.connection.close()
    assert link.deliver(envelope, data) == ("acknowledged", SEALED)
    print("refused: false, old and partial signatures, other bodies than were signed")


def set_aside(port, node, devices):
    """The same reasons as over MQTT: whom TLS knows is heard, whom nobody knows is not."""
    mr_1, mr_2, stranger = devices["mr-1"], devices["mr-2"], devices["stranger"]
    link, now = Link(port, mr_1, node), int(time.time() * 1000)
    data = [small_instance(number, size=5000)[2] for number in range(70, 78)]
    assert link.deliver(mr_1.instance(data[0]), data[0]) == ("acknowledged", SEALED)
    cases = [("replayed", link, mr_1.instance(data[1], sequence=mr_1.sequence)),
             ("clock", link, mr_1.instance(data[2], captured=now + 3600 * 1000)),
             ("device-name", link, mr_2.instance(data[3])),
             ("unknown-device", Link(port, stranger, node, "mr-1"), stranger.instance(data[4])),
             ("device-name", Link(port, mr_2, node, certificate=None), mr_1.instance(data[5]))]
    for (why, one, envelope), content in zip(cases, data[1:]):
        assert one.deliver(envelope, content) == ("acknowledged", QUARANTINED), why
        assert one.deliver(envelope) == ("acknowledged", QUARANTINED), "and known to be there"
    assert [row["why"] for row in quarantined(node)] == [why for why, *_ in cases], quarantined(node)
    assert Link(port, stranger, node, certificate=None).post(stranger.instance(data[6]))[0] == 401
    assert Link(port, mr_2, node, certificate=None).deliver(mr_2.instance(data[7]), data[7]) == ("acknowledged", SEALED)
    print(f"set aside: {', '.join(why for why, *_ in cases)}; strangers without a certificate are refused")


def revoked_and_rotated(port, node, devices):
    old, new = devices["mr-2"], Device("mr-2", b"n" * 32, boot=b"N" * 16)
    data = [small_instance(number, size=5000)[2] for number in range(80, 83)]
    waiting = old.instance(data[1])
    node.run("device", "rotate", old.key.public.hex(), new.key.public.hex(), "--home", node.home, check=0)
    time.sleep(1.2)  # what the node knew of keys is of the last second
    link = Link(port, new, node)
    assert link.deliver(new.instance(data[0]), data[0]) == ("acknowledged", SEALED)
    assert link.deliver(waiting, data[1]) == ("acknowledged", QUARANTINED), "signed before, by the key that was"
    node.run("device", "revoke", new.key.public.hex(), "--home", node.home, check=0)
    time.sleep(1.2)
    assert link.deliver(new.instance(data[2]), data[2]) == ("acknowledged", QUARANTINED)
    assert [row["why"] for row in quarantined(node)][-2:] == ["rotated", "revoked"]
    print("rotated and revoked keys: in quarantine")


def agent_forwards(agent, node, scratch, https):
    """Killed nodes, a slow line, a clock that is wrong, a server that is another."""
    generator, files = random.Random(5), []
    for number in range(300, 324):
        files.append(dicom_file(number, size=600000))
        (agent.watched / f"{number}.dcm").write_bytes(files[-1])
    with contextlib.suppress(AssertionError), node.serving(*https, end=signal.SIGKILL) as port:
        pass
    listen = ("--https", f"127.0.0.1:{port}")  # the same port again and again
    process = agent.start(f"https://localhost:{port}", "--rate", "12000")
    for _ in range(KILLS):
        with contextlib.suppress(AssertionError), node.serving(*https[2:], listen=listen, end=signal.SIGKILL):
            time.sleep(generator.uniform(0.2, 0.8))
    with node.serving(*https[2:], listen=listen):
        wait_for(lambda: not agent.waiting() and not agent.queue(), "all is sent")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        said = agent.once(f"https://localhost:{port}")
    rows = sealed(node, scratch, [as_sealed(content) for content in files])
    assert all(row["verdict"] == "genuine" and row["source"] == f"http {agent.name}" for row in rows), rows
    assert series(node)[-1][3], series(node)
    (agent.watched / "late.dcm").write_bytes(dicom_file(330, size=3 << 20))
    with node.serving(*https[2:], listen=listen):
        assert agent.once(f"https://localhost:{port}")["acknowledged"] >= 1
    node.fsck(check=0)
    print(f"the agent forwards {len(files)} files through {KILLS} kills of the node; the last run settled {said['acknowledged']}")


def main(program, edge):
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        node = Server(program, scratch / "node")
        node.run("init", node.home, "--mqtt", "--quiet", check=0)
        devices = {"mr-1": Device("mr-1", b"s" * 32), "mr-2": Device("mr-2", b"t" * 32), "stranger": Device("mr-1", b"v" * 32)}
        for name in ("mr-1", "mr-2"):
            node.run("device", "enrol", devices[name].key.public.hex(), "--home", node.home, check=0)
            node.run("device", "certificate", name, "--home", node.home, check=0)
        node.run("key", "new", "us-2", "--home", node.home, check=0)
        node.run("device", "enrol", "us-2", "--home", node.home, check=0)
        node.run("device", "certificate", "us-2", "--home", node.home, check=0)
        mqtt = node.home / "mqtt"
        https = ("--https", "127.0.0.1:0", "--certificate", mqtt / "broker.pem", "--certificate-key", mqtt / "broker.key",
                 "--authorities", mqtt / "ca.pem")
        with node.serving(*https[2:], listen=https[:2]) as port:
            link = Link(port, devices["mr-1"], node)
            delivered(link, node, scratch)
            refused(link)
            set_aside(port, node, devices)
            revoked_and_rotated(port, node, devices)
        agent_forwards(Agent(edge, node, scratch, "us-2"), node, scratch, https)
        with node.serving(listen=("--http", "127.0.0.1:0")) as port:
            link = Link(port, devices["mr-1"], node, tls=False)
            data = small_instance(90)[2]
            assert link.deliver(devices["mr-1"].instance(data), data) == ("acknowledged", SEALED), "on the loopback"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
