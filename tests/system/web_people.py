"""Logging in at `radseal serve` as browsers and other programs do: `web_people.py RADSEAL`. Passwords, codes, cookies and what pages
of others cannot do, locks, logoff; tokens of an identity provider over real HTTPS, its keys exchanged; certificates of clients."""
import argparse
import base64
import contextlib
import http.client
import http.server
import json
import pathlib
import ssl
import subprocess
import tempfile
import threading
import time

from accounts import code_of
from web_server import LISTEN, Site, ask

FIRST, SECOND = "a first password", "a second password"


def openssl(*arguments, **options):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, **options).stdout


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def post(port, path, body=None, cookie=None, csrf=None):
    headers = {} | ({"Cookie": f"__Host-radseal={cookie}"} if cookie else {}) | ({"Radseal-CSRF": csrf} if csrf else {})
    status, headers, content = ask(port, path, method="POST", body=json.dumps(body) if body is not None else None,
                                   headers=headers)
    token = headers.get("set-cookie", "").partition("=")[2].partition(";")[0]
    return status, headers, json.loads(content) if content else None, token


def session(port, cookie):
    return ask(port, "/api/v1/session", headers={"Cookie": f"other=1; __Host-radseal={cookie}"})


def accounts(site, scratch):
    for name, text in (("first", FIRST), ("second", SECOND)):
        (scratch / name).write_text(text)
    site.run("key", "new", "lee", "--home", site.home, check=0)
    site.run("member", "grant", "lee", "--role", "radiologist", "--home", site.home, check=0)
    site.run("account", "add", "lee", "--as", "lee", "--password-file", scratch / "first", "--home", site.home, check=0)
    with site.serving("--http-accounts", listen=LISTEN) as port:
        good = {"name": "lee", "password": FIRST}
        assert post(port, "/api/v1/login", good | {"password": "wrong"})[0] == 401
        status, headers, told, cookie = post(port, "/api/v1/login", good)
        assert status == 200 and told["role"] == "radiologist" and told["must_change_password"], told
        attributes = {part.strip() for part in headers["set-cookie"].split(";")[1:]}
        assert attributes == {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"}, attributes
        assert session(port, cookie)[0] == 200 and session(port, "0" * 64)[0] == 401
        change = {"old": FIRST, "password": SECOND}
        assert post(port, "/api/v1/session/password", change, cookie)[0] == 401, "a forged request has no csrf"
        assert post(port, "/api/v1/session/password", change, cookie, "0" * 64)[0] == 401
        assert post(port, "/api/v1/session/password", change, cookie, told["csrf"])[0] == 204
        assert session(port, cookie)[0] == 401, "a new password ends all sessions"
        status, _, told, cookie = post(port, "/api/v1/login", good | {"password": SECOND})
        assert status == 200 and not told["must_change_password"]
        status, _, again, renewed = post(port, "/api/v1/session/refresh", None, cookie, told["csrf"])
        assert status == 200 and renewed != cookie and session(port, cookie)[0] == 401
        assert post(port, "/api/v1/logout", None, renewed, again["csrf"])[0] == 204 and session(port, renewed)[0] == 401
        # Beside the server, from a shell: codes are asked for at once, and disabling ends sessions at once.
        enrolled = json.loads(site.run("account", "totp", "lee", "--json", "--home", site.home, check=0).stdout)
        assert post(port, "/api/v1/login", good | {"password": SECOND})[0] == 401
        status, _, told, cookie = post(port, "/api/v1/login", good | {"password": SECOND,
                                                                      "code": code_of(enrolled["uri"], time.time())})
        assert status == 200 and session(port, cookie)[0] == 200
        site.run("member", "revoke", "lee", "--home", site.home, check=0)
        assert json.loads(session(port, cookie)[2])["role"] == "none", "a role that is gone is gone at once"
        site.run("account", "disable", "lee", "--home", site.home, check=0)
        assert session(port, cookie)[0] == 401
        for _ in range(4):
            last = post(port, "/api/v1/login", {"name": "nobody", "password": "x"})
        last = post(port, "/api/v1/login", {"name": "nobody", "password": "x"})
        assert last[0] == 429 and 0 < int(last[1]["retry-after"]) <= 5, last
        assert ask(port, "/api/v1/login", method="POST", body="[1]")[0] == 400
        assert ask(port, "/api/v1/login", method="POST", body="x" * 9000)[0] == 413
    said = site.said
    assert not any(secret in said for secret in (FIRST, SECOND, cookie, "lee", enrolled["recovery_codes"][0])), said
    print("accounts: cookie, csrf, refresh, logout, new password, codes, disabling, locks; nothing secret in the log")


def without_accounts(site):
    with site.serving(listen=LISTEN) as port:
        assert post(port, "/api/v1/login", {"name": "lee", "password": SECOND})[0] == 404


class Provider:
    """An identity provider: keys made by openssl, published over HTTPS with a certificate of an authority of its own."""

    def __init__(self, scratch):
        self.scratch, self.asked, self.number = scratch, 0, 0
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", scratch / "idp.key",
                "-out", scratch / "idp.pem", "-days", 2, "-subj", "/CN=idp", "-addext", "subjectAltName=IP:127.0.0.1")
        self.rotate()

    def rotate(self):
        self.number += 1
        self.key = self.scratch / f"signing{self.number}.pem"
        openssl("genpkey", "-algorithm", "ed25519", "-out", self.key)
        raw = openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER")[-32:]
        self.keys = {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": f"k{self.number}", "x": b64(raw)}]}

    def token(self, **claims):
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": "radseal", "iat": now, "exp": now + 60, "sub": "u1", "groups": ["night"]} | claims
        text = ".".join(b64(json.dumps(part).encode()) for part in ({"alg": "EdDSA", "kid": f"k{self.number}"}, claims))
        (self.scratch / "text").write_text(text)
        return text + "." + b64(openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.key, "-in", self.scratch / "text"))

    @contextlib.contextmanager
    def running(self):
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                provider.asked += 1
                body = json.dumps(provider.keys).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.scratch / "idp.pem", self.scratch / "idp.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.issuer = f"https://127.0.0.1:{server.server_port}"
        yield self
        server.shutdown()
        server.server_close()


