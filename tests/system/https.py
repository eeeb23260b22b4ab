"""`radseal serve --https` as clients of TLS meet it, good and bad: `https.py RADSEAL`. Versions and suites of BCP 195 (RFC 9325) and no
others; clients' certificates; connections that stay; peers that are slow or say nothing; bodies beyond what is taken; paths that
lead elsewhere; hostile tags; consents that ended; and every operation there is, for nobody, for a stranger, for who may not, and for a member who was revoked."""
import argparse
import contextlib
import hashlib
import http.client
import json
import pathlib
import secrets
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from dicom_peer import EXPLICIT, explicit, meta, small_instance
from dicomweb import RELATED, body_of, file_of
from web_people import openssl
from web_server import Site

LISTEN = ("--https", "127.0.0.1:0")
STORED = ("/studies/2.25.1", "/studies/2.25.1/metadata", "/studies/2.25.1/series/2.25.2")  # of file_of(1)
SECRET = "the content of a file beside"


def make_certificates(scratch):
    for authority in ("ca", "stranger"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", scratch / f"{authority}.key",
                "-out", scratch / f"{authority}.pem", "-days", 9, "-subj", f"/CN={authority}")
    for name, authority, days, key in (("rsa", "ca", 9, ["rsa:2048"]), ("known", "ca", 9, ["rsa:2048"]),
                                       ("expired", "ca", -1, ["rsa:2048"]), ("foreign", "stranger", 9, ["rsa:2048"])):
        openssl("req", "-newkey", *key, "-nodes", "-keyout", scratch / f"{name}.key", "-out", scratch / f"{name}.csr", "-subj", f"/CN={name}")
        (scratch / "ext").write_text(f"subjectAltName={'IP:127.0.0.1' if name == 'rsa' else 'DNS:known.example'}\n")
        openssl("x509", "-req", "-in", scratch / f"{name}.csr", "-CA", scratch / f"{authority}.pem", "-CAkey", scratch / f"{authority}.key",
                "-CAcreateserial", "-out", scratch / f"{name}.pem", "-days", days, "-extfile", scratch / "ext")


class Client:
    def __init__(self, port, scratch, certificate=None):
        self.context = ssl.create_default_context(cafile=str(scratch / "ca.pem"))
        if certificate:
            self.context.load_cert_chain(scratch / f"{certificate}.pem", scratch / f"{certificate}.key")
        self.port = port

    def ask(self, path, token=None, method="GET", body=None, **headers):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=30)
        given = {name.replace("_", "-"): value for name, value in headers.items()} | (
            {"Authorization": f"Bearer {token}"} if token else {})
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            return answer.status, answer.headers, b"" if answer.headers.get_content_type() == "text/event-stream" else answer.read()
        finally:
            connection.close()

    def open(self):
        return self.context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=60), server_hostname="127.0.0.1")


