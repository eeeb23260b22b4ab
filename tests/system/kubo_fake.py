"""A server that answers as a Kubo node's RPC API does, as far as radseal asks: blocks in memory, pins, cat. Its answers have
the form of those recorded from Kubo 0.42.0. `fault` makes it a bad one."""
import base64
import hashlib
import http.server
import json
import threading
import urllib.parse


def cid_of(codec, block):
    raw = bytes([1, codec, 0x12, 0x20]) + hashlib.sha256(block).digest()
    return "b" + base64.b32encode(raw).decode().lower().rstrip("=")


def text_of(raw):
    return "b" + base64.b32encode(raw).decode().lower().rstrip("=")


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            yield key >> 3, data[at:at + value]
            at += value
        else:
            yield key >> 3, value


class Refused(Exception):
    pass


class Node:
    def __init__(self):
        self.blocks, self.pins, self.fault, self.token, self.calls = {}, set(), None, None, []

    def block(self, cid):
        if cid not in self.blocks:
            raise Refused(f"block was not found locally (offline): ipld: could not find {cid}")
        return self.blocks[cid]

    def links(self, cid):
        if not cid.startswith("bafybei"):
            return []
        return [text_of(dict(fields(value))[1]) for number, value in fields(self.block(cid)) if number == 2]

    def read(self, cid):
        return b"".join(map(self.read, self.links(cid))) if cid.startswith("bafybei") else self.block(cid)

    def whole(self, cid):
        self.block(cid)
        for child in self.links(cid):
            self.whole(child)

    def answer(self, command, query, body):
        cid = query.get("arg", "").removeprefix("/ipfs/")
        if command == "version":
            return {"Version": "0.42.0", "Commit": "", "Repo": "18", "System": "amd64/linux", "Golang": "go1.26.8"}
        if command == "block/put":
            block = body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]
            made = cid_of({"raw": 0x55, "dag-pb": 0x70}[query["cid-codec"]], block)
            self.blocks[made] = block
            return {"Key": cid_of(0x55, b"another") if self.fault == "wrong key" else made, "Size": len(block)}
        if command == "pin/add":
            try:
                self.whole(cid)
            except Refused as refused:
                raise Refused(f"pin: {refused}") from None
            self.pins.add(cid)
            return {"Pins": [cid]}
        if command == "pin/ls":
            if cid not in self.pins:
                raise Refused(f"path '{cid}' is not pinned")
            return {"Keys": {cid: {"Type": "recursive", "Name": ""}}}
        if command == "pin/rm":
            if cid not in self.pins:
                raise Refused("not pinned or pinned indirectly")
            self.pins.remove(cid)
            return {"Pins": [cid]}
        if command == "files/stat":
            size = len(self.read(cid))
            return {"Hash": cid, "Size": size, "CumulativeSize": size, "Blocks": len(self.links(cid)), "Type": "file"}
        if command == "cat":
            start = int(query["offset"])
            piece = self.read(cid)[start:start + int(query["length"])]
            if self.fault == "altered":
                piece = piece[:-1] + bytes([piece[-1] ^ 1])
            return piece[:-1] if self.fault == "cut" else piece
        raise Refused(f"command not found: {command}")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        node, url = self.server.node, urllib.parse.urlparse(self.path)
        command = url.path.removeprefix("/api/v0/")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        node.calls.append(command)
        if node.fault == "silent":
            node.released.wait(60)
            return
        if node.fault == "no HTTP":
            self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
            return
        try:
            if node.token and self.headers.get("Authorization") != f"Bearer {node.token}":
                return self.give(403, b"403 - Access Denied\n", "text/plain")
            answer = node.answer(command, dict(urllib.parse.parse_qsl(url.query)), body)
            if node.fault == "endless":
                answer = b"x" * (4 << 20)
            if node.fault == "no JSON":
                answer = b"{\"Version\": "
            self.give(200, answer if isinstance(answer, bytes) else json.dumps(answer).encode() + b"\n")
        except Refused as refused:
            self.give(500, json.dumps({"Message": str(refused), "Code": 0, "Type": "error"}).encode() + b"\n")

    def give(self, status, body, media="application/json"):
        try:
            self.send_response(status)
            self.send_header("Content-Type", media)
            self.send_header("Trailer", "X-Stream-Error")
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def log_message(self, *_):
        pass


def serve():
    """A node and its address; ends with the process."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.node = Node()
    server.node.released = threading.Event()
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.node, f"http://127.0.0.1:{server.server_address[1]}"
