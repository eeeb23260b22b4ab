"""Certificates that were revoked: `revocations.py RADSEAL`. A device's certificate opens the DICOM, HTTPS and MQTT doors until it is on
the list and who serves is told by SIGHUP; everybody else goes on meanwhile. The list is read by openssl, too."""
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

from device_peer import Device
from dicom_peer import IMPLICIT, VERIFICATION, Peer, small_instance
from edge_http import SEALED, Link
from mqtt import wait_for
from mqtt_peer import Broker, Client, is_installed
from web_server import Site


def context_of(node, name):
    context = ssl.create_default_context(cafile=node.home / "mqtt" / "ca.pem")
    certificate = node.home / "mqtt" / "devices" / name
    context.load_cert_chain(certificate.with_suffix(".pem"), certificate.with_suffix(".key"))
    return context


def by_dicom(node, port, name):
    try:
        with Peer(port, wrap=lambda one: context_of(node, name).wrap_socket(one, server_hostname="localhost")) as peer:
            return peer.associate([(VERIFICATION, [IMPLICIT])]) == 2 and peer.echo() == 0
    except (OSError, EOFError):
        return False


def by_https(node, port, device, number):
    data = small_instance(number)[2]
    kind, value = Link(port, device, node).deliver(device.instance(data), data)
    assert (kind, value) == ("acknowledged", SEALED) or (kind == 401 and "revoked" in value), (kind, value)
    return kind != 401


def by_mqtt(broker, name):
    try:
        with Client(broker.folder, broker.port, f"device-{name}", broker.folder / "devices" / name):
            return True
    except (OSError, EOFError, AssertionError):
        return False


def metrics(node, port, token):
    request = urllib.request.Request(f"https://localhost:{port}/metrics", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=node.home / "mqtt" / "ca.pem")) as answer:
        return answer.read().decode()


def doors(node, ports, devices, number):
    return {name: (by_dicom(node, ports[0], name), by_https(node, ports[1], device, number + at))
            for at, (name, device) in enumerate(devices.items())}


def revoke(node, name):
    node.run("device", "certificate", name, "--revoke", "--home", node.home, check=0)
    return (node.home / "mqtt" / "crl.pem").read_bytes()


def on_the_list(node, names):
    told = subprocess.run(["openssl", "crl", "-in", node.home / "mqtt" / "crl.pem", "-CAfile", node.home / "mqtt" / "ca.pem",
                           "-noout", "-text"], capture_output=True, text=True, check=True)
    assert "verify OK" in told.stdout + told.stderr, told
    assert told.stdout.count("Serial Number:") == len(names), told.stdout
    for name in names:
        serial = subprocess.run(["openssl", "x509", "-in", node.home / "mqtt" / "devices" / f"{name}.pem", "-noout", "-serial"],
                                capture_output=True, text=True, check=True).stdout.strip().split("=")[1]
        assert serial in told.stdout


def at_the_server(node, devices, token, tokens):
    mqtt = node.home / "mqtt"
    https = ("--https", "127.0.0.1:0", "--certificate", mqtt / "broker.pem", "--certificate-key", mqtt / "broker.key",
             "--authorities", mqtt / "ca.pem", "--revocations", mqtt / "crl.pem", "--http-tokens", tokens)
    with node.serving(*https, listen=("--dicom-tls", "127.0.0.1:0")) as port:
        line = node.process.stdout.readline().split()
        assert line[0] == "https", line
        ports = (port, int(line[1]))
        assert doors(node, ports, devices, 0) == {"mr-1": (True, True), "mr-2": (True, True)}
        assert "radseal_revocations_days_left 36" in metrics(node, ports[1], token)
        revoke(node, "mr-2")
        on_the_list(node, ["mr-2"])
        assert doors(node, ports, devices, 10)["mr-2"] == (True, True), "nobody told the server"
        node.process.send_signal(signal.SIGHUP)
        wait_for(lambda: not by_dicom(node, ports[0], "mr-2"), "it is refused by DICOM")
        time.sleep(0.5)
        assert doors(node, ports, devices, 20) == {"mr-1": (True, True), "mr-2": (False, False)}
        good = (mqtt / "crl.pem").read_bytes()
        for number, bad in enumerate((b"", b"nothing", good[:-200], (mqtt / "ca.pem").read_bytes())):
            (mqtt / "crl.pem").write_bytes(bad)
            node.process.send_signal(signal.SIGHUP)
            time.sleep(0.6)
            found = doors(node, ports, devices, 30 + 10 * number)
            assert found == {"mr-1": (True, True), "mr-2": (False, False)}, (number, found)
        (mqtt / "crl.pem").write_bytes(good)
        revoke(node, "mr-1")
        on_the_list(node, ["mr-1", "mr-2"])
        node.process.send_signal(signal.SIGHUP)
        wait_for(lambda: not by_dicom(node, ports[0], "mr-1"), "it is refused by DICOM")
    assert "certificates_not_read" in node.said and "revocations_not_read" in node.said and "certificate revoked" in node.said
    node.run("device", "certificate", "mr-1", "--home", node.home, check=0)
    with node.serving(*https, listen=("--dicom-tls", "127.0.0.1:0")) as port:
        assert by_dicom(node, port, "mr-1") and not by_dicom(node, port, "mr-2"), "a new certificate is none of the list"
    (mqtt / "crl.pem").write_bytes(b"nothing")
    done = node.run("serve", "--home", node.home, "--dicom-tls", "127.0.0.1:0", *https[2:10])
    assert done.returncode != 0 and "crl.pem" in done.stderr, done
    (mqtt / "crl.pem").write_bytes(good)
    print("at the server: revoked by DICOM and HTTPS once it is told; bad lists change nothing, others are served all along")


def at_the_broker(node):
    node.run("device", "certificate", "mr-3", "--home", node.home, check=0)
    with Broker(node.home) as broker:
        assert by_mqtt(broker, "mr-3") and by_mqtt(broker, "mr-1") and not by_mqtt(broker, "mr-2")
        revoke(node, "mr-3")
        broker.process.send_signal(signal.SIGHUP)
        wait_for(lambda: not by_mqtt(broker, "mr-3"), "it is refused")
        assert by_mqtt(broker, "mr-1")
    print("at the broker: revoked by SIGHUP")


def main(program):
    if not shutil.which("openssl"):
        print("1..0 # SKIP openssl is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        node = Site(program, scratch / "node")
        node.run("init", node.home, "--mqtt", "--quiet", check=0)
        devices = {"mr-1": Device("mr-1", b"s" * 32), "mr-2": Device("mr-2", b"t" * 32)}
        for name, device in devices.items():
            node.run("device", "enrol", device.key.public.hex(), "--home", node.home, check=0)
            node.run("device", "certificate", name, "--home", node.home, check=0)
        on_the_list(node, [])
        node.run("device", "certificate", "nobody", "--revoke", "--home", node.home, check=4)
        tokens = node.tokens(scratch, watcher="node metrics operations")
        at_the_server(node, devices, node.token["watcher"], tokens)
        if is_installed():
            at_the_broker(node)


if __name__ == "__main__":
    main(sys.argv[1])
