"""Devices that sign what they send, over DICOM: `devices.py RADSEAL`. Envelopes are made, and what radseal says is checked, by code
that shares nothing with it."""
import json
import pathlib
import sys
import tempfile
import time

from device_peer import SIDECAR, Device, sidecar
from dicom_network import Server
from dicom_peer import EXPLICIT, Peer, meta, small_instance

SECONDARY = "1.2.840.10008.5.1.4.1.1.7"


def verified(node, scratch, sop_class, uid, data):
    path = scratch / "sealed.dcm"
    path.write_bytes(meta(sop_class, uid, EXPLICIT) + data)
    for _ in range(100):  # a serving node writes receipts a moment after it answers
        row, = json.loads(node.verify(path).stdout)
        if "has not ended" not in row.get("reason", ""):
            break
        time.sleep(0.1)
    assert row["verdict"] == "genuine", row
    return row


def send(port, instances):
    with Peer(port) as peer:
        assert peer.associate([(SECONDARY, [EXPLICIT]), (SIDECAR, [EXPLICIT])]) == 2
        for sop_class, uid, data in instances:
            assert peer.store(3 if sop_class == SIDECAR else 1, sop_class, uid, data) == 0
        peer.release()


def series(node):
    return [(row["device"], row["listed"], row["arrived"], row["complete"]) for row in json.loads(
        node.run("device", "series", "--home", node.home, "--json", check=0).stdout)]


def announced(envelopes, uid):
    return SIDECAR, uid, sidecar(envelopes, uid, "2.25.1", "2.25.2")


def over_dicom(node, scratch, device):
    instances = [small_instance(number) for number in range(4)]
    plain = small_instance(40)
    sets = [data for _, _, data in instances[:3]]
    envelopes = [device.manifest(sets)] + [device.instance(data) for data in sets]
    false = small_instance(3, size=1000)
    envelopes.append(device.instance(false[2]))
    with node.serving() as port:
        send(port, [announced(envelopes, "2.25.900"), *instances[:2], instances[3], plain])
        assert series(node) == [("mr-1", 3, 2, False)], series(node)
        send(port, [instances[2]])
        assert series(node) == [("mr-1", 3, 3, True)], series(node)
    assert "manifest_mismatch" in node.said, node.said
    for _, uid, data in instances[:3]:
        row = verified(node, scratch, SECONDARY, uid, data)
        assert row["verdict"] == "genuine" and row["device"] == "mr-1", row
        assert row["device_key"] == device.key.public.hex() and row["source"] == "dicom PEER", row
    for _, uid, data in (instances[3], plain):
        row = verified(node, scratch, SECONDARY, uid, data)
        assert row["source"] == "dicom PEER" and "device" not in row, row
    print("over DICOM: announced instances are signed by their device, others are of an unsigned source")


def not_believed(node, scratch, device):
    """Envelopes of nobody, with a signature of another key, with another's name, under a number that was used: the instances are of an unsigned source."""
    stranger, forger = Device("mr-9", b"9" * 32), Device("mr-1", b"1" * 32)
    cases = [small_instance(number) for number in range(50, 54)]
    forged = bytearray(device.instance(cases[1][2]))
    forged[-1] ^= 1
    envelopes = [stranger.instance(cases[0][2]), bytes(forged), forger.instance(cases[2][2]), device.instance(cases[3][2], sequence=1)]
    with node.serving() as port:
        send(port, [announced(envelopes, "2.25.901"), *cases])
    assert node.said.count("envelope_not_believed") == 3 and "was used for something else" in node.said and node.said.count("envelope_refused") == 1, node.said
    for _, uid, data in cases:
        assert "device" not in verified(node, scratch, SECONDARY, uid, data)
    print("not believed: unknown, forged, another's name, replayed")


def main(program):
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        node, device = Server(program, scratch / "node"), Device("mr-1", b"s" * 32)
        node.init()
        node.run("device", "enrol", device.key.public.hex(), "--home", node.home, check=0)
        over_dicom(node, scratch, device)
        not_believed(node, scratch, device)
        node.fsck(check=0)


if __name__ == "__main__":
    main(sys.argv[1])
