"""What lies in quarantine, when a patient is erased and when a node is restored: `quarantine.py RADSEAL`."""
import json
import pathlib
import sys
import tempfile
import time

from device_peer import Device
from dicom_network import Server
from dicom_peer import explicit, small_instance
from edge_http import KNOWN, QUARANTINED, SEALED, Link
from mqtt import quarantined

LISTEN = ("--http", "127.0.0.1:0")
FUTURE_MS = 3600 * 1000
STUDY = explicit(0x20, 0xD, "UI", "2.25.1")


def instance(number, patient, study="2.25.1", size=3000):
    return small_instance(number, patient=patient, size=size)[2].replace(STUDY, explicit(0x20, 0xD, "UI", study))


def put_aside(link, data, number=1):
    envelope = link.device.instance(data, captured=int(time.time() * 1000) + number * FUTURE_MS)
    assert link.deliver(envelope, data) == ("acknowledged", QUARANTINED)


def erase(node, patient, check=0, **options):
    done = node.run("erase", "--subject", patient, "--home", node.home, "--json", *options.get("more", ()), check=check)
    return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout + done.stderr


def erased(node, device):
    """While the node serves: by PatientID, far behind long headers too; by study what names nobody; others stay."""
    node.run("key", "new", "reader", "--home", node.home, check=0)
    node.run("member", "grant", "reader", "--role", "radiologist", "--home", node.home, check=0)
    with node.serving(listen=LISTEN) as port:
        link = Link(port, device, node, tls=False)
        for number, patient in enumerate(("P1", "P2")):
            data = instance(number, patient, f"2.25.{10 + number}")
            assert link.deliver(device.instance(data), data) == ("acknowledged", SEALED)
        put_aside(link, instance(10, "P1", "2.25.10", size=3 << 20))
        put_aside(link, instance(11, "", "2.25.10"))
        put_aside(link, instance(12, "P2", "2.25.10"))
        put_aside(link, instance(13, "", "2.25.77"))
        put_aside(link, instance(14, "P3", "2.25.13"))
        manifest = device.manifest([instance(10, "P1", "2.25.10")], captured=int(time.time() * 1000) + FUTURE_MS)
        assert link.post(manifest) == ("acknowledged", QUARANTINED)
        before = {path.name for path in (node.home / "quarantine").rglob("b*") if path.is_file()}
        assert len(quarantined(node)) == 6 and len(before) == 5, before
        node.run("erase", "--subject", "P3", "--as", "reader", "--home", node.home, check=4)
        assert len(quarantined(node)) == 6
        told = erase(node, "P1")
        assert (told["quarantine_removed"], told["quarantine_unattributed"]) == (3, 1), told
        assert "nothing was sealed; 1 pieces" in erase(node, "P3")
        erase(node, "P3", check=4)
        left = quarantined(node)
        assert len(left) == 2 and sum(path.name in before for path in (node.home / "quarantine").rglob("b*")) == 2, left
        put_aside(link, instance(14, "P3", "2.25.13"), number=2)
        told = erase(node, "P2")
        assert told["quarantine_removed"] == 1, told
    node.fsck(check=0)
    print("erased: what names the patient, and what is of the same study, is gone from quarantine; others stay")


def restored(node, device, scratch, program):
    data, other = instance(20, "P4"), instance(21, "P4")
    with node.serving(listen=LISTEN) as port:
        link = Link(port, device, node, tls=False)
        envelope = device.instance(data)
        assert link.deliver(envelope, data) == ("acknowledged", SEALED)
        put_aside(link, other)
    password = scratch / "password"
    password.write_text("correct horse battery staple 7")
    node.run("account", "add", "lee", "--as", "reader", "--password-file", password, "--home", node.home, check=0)
    node.run("backup", scratch / "data", "--keys", scratch / "keys", "--home", node.home, check=0)
    again = Server(program, scratch / "again")
    node.run("restore", scratch / "data", "--keys", next((scratch / "keys").glob("*.backup")), "--unlock-file",
             node.home / "keys" / "unlock.key", "--home", again.home, check=0)
    assert "lee" in again.run("account", "list", "--home", again.home, check=0).stdout
    assert quarantined(again) == []
    with again.serving(listen=LISTEN) as port:
        link = Link(port, device, again, tls=False)
        assert link.deliver(envelope) == ("acknowledged", KNOWN), "its sequence is known"
        replay = device.instance(other, sequence=device.sequence - 1)
        assert link.deliver(replay, other) == ("acknowledged", QUARANTINED)
    assert [row["why"] for row in quarantined(again)] == ["replayed"]
    again.fsck(check=0)
    print("restored: accounts, and what devices have sent; what lay in quarantine is to be sent again")


def main(program):
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        node, device = Server(program, scratch / "node"), Device("mr-1", b"s" * 32)
        node.init()
        node.run("device", "enrol", device.key.public.hex(), "--home", node.home, check=0)
        erased(node, device)
        restored(node, device, scratch, program)


if __name__ == "__main__":
    main(sys.argv[1])
