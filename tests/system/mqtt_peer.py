"""MQTT 3.1.1 as devices speak it, over TLS with a certificate, in Python's standard library alone; and a broker to speak with."""
import contextlib
import pathlib
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def is_installed():
    return shutil.which("mosquitto") or pathlib.Path("/usr/sbin/mosquitto").exists()


class Broker:
    """mosquitto by the configuration that `radseal init --mqtt` wrote, at a free port."""

    def __init__(self, home):
        self.folder, self.port, self.process = pathlib.Path(home) / "mqtt", free_port(), None
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text(re.sub(r"(?m)^listener 8883$", f"listener {self.port} 127.0.0.1", configuration.read_text()))
        self.log = self.folder / "broker.log"

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c",
                                             self.folder / "mosquitto.conf"], stdout=log, stderr=log)
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)
        raise AssertionError("the broker does not listen")

    def clients(self, name):
        """How often it was let in."""
        return len(re.findall(f"New client connected from .* as {name} ", self.log.read_text())) if self.log.exists() else 0

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(timeout=30)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(value)) + value


def packet(kind, body):
    size, head = len(body), b""
    while True:
        size, low = size >> 7, size & 127
        head += bytes([low | (128 if size else 0)])
        if not size:
            return bytes([kind]) + head + body


class Client:
    """Closed by the broker is an OSError or an EOFError."""

    def __init__(self, folder, port, name, certificate=None, timeout=20):
        context = ssl.create_default_context(cafile=folder / "ca.pem")
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if certificate:
            context.load_cert_chain(certificate.with_suffix(".pem"), certificate.with_suffix(".key"))
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout), server_hostname="localhost")
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.next, self.messages, self.unacknowledged = 0, [], set()
        self.socket.sendall(packet(0x10, text("MQTT") + b"\4\2\0\x3c" + text(name)))
        kind, body = self.receive()
        assert kind == 0x20 and body[1] == 0, (kind, body)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def receive(self):
        kind, size, shift = self.exactly(1)[0], 0, 0
        while True:
            byte = self.exactly(1)[0]
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return kind, self.exactly(size)

    def identifier(self):
        self.next = self.next % 65535 + 1
        return self.next

    def subscribe(self, topic):
        self.socket.sendall(packet(0x82, struct.pack(">H", self.identifier()) + text(topic) + b"\1"))
        self.wait(lambda kind, _: kind == 0x90)

    def publish(self, topic, payload):
        identifier = self.identifier()
        self.unacknowledged.add(identifier)
        self.socket.sendall(packet(0x32, text(topic) + struct.pack(">H", identifier) + payload))

    def take(self):
        """One packet; publications go to `messages` and are acknowledged."""
        kind, body = self.receive()
        if kind >> 4 == 3:
            size, = struct.unpack_from(">H", body)
            at = 2 + size
            if kind & 6:
                self.socket.sendall(packet(0x40, body[at:at + 2]))
                at += 2
            self.messages.append(body[at:])
        elif kind == 0x40:
            self.unacknowledged.discard(struct.unpack(">H", body)[0])
        return kind, body

    def wait(self, condition):
        while not condition(*self.take()):
            pass

    def message(self):
        while not self.messages:
            self.take()
        return self.messages.pop(0)
