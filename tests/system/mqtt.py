"""Devices at an MQTT broker: `mqtt.py RADSEAL`. A real mosquitto, configured by `radseal init --mqtt`; devices, envelopes and what is
checked by code that shares nothing with radseal. What is acknowledged is sealed or in quarantine, whatever happens."""
import contextlib
import hashlib
import json
import pathlib
import signal
import sys
import tempfile
import time

from device_peer import Device, cbor, open_sign1
from devices import series, verified
from dicom_peer import small_instance
from mqtt_peer import Broker, Client, free_port, is_installed
from web_server import Site, ask

SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
SEALED, KNOWN, QUARANTINED, LISTED = 1, 2, 3, 4
CHUNK = 50000


class Link(Client):
    """A device's connection."""

    def __init__(self, broker, device, node_key, **options):
        super().__init__(broker.folder, broker.port, f"device-{device.name}",
                         broker.folder / "devices" / device.name, **options)
        self.device, self.node_key, self.topic = device, node_key, f"radseal/v1/{device.name}"
        self.subscribe(f"{self.topic}/receipt")

    def send_chunks(self, envelope, data, order=None, size=CHUNK):
        offsets = list(range(0, len(data), size))
        for offset in order(offsets) if order else offsets:
            self.publish(f"{self.topic}/chunk/{hashlib.sha256(envelope).hexdigest()}/{offset}", data[offset:offset + size])

    def answer(self, envelope):
        """("acknowledged", outcome), ("wants", offset) or ("refused", reason)"""
        digest = hashlib.sha256(envelope).digest()
        while True:
            message = self.message()
            if message[:1] == b"\xd2":
                fields = open_sign1(message, self.node_key, b"radseal acknowledgement v1")
                if fields[2] == digest:
                    return "acknowledged", fields[3]
            else:
                (kind, about, value), _ = cbor(message)
                if about == digest:
                    return ("wants", "refused")[kind - 1], value

    def deliver(self, envelope, data=b"", **options):
        self.publish(f"{self.topic}/envelope", envelope)
        while True:
            kind, value = self.answer(envelope)
            if kind != "wants":
                return kind, value
            if value == 0:
                self.send_chunks(envelope, data, **options)
            else:
                self.send_chunks(envelope, data, order=lambda offsets: [at for at in offsets if at >= value])  # noqa: B023


def quarantined(node):
    return json.loads(node.run("quarantine", "list", "--home", node.home, "--json", check=0).stdout)


def wait_for(condition, what):
    for _ in range(400):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(what)


def check_sealed(node, scratch, device, instance):
    row = verified(node, scratch, *instance)
    assert row["verdict"] == "genuine" and row["source"] == f"mqtt {device.name}", row
    assert row["device"] == device.name and row["device_key"] == device.key.public.hex(), row


def delivered(link, node, scratch):
    """Whole, in several chunks, twice, shuffled; a manifest; more than was said."""
    device, sealed = link.device, []
    for number, options in enumerate(({}, {"size": 1000}, {"order": lambda at: at + at}, {"order": lambda at: at[::-1]},
                                      {"order": lambda at: [at[0], at[2], at[1], *at[3:]]})):
        instance = small_instance(number, size=300000)
        envelope = device.instance(instance[2])
        assert link.deliver(envelope, instance[2], **options) == ("acknowledged", SEALED), number
        sealed.append(instance)
    assert link.deliver(envelope) == ("acknowledged", KNOWN), "the same envelope once more"
    again = device.instance(instance[2])
    assert link.deliver(again, instance[2]) == ("acknowledged", KNOWN), "the same bytes in another envelope"
    more = [data for _, _, data in sealed] + [small_instance(5)[2]]
    assert link.deliver(device.manifest(more)) == ("acknowledged", LISTED)
    assert series(node)[-1] == (device.name, 6, 5, False), series(node)
    instance = small_instance(5)
    envelope = device.instance(instance[2])
    assert link.deliver(envelope, instance[2] + b"more") == ("refused", "there are more bytes than the envelope says")
    assert link.deliver(envelope, instance[2][:-1] + b"!")[0] == "refused"
    assert link.deliver(envelope, instance[2]) == ("acknowledged", SEALED)
    assert series(node)[-1] == (device.name, 6, 6, True)
    sealed.append(instance)
    for one in sealed:
        check_sealed(node, scratch, device, one)
    print(f"delivered: {len(sealed)} instances, in order and out of it, once and twice; the series is complete")


