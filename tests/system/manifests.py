"""Manifests and instances that go different ways: `manifests.py RADSEAL`. A device signs a list and posts it over HTTP; the instances come
by C-STORE and STOW-RS, as scanners send them, before it or after it. What the list has is the device's; what it has not is of an unsigned
source."""
import hashlib
import json
import pathlib
import sys
import tempfile

from device_peer import Device
from devices import SECONDARY, send, series, verified
from dicom_network import Server
from dicom_peer import EXPLICIT, meta, small_instance
from dicomweb import store
from edge_http import LISTED, Link
from mqtt import wait_for
from mqtt_peer import free_port
from rest import Api
from web_server import Site


def matched(node):
    rows = json.loads(node.run("device", "series", "--home", node.home, "--json", check=0).stdout)
    return [(row["arrived"], row["matched"], row["complete"]) for row in rows]


def check_listed(node, scratch, device, manifest, instances, in_record):
    for at, instance in enumerate(instances):
        row = verified(node, scratch, *instance)
        assert row["listed_by"] == device.name and row["listed_by_key"] == device.key.public.hex(), row
        assert row["manifest"] == hashlib.sha256(manifest).hexdigest() and "device" not in row, row
        assert isinstance(row["manifest_entry"], int), row
    offline = [json.loads(node.run("verify", scratch / "sealed.dcm", "--offline", "--json", "--receipt", path, "--key",
                                   node.home / "keys" / "log.vkey").stdout)[0] for path in (node.home / "receipts").glob("*/*")]
    told = [row.get("manifest") for row in offline if row["verdict"] == "genuine"]
    assert told == [hashlib.sha256(manifest).hexdigest() if at in in_record else None], "the record names it, without the node"
    said = node.run("verify", scratch / "sealed.dcm", "--home", node.home, check=0).stdout
    assert f"listed in a manifest of the device {device.name}" in said, said


def both_ways(node, scratch, device, web):
    """The manifest first, the manifest last, in between; and what it does not have."""
    first, last, amid = ([small_instance(number, size=1000) for number in range(at, at + 3)] for at in (0, 10, 20))
    changed, plain, web_sent = small_instance(2, size=1500), small_instance(50), small_instance(60)
    other, meant = small_instance(80, size=1500), small_instance(80)
    lists = [device.manifest([data for _, _, data in instances]) for instances in (first, last, amid, [web_sent], [meant])]
    with node.serving("--http", f"127.0.0.1:{web}") as port:
        link = Link(web, device, node, tls=False)
        assert link.post(lists[0]) == ("acknowledged", LISTED)
        send(port, [*first[:2], changed, plain, other, *last, amid[0]])
        assert matched(node) == [(2, 2, False)], matched(node)
        send(port, first[2:])
        assert link.post(lists[1]) == ("acknowledged", LISTED) and link.post(lists[2]) == ("acknowledged", LISTED)
        wait_for(lambda: matched(node)[:2] == [(3, 3, True)] * 2 and matched(node)[2][0] == 1, "what came before is found")
        send(port, amid[1:])
        assert link.post(lists[3]) == ("acknowledged", LISTED) and link.post(lists[4]) == ("acknowledged", LISTED)
        token = node.token["store"]
        status, _ = store(web, token, [meta(SECONDARY, web_sent[1], EXPLICIT) + web_sent[2]])
        assert status == 200
        wait_for(lambda: matched(node) == [(3, 3, True)] * 3 + [(1, 1, True), (0, 0, False)], "STOW-RS, too")
        wait_for(lambda: "manifest_entry" in verified(node, scratch, *web_sent), "the manifest is sealed")
        api = Api(web, node.token["watch"])
        rows = api.do("get-series")
        assert [(row["device"], row["arrived"], row["matched"], row["complete"]) for row in rows] == [
            (device.name, *row) for row in matched(node)], rows
        assert api.do("get-quarantine") == []
        path = scratch / "sealed.dcm"
        path.write_bytes(meta(SECONDARY, first[0][1], EXPLICIT) + first[0][2])
        told = api.do("post-verify", path.read_bytes(), token=node.token["store"])
        assert told["listed_by"] == device.name and told["device"] is None and told["source"] == "dicom PEER", told
        wait_for(lambda: all("manifest_entry" in verified(node, scratch, *one) for one in (first[0], last[0], amid[2])), "all are sealed")
    assert node.said.count("manifest_mismatch") == 2, node.said
    check_listed(node, scratch, device, lists[0], first, in_record=(0, 1, 2))
    check_listed(node, scratch, device, lists[1], last, in_record=())
    check_listed(node, scratch, device, lists[2], amid, in_record=(1, 2))
    for instance in (changed, other, plain):
        assert "listed_by" not in verified(node, scratch, *instance)
    assert "unsigned source" in node.run("verify", scratch / "sealed.dcm", "--home", node.home, check=0).stdout
    node.run("key", "new", "doctor", "--home", node.home, check=0)
    node.run("member", "grant", "doctor", "--role", "radiologist", "--home", node.home, check=0)
    found = json.loads(node.run("find", "--level", "image", "SOPInstanceUID", "--as", "doctor", "--json", "--home", node.home, check=0).stdout)
    by = {row["SOPInstanceUID"]: row.get("listed_by") for row in found}
    assert by[first[0][1]] == by[last[0][1]] == by[web_sent[1]] == device.name and by[plain[1]] is None, by
    print("both ways: manifests before, after and amid their instances; by C-STORE and STOW-RS; what differs stays unsigned")


def stops_between(node, scratch, device, web):
    """A manifest that came right before the server was killed is looked into by the next one; a revoked device's is not believed."""
    instances = [small_instance(number) for number in range(70, 72)]
    late = device.manifest([data for _, _, data in instances])
    with node.serving("--http", f"127.0.0.1:{web}", end=9) as port:
        send(port, instances[:1])
        assert Link(web, device, node, tls=False).post(late) == ("acknowledged", LISTED)
    node.run("device", "revoke", device.key.public.hex(), "--home", node.home, check=0)
    with node.serving("--http", f"127.0.0.1:{web}") as port:
        wait_for(lambda: matched(node)[-1] == (1, 1, False), "what the kill left")
        send(port, instances[1:])
        assert matched(node)[-1] == (1, 1, False), matched(node)
    assert "revoked" in node.said, node.said
    assert "listed_by" not in verified(node, scratch, *instances[1])
    print("stops between: the manifest is looked into after a kill; what comes after a revocation is of an unsigned source")


class Both(Site):
    """Over DICOM and over the web."""


def main(program):
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        node, device, web = Both(program, scratch / "node"), Device("mr-1", b"s" * 32), free_port()
        node.init()
        node.run("device", "enrol", device.key.public.hex(), "--home", node.home, check=0)
        tokens = node.tokens(scratch, store="node store,query", watch="node watch")
        serving = node.serving
        node.serving = lambda *arguments, **options: serving("--http-tokens", tokens, *arguments, **options)
        both_ways(node, scratch, device, web)
        stops_between(node, scratch, device, web)
        node.fsck(check=0)


if __name__ == "__main__":
    main(sys.argv[1])
