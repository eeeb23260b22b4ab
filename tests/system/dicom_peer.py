"""A DICOM peer in a few lines, from PS3.7 and PS3.8 alone: it sends what it is told to, sound or not."""
import socket
import struct

IMPLICIT, EXPLICIT, DEFLATED, BIG = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99",
                                     "1.2.840.10008.1.2.2")
VERIFICATION = "1.2.840.10008.1.1"
IMPLEMENTATION = "2.25.164054415084665499718709499180594679810"  # radseal's own


def item(kind, value):
    return struct.pack(">BBH", kind, 0, len(value)) + value


def associate(contexts, called="RADSEAL", calling="PEER", protocol=1, application="1.2.840.10008.3.1.1.1",
              maximum=16384, extra=b""):
    """An A-ASSOCIATE-RQ; contexts: [(abstract syntax, [transfer syntaxes])]."""
    body = struct.pack(">HH", protocol, 0) + called.ljust(16).encode() + calling.ljust(16).encode() + bytes(32)
    body += item(0x10, application.encode())
    for number, (abstract, transfers) in enumerate(contexts):
        value = bytes([2 * number + 1, 0, 0, 0]) + item(0x30, abstract.encode())
        body += item(0x20, value + b"".join(item(0x40, transfer.encode()) for transfer in transfers))
    body += item(0x50, item(0x51, struct.pack(">I", maximum)) + item(0x52, b"1.2.3.4") + extra)
    return struct.pack(">BBI", 1, 0, len(body)) + body


def element(number, value):
    if isinstance(value, int):
        value = struct.pack("<H", value)
    elif isinstance(value, str):
        value = value.encode() + b"\0" * (len(value) % 2)
    return struct.pack("<HHI", 0, number, len(value)) + value


def command(**elements):
    """Keys as e0100=value: elements of group 0000."""
    body = b"".join(element(int(key[1:], 16), value) for key, value in sorted(elements.items()))
    return element(0, struct.pack("<I", len(body))) + body


def values(context, flags, content, maximum):
    """P-DATA-TF PDUs of at most `maximum` bytes."""
    size = maximum - 6
    pieces = [content[at:at + size] for at in range(0, len(content), size)] or [b""]
    for number, piece in enumerate(pieces):
        last = 2 if number + 1 == len(pieces) else 0
        yield struct.pack(">BBIIBB", 4, 0, len(piece) + 6, len(piece) + 2, context, flags | last) + piece


def elements_of(content):
    elements, at = {}, 0
    while at < len(content):
        _, number, size = struct.unpack("<HHI", content[at:at + 8])
        elements[number], at = content[at + 8:at + 8 + size], at + 8 + size
    return elements