def refused(link):
    """What is no envelope, or whose signature is forged, is not kept."""
    instance = small_instance(60)
    envelope = bytearray(link.device.instance(instance[2]))
    for at in (len(envelope) - 1, 60, 20, 0):
        envelope[at] ^= 1
        assert link.deliver(bytes(envelope), instance[2])[0] == "refused", at
        envelope[at] ^= 1
    for topic in ("envelope", "chunk/00/0", f"chunk/{'0' * 64}/x"):
        link.publish(f"{link.topic}/{topic}", b"nothing")
    print("refused: forged signatures and what is no envelope")


def not_allowed(broker, node_key, device):
    """The broker lets nobody in without a certificate, and nobody publish under another's name."""
    with contextlib.suppress(OSError, EOFError):
        Client(broker.folder, broker.port, "nobody")
        raise AssertionError("a client without a certificate was let in")
    with Link(broker, device, node_key) as link:
        link.publish("radseal/v1/mr-2/envelope", link.device.instance(small_instance(61)[2]))
        with contextlib.suppress(OSError, EOFError):
            link.publish(f"{link.topic}/envelope", bytes(5 << 20))
            link.wait(lambda *_: not link.unacknowledged)
    print("not allowed: clients without certificates, other devices' topics, messages beyond a chunk")


def set_aside(link, node, scratch, devices):
    """Each is kept in quarantine, told with its reason, and released or discarded by who may."""
    stranger, device = devices["stranger"], link.device
    now = int(time.time() * 1000)
    instances = [small_instance(number, size=5000) for number in range(70, 76)]
    used = device.instance(instances[0][2])
    assert link.deliver(used, instances[0][2]) == ("acknowledged", SEALED)
    cases = [("replayed", device.instance(instances[1][2], sequence=device.sequence)),
             ("clock", device.instance(instances[2][2], captured=now + 3600 * 1000)),
             ("clock", device.instance(instances[3][2], captured=now - 200 * 24 * 3600 * 1000)),
             ("device-name", devices["mr-3"].instance(instances[4][2])),
             ("unknown-device", stranger.instance(instances[5][2]))]
    for (why, envelope), (_, _, data) in zip(cases, instances[1:]):
        assert link.deliver(envelope, data) == ("acknowledged", QUARANTINED), why
        assert link.deliver(envelope) == ("acknowledged", QUARANTINED), "and known to be there"
    rows = quarantined(node)
    assert [row["why"] for row in rows] == [why for why, _ in cases], rows
    assert rows[4]["key"] == stranger.key.public.hex() and rows[4]["size"] == len(instances[5][2])
    print(f"set aside: {len(rows)} in quarantine: {', '.join(why for why, _ in cases)}")
    return instances[1:]


def decide(node, scratch, instances):
    """While the node serves: one is released, one discarded; who may not, may not."""
    node.run("key", "new", "reader", "--home", node.home, check=0)
    node.run("member", "grant", "reader", "--role", "radiologist", "--home", node.home, check=0)
    rows = quarantined(node)
    node.run("quarantine", "release", rows[0]["id"], "--as", "reader", "--home", node.home, check=3)
    node.run("quarantine", "release", rows[0]["id"], "--home", node.home, check=0)
    node.run("quarantine", "discard", rows[1]["id"], "--home", node.home, check=0)
    node.run("quarantine", "release", rows[1]["id"], "--home", node.home, check=4)
    assert [row["id"] for row in quarantined(node)] == [row["id"] for row in rows[2:]]
    row = verified(node, scratch, *instances[0])
    assert row["verdict"] == "genuine" and row["source"] == "quarantine mr-1", row
    node.fsck(check=0)
    print("decided: released by an administrator, discarded for good, refused to a radiologist")


def revoked_and_rotated(broker, node, node_key, devices):
    """Revoked and rotated keys end in quarantine; the successor goes on under the device's name."""
    old, new, gone = devices["mr-3"], Device("mr-3", b"n" * 32), devices["mr-1"]
    old.name = "mr-3"
    node.run("device", "rotate", old.key.public.hex(), new.key.public.hex(), "--home", node.home, check=0)
    node.run("device", "revoke", gone.key.public.hex(), "--home", node.home, check=0)
    with serving(node, broker):
        with Link(broker, old, node_key) as link:
            data = small_instance(80)[2]
            assert link.deliver(old.instance(data), data) == ("acknowledged", QUARANTINED)
            assert link.deliver(new.instance(data), data) == ("acknowledged", SEALED)
        with Link(broker, gone, node_key) as link:
            data = small_instance(81)[2]
            assert link.deliver(gone.instance(data), data) == ("acknowledged", QUARANTINED)
    assert [row["why"] for row in quarantined(node)][-2:] == ["rotated", "revoked"]
    print("revoked and rotated keys: in quarantine; the new key is the device's")