def identities(site, scratch, provider):
    site.run("key", "new", "reader", "--home", site.home, check=0)
    site.run("member", "grant", "reader", "--role", "radiologist", "--home", site.home, check=0)
    rules = {"providers": [{"issuer": provider.issuer, "audience": "radseal", "jwks": provider.issuer + "/keys",
                            "authorities": str(scratch / "idp.pem")}],
             "tokens": [{"issuer": provider.issuer, "claims": {"groups": "night"}, "member": "reader", "role": "radiologist",
                         "rights": "metrics"}],
             "certificates": [{"san": "DNS:mr-1.example", "member": "reader", "rights": "metrics"}]}
    (scratch / "rules").write_text(json.dumps(rules))
    with site.serving("--http-identities", scratch / "rules", listen=LISTEN) as port:
        first = ask(port, "/metrics", provider.token())
        assert first[0] == 200, first
        for wrong in ({"groups": "day"}, {"aud": "other"}, {"exp": 1}, {"iss": "https://other.example"}):
            assert ask(port, "/metrics", provider.token(**wrong))[0] == 401, wrong
        assert ask(port, "/metrics", provider.token() + "A")[0] == 401 and provider.asked == 1
        assert ask(port, "/api/v1/session", provider.token())[0] == 403, "a right that the rule does not give"
        provider.rotate()
        assert ask(port, "/metrics", provider.token())[0] == 401 and provider.asked == 1, "not again within a minute"
    rules["tokens"][0]["role"] = "regulator"
    (scratch / "rules").write_text(json.dumps(rules))
    with site.serving("--http-identities", scratch / "rules", listen=LISTEN) as port:
        assert ask(port, "/metrics", provider.token())[0] == 401, "the member has not the rule's role"
    rules["tokens"][0]["member"] = "nobody"
    (scratch / "rules").write_text(json.dumps(rules))
    assert "nobody" in site.run("serve", "--home", site.home, *LISTEN, "--http-identities", scratch / "rules").stderr
    print("identity provider: keys by https, wrong claims, exchanged keys, roles")
    return rules


def certificates(site, scratch, rules):
    rules["tokens"] = []
    (scratch / "rules").write_text(json.dumps(rules))
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", scratch / "ca.key", "-out", scratch / "ca.pem", "-days", 2,
            "-subj", "/CN=authority")
    for name, extension in (("server", "IP:127.0.0.1"), ("mr-1", "DNS:mr-1.example"), ("mr-2", "DNS:mr-2.example")):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", scratch / f"{name}.key", "-out", scratch / f"{name}.csr", "-subj",
                f"/CN={name}")
        (scratch / "ext").write_text(f"subjectAltName={extension}\n")
        openssl("x509", "-req", "-in", scratch / f"{name}.csr", "-CA", scratch / "ca.pem", "-CAkey", scratch / "ca.key", "-out",
                scratch / f"{name}.pem", "-days", 2, "-extfile", scratch / "ext", "-CAcreateserial")
    with site.serving("--certificate", scratch / "server.pem", "--certificate-key", scratch / "server.key", "--authorities",
                      scratch / "ca.pem", "--http-identities", scratch / "rules", listen=("--https", "127.0.0.1:0")) as port:
        for name, expected in (("mr-1", 200), ("mr-2", 401), (None, 401)):
            context = ssl.create_default_context(cafile=scratch / "ca.pem")
            if name:
                context.load_cert_chain(scratch / f"{name}.pem", scratch / f"{name}.key")
            connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
            connection.request("GET", "/metrics")
            assert connection.getresponse().status == expected, name
            connection.close()
    print("certificates: by their names, others are nobody")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("radseal")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        site = Site(parser.parse_args().radseal, scratch / "node")
        site.init()
        accounts(site, scratch)
        without_accounts(site)
        with Provider(scratch).running() as provider:
            rules = identities(site, scratch, provider)
        certificates(site, scratch, rules)


if __name__ == "__main__":
    main()
