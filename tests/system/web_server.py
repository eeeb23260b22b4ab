"""`radseal serve` as clients of HTTP meet it: who may ask for what, what is refused, what the log tells and what it does not;
`web_server.py RADSEAL`. Speaks HTTP by Python's own client and, where a request is none, by bare sockets."""
import argparse
import hashlib
import http.client
import json
import pathlib
import re
import secrets
import socket
import tempfile
import time

from dicom_network import Server

LISTEN = ("--http", "127.0.0.1:0")


class Site(Server):
    """A node with tokens: {name: rights}."""

    def tokens(self, scratch, **rights):
        self.token = {name: secrets.token_hex(32) for name in rights}
        path = scratch / "tokens"
        path.write_text("# who\n" + "".join(f"{hashlib.sha256(self.token[name].encode()).hexdigest()} {right}\n"
                                            for name, right in rights.items()))
        return path


def ask(port, path, token=None, method="GET", body=None, headers=(), timeout=20):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    given = dict(headers) | ({"Authorization": f"Bearer {token}"} if token else {})
    connection.request(method, path, body, given)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, {name.lower(): answer.getheader(name) for name, _ in answer.getheaders()}, content


def raw(port, data, wait=10):
    """What a server answers to bytes that may be no request; b"" when it just closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as peer:
        peer.sendall(data)
        got = b""
        try:
            while piece := peer.recv(65536):
                got += piece
        except (ConnectionResetError, TimeoutError):
            pass
        return got


def default_deny(site, scratch):
    with site.serving(listen=LISTEN) as port:
        assert ask(port, "/health")[0] == 200 and ask(port, "/ready")[0] == 200
        status, _, content = ask(port, "/metrics", secrets.token_hex(32))
        assert status == 401, "nobody was made known, so nobody is"
        problem = json.loads(content)
        assert problem["status"] == 401 and problem["detail"] and problem["instance"], problem
    serve = ("serve", "--home", site.home)
    assert site.run(*serve, "--http", "0.0.0.0:0", check=2).returncode == 2, "without TLS on the loopback only"
    for line in ("short node all", "00" * 32 + " node nothing", "00" * 32 + " nobody query", "00" * 32 + " node query no"):
        (scratch / "bad").write_text(line + "\n")
        refused = site.run(*serve, "--http", "127.0.0.1:0", "--http-tokens", scratch / "bad")
        assert refused.returncode != 0 and "line 1" in refused.stderr, refused
    print("default deny: without tokens nothing but health; without TLS nothing but the loopback; bad token files by line")


def rights_and_tokens(site, scratch):
    path = site.tokens(scratch, all="node all", metrics="node metrics", query="node query research")
    short = hashlib.sha256(b"short").hexdigest()
    path.write_text(path.read_text() + f"{short} node all\n")
    with site.serving("--http-tokens", path, listen=LISTEN) as port:
        for token, expected in ((None, 401), ("short", 401), (secrets.token_hex(32), 401), (site.token["query"], 403),
                                (site.token["metrics"], 200), (site.token["all"], 200)):
            status, headers, content = ask(port, "/metrics", token)
            assert status == expected, (token, status)
            assert ("www-authenticate" in headers) == (status == 401), headers
            assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
        assert b"radseal_http_requests_total" in content and b'status="4xx"' in content
        assert ask(port, "/metrics", site.token["all"], headers={"Radseal-Purpose": "curiosity"})[0] == 400
    for token in site.token.values():
        assert token not in site.said, "tokens stay out of the log"
    assert site.said.count("event=http") == 7 and "status=403" in site.said, site.said
    print("tokens: each with its rights, wrong ones refused and logged, no token in the log")


def odd_requests(site, scratch):
    path = site.tokens(scratch, all="node all")
    with site.serving("--http-tokens", path, listen=LISTEN) as port:
        cases = {
            b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n": 400,
            b"GET /%2e%2e/keys HTTP/1.1\r\nHost: x\r\n\r\n": 400,
            b"GET /health%00 HTTP/1.1\r\nHost: x\r\n\r\n": 400,
            b"GET /health%0d%0aX:%20y HTTP/1.1\r\nHost: x\r\n\r\n": 400,
            b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n": 404,
            b"DELETE /health HTTP/1.1\r\nHost: x\r\n\r\n": 405,
            b"BREW /health HTTP/1.1\r\nHost: x\r\n\r\n": 405,
            b"GET /health HTTP/1.1\r\n\r\n": 400,
            b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello": 405,
            b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n": 413,
            b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n": 400,
            b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n": 414,
            b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20000 + b"\r\n\r\n": 431,
            b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 200 + b"\r\n": 431,
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03": None,
            b"\0" * 100 + b"\r\n\r\n": None,
        }
        for data, expected in cases.items():
            data = data.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
            answer = raw(port, data, wait=3)
            status = int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else None
            assert status == expected or (expected is None and status == 400), (data[:60], expected, answer[:200])
        assert ask(port, "/health")[0] == 200
    print(f"odd requests: {len(cases)} refused, and the server lives")


def origins(site, scratch):
    """Pages of one named origin may ask; other origins' get no leave to look at answers."""
    tokens = site.tokens(scratch, all="node all")
    with site.serving("--http-tokens", tokens, "--http-origins", "https://a.example,https://b.example", listen=LISTEN) as port:
        for origin, allowed in (("https://b.example", True), ("https://evil.example", False), ("https://b.example.evil", False)):
            for method, path in (("OPTIONS", "/studies"), ("GET", "/metrics")):
                status, headers, _ = ask(port, path, None if method == "OPTIONS" else site.token["all"], method,
                                         headers={"Origin": origin, "Access-Control-Request-Method": "GET"})
                assert status == (204 if method == "OPTIONS" else 200)
                assert headers.get("access-control-allow-origin") == (origin if allowed else None), (origin, headers)
                assert "access-control-allow-credentials" not in headers and headers["vary"] == "Origin"
    with site.serving("--http-tokens", tokens, listen=LISTEN) as port:
        assert "access-control-allow-origin" not in ask(port, "/health", headers={"Origin": "https://a.example"})[1]
    print("origins: those that are named, and nobody else")


def limits(site, scratch):
    """Slow heads are closed, and one address cannot have all connections."""
    with site.serving("--connections", 8, listen=LISTEN) as port:
        held = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(8)]
        for peer in held:
            peer.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        began, closed = time.monotonic(), 0
        for peer in held:
            try:
                while time.monotonic() - began < 25:
                    peer.sendall(b"X: y\r\n")
                    peer.settimeout(0.2)
                    try:
                        if not peer.recv(1):
                            closed += 1
                            break
                    except TimeoutError:
                        pass
            except OSError:
                closed += 1
            peer.close()
        assert closed == len(held) and time.monotonic() - began < 25, closed
        # The server counts a connection out a moment after its end.
        while not raw(port, b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200"):
            assert time.monotonic() - began < 30
            time.sleep(0.05)
    print("limits: slow heads were closed, another was served then")


def stopping(site, scratch):
    """A request that is under way when SIGTERM comes is answered."""
    with site.serving(listen=LISTEN) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
            peer.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n")
            time.sleep(0.3)
            site.process.terminate()
            time.sleep(0.5)
            peer.sendall(b"\r\n")
            assert b"200 OK" in peer.recv(1000)
    assert not re.search(r"level=error", site.said), site.said
    print("stopping: what was asked for is answered, then the server ends")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("radseal")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        site = Site(arguments.radseal, scratch / "node")
        site.init()
        for step in (default_deny, rights_and_tokens, odd_requests, origins, limits, stopping):
            step(site, scratch)


if __name__ == "__main__":
    main()