@contextlib.contextmanager
def serving(node, broker, *arguments, **options):
    before = broker.clients("radseal-node")
    with node.serving("--mqtt", f"localhost:{broker.port}", *arguments, **options):
        wait_for(lambda: broker.clients("radseal-node") > before, "the node meets the broker")
        time.sleep(0.2)  # and subscribes
        yield


def interrupted(broker, node, node_key, scratch, device):
    """The broker and the node are killed in between: the device asks where to go on, and nothing acknowledged is lost."""
    instance = small_instance(90, size=400000)
    envelope = device.instance(instance[2])
    web = free_port()
    tokens = node.tokens(scratch, all="node all")

    def is_met():
        return b"\nradseal_mqtt_connected 1\n" in ask(web, "/metrics", node.token["all"])[2]
    with serving(node, broker, "--http", f"127.0.0.1:{web}", "--http-tokens", tokens):
        assert is_met()
        with Link(broker, device, node_key) as link:
            link.publish(f"{link.topic}/envelope", envelope)
            assert link.answer(envelope) == ("wants", 0)
            link.send_chunks(envelope, instance[2][:200000])
            wait_for(lambda: link.take() and not link.unacknowledged, "the broker takes it")
        broker.stop(signal.SIGKILL)
        wait_for(lambda: not is_met(), "metrics tell that the broker is away")
        broker.log.unlink()
        broker.start()
        wait_for(lambda: broker.clients("radseal-node"), "the node meets the broker again")
        wait_for(is_met, "metrics tell that it is back")
        time.sleep(0.2)
        with Link(broker, device, node_key) as link:
            link.publish(f"{link.topic}/envelope", envelope)
            assert link.answer(envelope) == ("wants", 200000), "it goes on where it was"
            assert link.deliver(envelope, instance[2]) == ("acknowledged", SEALED)
    with contextlib.suppress(AssertionError), serving(node, broker, end=signal.SIGKILL), Link(broker, device, node_key) as link:
        other = small_instance(91, size=400000)
        second = device.instance(other[2])
        link.publish(f"{link.topic}/envelope", second)
        assert link.answer(second) == ("wants", 0)
        link.send_chunks(second, other[2][:200000])
    with serving(node, broker), Link(broker, device, node_key) as link:
        assert link.deliver(second, other[2]) == ("acknowledged", SEALED)
        assert link.deliver(envelope) == ("acknowledged", KNOWN), "it was sealed before the node was killed"
    check_sealed(node, scratch, device, instance)
    check_sealed(node, scratch, device, other)
    node.fsck(check=0)
    print("interrupted: the broker and the node killed half way")


def main(program):
    if not is_installed():
        print("1..0 # SKIP mosquitto is not installed (tools/setup.sh checks)")
        return
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        node = Site(program, scratch / "node")
        node.run("init", node.home, "--mqtt", "--quiet", check=0)
        devices = {"mr-1": Device("mr-1", b"s" * 32), "mr-2": Device("mr-2", b"t" * 32), "mr-3": Device("mr-1", b"u" * 32),
                   "stranger": Device("mr-1", b"v" * 32)}
        for name in ("mr-1", "mr-2", "mr-3"):
            node.run("device", "enrol", devices[name].key.public.hex(), "--home", node.home, check=0)
            node.run("device", "certificate", name, "--home", node.home, check=0)
        key = (node.home / "keys" / "log.vkey").read_text().strip().split("+", 2)[2]
        node_key = __import__("base64").b64decode(key)[1:]
        with Broker(node.home) as broker:
            with serving(node, broker):
                with Link(broker, devices["mr-1"], node_key) as link:
                    delivered(link, node, scratch)
                    refused(link)
                    aside = set_aside(link, node, scratch, devices)
                not_allowed(broker, node_key, devices["mr-1"])
            with serving(node, broker):
                decide(node, scratch, aside)
            interrupted(broker, node, node_key, scratch, devices["mr-2"])
            revoked_and_rotated(broker, node, node_key, devices)


if __name__ == "__main__":
    main(sys.argv[1])