class Peer:
    def __init__(self, port, host="127.0.0.1", timeout=30, wrap=None, accepted=None):
        self.socket = accepted or socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if wrap:
            self.socket = wrap(self.socket)
        self.accepted, self.number, self.maximum = {}, 0, 16384

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *pdus):
        self.socket.sendall(b"".join(pdus))

    def exactly(self, size):
        content = b""
        while len(content) < size:
            piece = self.socket.recv(size - len(content))
            if not piece:
                raise ConnectionError("the connection was closed")
            content += piece
        return content

    def receive(self):
        kind, _, size = struct.unpack(">BBI", self.exactly(6))
        return kind, self.exactly(size)

    def associate(self, contexts, **options):
        """The kind of the answer; the accepted contexts with their transfer syntaxes are in self.accepted."""
        self.send(associate(contexts, **options))
        kind, body = self.receive()
        self.answer, at = body, 68
        while kind == 2 and at < len(body):
            size, = struct.unpack(">H", body[at + 2:at + 4])
            if body[at] == 0x21 and body[at + 6] == 0:
                self.accepted[body[at + 4]] = body[at + 12:at + 4 + size].decode()
            if body[at] == 0x50:
                self.maximum = struct.unpack(">I", body[at + 8:at + 12])[0]
            at += 4 + size
        return kind

    def answer_associate(self):
        """Accepts everything that the other side asks for, in the first transfer syntax and the roles that it proposes."""
        kind, body = self.receive()
        assert kind == 1, kind
        at, items, roles = 68, b"", b""
        while at < len(body):
            size, = struct.unpack(">H", body[at + 2:at + 4])
            value = body[at + 4:at + 4 + size]
            if body[at] == 0x20:
                first = 8 + struct.unpack(">H", value[6:8])[0]
                items += item(0x21, bytes([value[0], 0, 0, 0]) +
                              value[first:first + 4 + struct.unpack(">H", value[first + 2:first + 4])[0]])
            inner = 0
            while body[at] == 0x50 and inner < size:
                length, = struct.unpack(">H", value[inner + 2:inner + 4])
                if value[inner] == 0x54:
                    roles += value[inner:inner + 4 + length]
                inner += 4 + length
            at += 4 + size
        answer = body[:68] + item(0x10, b"1.2.840.10008.3.1.1.1") + items + item(
            0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3.4") + roles)
        self.send(struct.pack(">BBI", 2, 0, len(answer)) + answer)

    def response(self):
        """{element: value} of the next command."""
        content = b""
        while True:
            kind, body = self.receive()
            if kind != 4:
                raise ConnectionError(f"PDU {kind}: {body.hex()}")
            content += body[6:]
            if body[5] & 2:
                break
        return elements_of(content)

    def message(self):
        """A command and its data set: ({element: value}, context, bytes)."""
        parts = {1: bytearray(), 0: bytearray()}
        while True:
            kind, body = self.receive()
            if kind != 4:
                raise ConnectionError(f"PDU {kind}: {body.hex()}")
            parts[body[5] & 1] += body[6:]
            if body[5] & 2 and (not body[5] & 1 or elements_of(parts[1])[0x0800] == b"\1\1"):
                return elements_of(bytes(parts[1])), body[4], bytes(parts[0])

    def status(self):
        return struct.unpack("<H", self.response()[0x0900])[0]

    def echo(self, context=1):
        self.number += 1
        self.send(*values(context, 1, command(e0002=VERIFICATION, e0100=0x30, e0110=self.number, e0800=0x101), 4096))
        return self.status()

    def begin_store(self, context, sop_class, instance):
        self.number += 1
        request = command(e0002=sop_class, e0100=1, e0110=self.number, e0700=0, e0800=1, e1000=instance)
        self.send(*values(context, 1, request, 4096))

    def store(self, context, sop_class, instance, data, maximum=None):
        self.begin_store(context, sop_class, instance)
        self.send(*values(context, 0, data, maximum or self.maximum))
        return self.status()

    def release(self):
        self.send(bytes.fromhex("05000000000400000000"))
        kind, _ = self.receive()
        assert kind == 6, kind
        assert self.socket.recv(1) == b"", "the server closes after a release"


def explicit(group, number, vr, value):
    if isinstance(value, str):
        value = value.encode() + (b"\0" if vr == "UI" else b" ") * (len(value) % 2)
    if vr in ("OB", "OW", "UN", "SQ", "UT"):
        return struct.pack("<HH2sHI", group, number, vr.encode(), 0, len(value)) + value
    return struct.pack("<HH2sH", group, number, vr.encode(), len(value)) + value


def meta(sop_class, instance, transfer, implementation=IMPLEMENTATION):
    """The preamble and meta group that radseal puts before a data set."""
    body = (explicit(2, 1, "OB", b"\0\1") + explicit(2, 2, "UI", sop_class) + explicit(2, 3, "UI", instance) +
            explicit(2, 16, "UI", transfer) + explicit(2, 18, "UI", implementation))
    return bytes(128) + b"DICM" + explicit(2, 0, "UL", struct.pack("<I", len(body))) + body


def read_part10(content):
    """(SOP class, instance, transfer syntax, data set) of a file with a meta group, or None."""
    if content[128:132] != b"DICM":
        return None
    found, at = {}, 132
    while at + 8 <= len(content) and content[at:at + 2] == b"\2\0":
        number, vr = struct.unpack("<H2s", content[at + 2:at + 6])
        long = vr in (b"OB", b"UN", b"OW")
        size, = struct.unpack("<I" if long else "<H", content[at + 8:at + 12] if long else content[at + 6:at + 8])
        start = at + (12 if long else 8)
        found[number], at = content[start:start + size].rstrip(b"\0 ").decode("ascii", "replace"), start + size
    try:
        return found[2], found[3], found[16], content[at:]
    except KeyError:
        return None


def small_instance(number, size=2000, patient="P1", sop_class="1.2.840.10008.5.1.4.1.1.7"):
    """(SOP class, instance, data set in explicit little endian)"""
    instance = f"2.25.{1000 + number}"
    return sop_class, instance, (
        explicit(8, 0x16, "UI", sop_class) + explicit(8, 0x18, "UI", instance) +
        explicit(0x10, 0x20, "LO", patient) + explicit(0x20, 0xD, "UI", "2.25.1") +
        explicit(0x20, 0xE, "UI", "2.25.2") + explicit(0x7FE0, 0x10, "OW", struct.pack("<H", number % 65536) * (size // 2)))