def shake(port, scratch, *words):
    """What openssl agrees on with the server; None when they cannot."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", str(scratch / "ca.pem"), "-brief", *words],
                          input="", capture_output=True, text=True, timeout=30)
    said = dict(line.split(": ", 1) for line in done.stderr.splitlines() if ": " in line)
    return (said.get("Protocol version"), said.get("Ciphersuite")) if done.returncode == 0 else None


def versions_and_suites(port, scratch):
    weak = ["-cipher", "ALL:@SECLEVEL=0"]
    for words in (["-tls1", *weak], ["-tls1_1", *weak], ["-no_tls1_3", "-cipher", "AES128-GCM-SHA256"],
                  ["-no_tls1_3", "-cipher", "ECDHE-RSA-AES128-SHA256"], ["-no_tls1_3", "-cipher", "ECDHE-RSA-AES256-SHA:@SECLEVEL=0"],
                  ["-no_tls1_3", "-cipher", "DHE-RSA-AES128-GCM-SHA256"], ["-no_tls1_3", "-cipher", "aNULL:eNULL:@SECLEVEL=0"],
                  ["-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256"], ["-groups", "secp224r1"]):
        assert shake(port, scratch, *words) is None, f"{words} was taken"
    for suite in ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"):
        assert shake(port, scratch, "-no_tls1_3", "-cipher", suite) == ("TLSv1.2", suite), suite
    for suite in ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"):
        assert shake(port, scratch, "-ciphersuites", suite) == ("TLSv1.3", suite), suite
    assert shake(port, scratch, "-CAfile", str(scratch / "stranger.pem"), "-verify_return_error") is None
    assert Client(port, scratch).ask("/health")[1]["Strict-Transport-Security"]
    # What is plain HTTP gets no answer in the clear.
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert not plain.recv(1000).startswith(b"HTTP/")


def certificates(port, scratch):
    for name, status in (("known", 200), ("expired", 401), ("foreign", 401), (None, 401)):
        try:
            got = Client(port, scratch, name).ask("/metrics")[0]
        except (ssl.SSLError, OSError):
            got = 401  # refused while shaking hands
        assert got == status, (name, got)


def connections_that_stay(port, scratch, token):
    client = Client(port, scratch)
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=client.context, timeout=30)
    ports = set()
    for i in range(30):
        connection.request("GET", ("/metrics", "/nowhere", "/studies?limit=1")[i % 3], headers={"Authorization": f"Bearer {token}"})
        ports.add(connection.sock.getsockname()[1])
        answer = connection.getresponse()
        answer.read()
        assert answer.status == (200, 404, 200)[i % 3]
    connection.close()
    assert len(ports) == 1, "refusals without a body keep the connection"
    with client.open() as peer:
        peer.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 2 + b"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = b""
        while piece := peer.recv(65536):
            got += piece
    assert got.count(b"HTTP/1.1 200") == 3, "requests that are sent ahead are answered in order"


def bodies(port, scratch, token):
    client = Client(port, scratch)
    with client.open() as peer:
        peer.sendall(f"POST /api/v1/members HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
                     "Content-Length: 99999999\r\n\r\n{".encode())
        assert peer.recv(1000).startswith(b"HTTP/1.1 413")
    assert client.ask("/api/v1/members", token, "POST", b"[" * 100000, Content_Type="application/json")[0] in (400, 413)
    for text in (b"POST /studies HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n", b"GET /health HTTP/1.1\r\nContent-Length: 9\r\n",
                 b"POST /studies HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
                 b"POST /studies HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"):
        with client.open() as peer:
            peer.sendall(text + f"Host: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n".encode() + b"\r\n0\r\n\r\n")
            answer = b""
            with contextlib.suppress(OSError):
                while piece := peer.recv(65536):
                    answer += piece
            assert not answer.startswith(b"HTTP/1.1 2"), (text, answer[:200])
    # In chunks, more than the operation takes: cut, whatever it was.
    with client.open() as peer:
        peer.sendall(f"POST /api/v1/members HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n".encode())
        with contextlib.suppress(OSError):
            for _ in range(4096):
                peer.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            raise AssertionError("256 MiB of spaces were taken")


def paths(port, scratch, token, home):
    client = Client(port, scratch)
    (home / "beside").write_text(SECRET)
    for path in ("/../beside", "/studies/../../beside", "/studies/%2e%2e%2fbeside", "/studies/..%5c..%5cbeside", "/studies/1.2/%00",
                 "/studies/1.2/series/%2e%2e/instances/x", "/api/v1/objects/..%2f..%2fbeside", "/api/v1/objects/%2e%2e", "//beside",
                 "/api/v1/jobs/..%2f..%2fbeside", "/studies/1.2/bulkdata/..%2fbeside", "/studies/%c0%ae%c0%ae/beside"):
        status, _, content = client.ask(path, token)
        assert 400 <= status < 500 and SECRET.encode() not in content, (path, status)


def operations(document):
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            if method in ("get", "post", "put", "delete", "patch"):
                yield method.upper(), path.replace("{", "").replace("}", ""), one.get("security") != []


def everybody_else(port, scratch, site):
    """Of every operation there is."""
    client = Client(port, scratch)
    uid = "/studies/1.2/series/1.3/instances/1.4"
    doors = [("GET", path, True) for path in ("/studies", "/series", "/instances", "/studies/1.2", "/studies/1.2/metadata", uid, "/events",
                                              uid + "/frames/1", uid + "/rendered", uid + "/thumbnail", "/metrics")]
    doors += [("POST", path, True) for path in ("/studies", "/studies/1.2")]
    web = list(doors)
    doors += operations(json.loads(site.run("openapi", check=0).stdout))
    count = 0
    for method, path, needs in doors:
        if not needs or path == "/api/v1/login":
            continue
        may_query = method == "GET" and path in ("/studies", "/series", "/instances")
        for token in (None, "x", secrets.token_hex(32), *([site.token["query"]] if (method, path, needs) in web and not may_query else [])):
            status = client.ask(path, token, method, b"{}" if method != "GET" else None, Content_Type="application/json")[0]
            assert status == (403 if token == site.token["query"] else 401), (method, path, token and token[:4], status)
            count += 1
    # Who was revoked: numbers of the server tell of nobody, everything else is refused.
    gone = site.token["revoked"]
    for path in ("/studies", "/studies?PatientName=*", *STORED, "/api/v1/objects?subject=P1", "/api/v1/audit?subject=P1"):
        status, _, content = client.ask(path, gone)
        assert status in (400, 403, 404, 405), (path, status, content[:300])
    status, _, content = client.ask("/studies", gone, "POST", body_of([file_of(2)]), Content_Type=RELATED)
    assert status in (403, 409) and b"00081199" not in content, (status, content)
    return count


def injected(port, scratch, token):
    """Data sets with tags that would lead elsewhere: refused, or stored and shown as what they are, text."""
    client = Client(port, scratch)
    hostile = {
        "a path as UID": (8, 0x18, "UI", "../../../../../../../tmp/radseal-path"), "a header as UID": (0x20, 0xD, "UI", "1.2\r\nSet-Cookie: a=b"),
        "no UID": (0x20, 0xE, "UI", "x" * 64), "a long UID": (8, 0x18, "UI", "1." * 200 + "1"), "a list for one": (8, 0x18, "UI", "1.2\\1.3"),
        "a meta group inside": (2, 3, "UI", "2.25.1"), "a command": (0, 0x100, "US", b"\1\0"),
        "SQL": (0x10, 0x10, "PN", "x'); DROP TABLE record; --"), "markup": (0x10, 0x10, "PN", "<script>alert(1)</script>\"}]"),
        "no UTF-8": (0x10, 0x10, "PN", b"\xff\xfe\xc0\xaf"), "controls": (0x10, 0x20, "LO", "P1\0\r\nX: y"),
        "a private block": (0x29, 0x1010, "UN", bytes(4096)),
    }
    stored = 0
    for number, (what, (group, element, vr, value)) in enumerate(hostile.items(), 500):
        sop_class, instance, data = small_instance(number)
        rows = {(8, 0x16): ("UI", sop_class), (8, 0x18): ("UI", instance), (0x10, 0x20): ("LO", "P1"), (0x20, 0xD): ("UI", "2.25.1"),
                (0x20, 0xE): ("UI", "2.25.2")} | {(group, element): (vr, value)}
        data = b"".join(explicit(*tag, *rest) for tag, rest in sorted(rows.items()))
        status, headers, content = client.ask("/studies", token, "POST", body_of([meta(sop_class, instance, EXPLICIT) + data]),
                                              Content_Type=RELATED)
        assert status in (200, 400, 409) and "Set-Cookie" not in headers, (what, status, content)
        json.loads(content)
        stored += status == 200
        assert status != 200 or "UID" not in what and "inside" not in what, f"{what} was taken"
    status, _, content = client.ask("/studies/2.25.1/metadata", token)
    assert status == 200 and len(json.loads(content)) >= stored
    assert not pathlib.Path("/tmp/radseal-path").exists() and stored >= 3, stored
    found = json.loads(client.ask("/studies?PatientName=x%27%29%3B*", token)[2] or "[]")
    assert isinstance(found, list)


def consents_that_ended(port, scratch, site):
    """Who may look by a consent alone sees what it covers while it lasts, by QIDO-RS, WADO-RS and REST."""
    client = Client(port, scratch)

    def asked():
        listed = client.ask("/studies", site.token["study"])
        return (len(json.loads(listed[2])) if listed[0] == 200 and listed[2] else 0,
                client.ask("/studies/2.25.1", site.token["study"], Accept='multipart/related; type="application/dicom"')[0])
    grant = ("consent", "grant", "--subject", "P1", "--organisation", "Radiology", "--roles", "researcher", "--purposes", "research",
             "--operations", "read", "--home", site.home, "--quiet")
    nothing = asked()
    assert nothing[0] == 0 and nothing[1] in (403, 404), nothing
    site.run(*grant, "--until", "2020-12-31", check=0)
    assert asked() == nothing, "an expired consent"
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 8))
    site.run(*grant, "--until", until, check=0)
    assert asked() == (1, 200)
    while time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) <= until:
        time.sleep(0.2)
    assert asked() == nothing, "a consent that ended a moment ago"


class Slow:
    """Peers that say nothing, or a byte now and then: all of them are closed in time."""

    def __init__(self, port, scratch, token):
        client = Client(port, scratch)
        hello = socket.create_connection(("127.0.0.1", port))
        hello.sendall(bytes.fromhex("16030101fa010001f60303"))
        head, body, idle = client.open(), client.open(), client.open()
        head.sendall(b"GET /health HTTP/1.1\r\n")
        body.sendall(f"POST /studies HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: {RELATED}\r\n"
                     "Content-Length: 1000000\r\n\r\n".encode())
        self.peers = {"silent": socket.create_connection(("127.0.0.1", port)), "half a hello": hello, "head": head, "body": body, "idle": idle}
        self.began, self.ended = time.monotonic(), {}
        self.threads = [threading.Thread(target=self.drip, args=item, daemon=True) for item in self.peers.items()]
        for thread in self.threads:
            thread.start()

    def drip(self, name, peer):
        peer.settimeout(1)
        while time.monotonic() - self.began < 80:
            try:
                if name in ("head", "body"):
                    peer.sendall(b"x: y\r\n" if name == "head" else b"-")
                if peer.recv(1000) == b"":
                    break
            except TimeoutError:
                pass
            except (OSError, ssl.SSLError):
                break
        self.ended[name] = time.monotonic() - self.began

    def wait(self):
        for thread in self.threads:
            thread.join()
        for name, limit in (("silent", 30), ("half a hello", 30), ("head", 30), ("idle", 30), ("body", 50)):
            assert self.ended[name] < limit, self.ended


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("radseal")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        site = Site(parser.parse_args().radseal, scratch / "node")
        site.init()
        make_certificates(scratch)
        for name in ("lee", "gone"):
            site.run("key", "new", name, "--home", site.home, "--quiet", check=0)
            site.run("member", "grant", name, "--role", "radiologist", "--home", site.home, "--quiet", check=0)
        site.run("key", "new", "study", "--home", site.home, "--quiet", check=0)
        site.run("member", "grant", "study", "--role", "researcher", "--home", site.home, "--quiet", check=0)
        tokens = site.tokens(scratch, study="study query,retrieve research", all="lee all treatment", revoked="gone all treatment", query="lee query treatment")
        site.run("member", "revoke", "gone", "--home", site.home, "--quiet", check=0)
        (scratch / "rules").write_text(json.dumps({"providers": [], "tokens": [], "certificates": [{"san": "DNS:known.example", "member": "lee", "rights": "metrics"}]}))
        with site.serving("--certificate", scratch / "rsa.pem", "--certificate-key", scratch / "rsa.key", "--authorities", scratch / "ca.pem",
                          "--http-tokens", tokens, "--http-identities", scratch / "rules", listen=LISTEN) as port:
            slow = Slow(port, scratch, site.token["all"])
            versions_and_suites(port, scratch)
            certificates(port, scratch)
            connections_that_stay(port, scratch, site.token["all"])
            assert Client(port, scratch).ask("/studies", site.token["all"], "POST", body_of([file_of(1)]), Content_Type=RELATED)[0] == 200
            bodies(port, scratch, site.token["all"])
            paths(port, scratch, site.token["all"], site.home)
            injected(port, scratch, site.token["all"])
            consents_that_ended(port, scratch, site)
            count = everybody_else(port, scratch, site)
            slow.wait()
            assert Client(port, scratch).ask("/health")[0] == 200
        assert SECRET not in site.said and site.token["all"] not in site.said
    print(f"HTTPS: versions, suites, certificates, slow peers, bodies, paths, hostile tags, ended consents; {count} requests of others to every operation refused")


if __name__ == "__main__":
    main()
