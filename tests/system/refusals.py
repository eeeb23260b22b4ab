"""Who and what is refused, at every door: `refusals.py RADSEAL`. Threats down, doors across: nobody, strangers, revoked members, wrong
roles, purposes and rights, consents that ended, paths that climb, bodies that are too large, tags that would be more than text. Each is
refused by its status and stands in the log under the request's number; nothing of it comes out."""
import contextlib
import csv
import io
import json
import pathlib
import re
import secrets
import sys
import tempfile
import time

from dicom_peer import EXPLICIT, Peer, explicit, meta
from dicomweb import DICOM, JSON, RELATED, body_of
from moves import BOTH, SECONDARY, Asker, instance
from mqtt_peer import free_port
from web_server import Site, ask, raw

STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
PATIENT, STUDY = "P1", "1.2.9.1"
SERIES, IMAGE = f"{STUDY}.1", f"{STUDY}.1.1"
GONE = "/studies/{0}/series/{1}/instances/{2}"
# Doors of the web: method, path, body, media. {object} is the image's address.
READING = {
    "QIDO studies": ("GET", "/studies"), "QIDO series": ("GET", f"/studies/{STUDY}/series"),
    "QIDO instances": ("GET", f"/studies/{STUDY}/instances"), "WADO study": ("GET", f"/studies/{STUDY}"),
    "WADO series": ("GET", f"/studies/{STUDY}/series/{SERIES}"), "WADO instance": ("GET", GONE.format(STUDY, SERIES, IMAGE)),
    "WADO metadata": ("GET", f"/studies/{STUDY}/metadata"), "WADO frames": ("GET", GONE.format(STUDY, SERIES, IMAGE) + "/frames/1"),
    "WADO rendered": ("GET", GONE.format(STUDY, SERIES, IMAGE) + "/rendered"), "REST object": ("GET", "/api/v1/objects/{object}"),
    "REST retrieve": ("POST", "/api/v1/retrieve", json.dumps({"subject": PATIENT})),
    "REST job": ("POST", "/api/v1/jobs", json.dumps({"kind": "extract", "files": ["a={object}", "b={object}"], "inputs": ["a", "b"]}))}
TELLING = {"REST log": ("GET", "/api/v1/log"), "REST members": ("GET", "/api/v1/members"), "REST series": ("GET", "/api/v1/series"),
           "REST quarantine": ("GET", "/api/v1/quarantine"), "REST audit": ("GET", "/api/v1/audit?about=all"),
           "REST verify": ("POST", "/api/v1/verify", b"x"), "events": ("GET", "/events"), "metrics": ("GET", "/metrics")}
WRITING = {"STOW": ("POST", "/studies", None, RELATED), "REST seal": ("POST", "/api/v1/seal", b"x" * 100),
           "REST consent": ("POST", "/api/v1/consents", json.dumps(
               {"subject": PATIENT, "organisation": "Radiology", "roles": ["researcher"], "purposes": ["research"], "operations": ["read"]})),
           "REST member": ("POST", "/api/v1/members", json.dumps({"who": "11" * 32, "role": "radiologist"})),
           "REST erase": ("POST", "/api/v1/erase", json.dumps({"subject": PATIENT, "ground": "objection"}))}
ALL = READING | TELLING | WRITING


class Web:
    """Asks, and remembers what the log must say of it."""

    def __init__(self, site, port, objects):
        self.site, self.port, self.objects, self.expected = site, port, objects, []

    def ask(self, door, token, statuses, word=""):
        method, path, body, media = (*ALL[door], None, None)[:4]
        if door == "STOW":
            sop_class, uid, data = instance(77, PATIENT, 1, 1)
            body = body_of([meta(sop_class, uid, EXPLICIT) + data])
        path, body = path.replace("{object}", self.objects), body.replace("{object}", self.objects) if isinstance(body, str) else body
        headers = {"Content-Type": media} if media else {}
        return self.raw(method, path, token, body, headers, statuses, word, door)

    def raw(self, method, path, token, body, headers, statuses, word="", door=""):
        status, answer, content = ask(self.port, path, token, method, body, headers)
        assert status in statuses, (door or path, status, statuses, content[:300])
        if status >= 400:
            assert json.loads(content)["detail"], content
        self.expected.append((answer["radseal-request"], status, word))
        return status, content

    def check_log(self):
        lines = {re.search(r" id=(\S+)", line)[1]: line for line in self.site.said.splitlines() if " event=http " in line}
        for number, status, word in self.expected:
            line = lines[number]
            assert f"status={status}" in line and word in line, (line, word)
            assert status < 400 and not word or "level=warning" in line, line
        return len(self.expected)


def grid(web, token):
    """By who asks: what each of the doors says."""
    for door in ALL:
        for stranger in (None, secrets.token_hex(32), "x"):
            web.ask(door, stranger, (401,))
        for who, word in (("gone", "REVOKED"), ("nobody", "UNKNOWN_SIGNER")):
            web.ask(door, token[who], (403,), word)
        web.ask(door, token["watcher" if door not in ("events", "metrics", "REST series", "REST quarantine") else "asker"], (403,))
    for door in READING:
        status, content = web.ask(door, token["regulator"], (200,) if door == "REST retrieve" else (403,), "" if door == "REST retrieve" else "PURPOSE")
        assert status == 403 or [(row["decision"], row["content"]) for row in json.loads(content)] == [("PURPOSE", None)], content
    for door in ("REST consent", "REST member", "REST erase"):
        web.ask(door, token["doctor"], (403,), "ROLE")


def by_consent(web, token, port, do, peers):
    """What is there while a consent lasts is not there before, nor when it ended."""
    def look(given):
        for door in READING:
            word = "" if given or door.startswith("REST") else "may" if door.startswith("QIDO") else "may see"
            statuses = (200, 202) if given else (200,) if door.startswith("QIDO") or door == "REST retrieve" else (403, 404)
            _, content = web.ask(door, token["scholar"], statuses, word)
            if door.startswith("QIDO"):
                assert (json.loads(content) != []) == given, (door, content)
            if door == "REST retrieve":
                assert [row["content"] is not None for row in json.loads(content)] == [given], content
                assert given or {row["decision"] for row in json.loads(content)} == {"NO_CONSENT"}, content
        for model, to in ((None, None), ("get", None), ("move", "SINK")):
            with Asker(port) as peer:
                peer.open(BOTH, **({"model": STUDY_FIND, "roles": []} if model is None else {}) |
                          ({"model": "1.2.840.10008.5.1.4.1.2.2.2", "roles": []} if to else {}), calling="STUDIES")
                if model is None:
                    assert len(found(peer)) == int(given)
                else:
                    peer.ask("study", {"StudyInstanceUID": STUDY}, to=to)
                    got, told, _ = peer.take()
                    count = told[-1][2] if to else len(got)
                    assert given or (count or 0) == 0, (told, given)
    began = time.time()
    look(False)
    until = time.time() + 3 * (time.time() - began) + 3  # as fast as this machine and build are
    do("consent", "grant", "--subject", PATIENT, "--organisation", "Radiology", "--roles", "researcher", "--purposes", "research",
       "--operations", "read,extract", "--until", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until)))
    look(True)
    time.sleep(max(0, until + 1 - time.time()))
    look(False)


def found(peer):
    from dicom_peer import command, values
    peer.send(*values(1, 1, command(e0002=STUDY_FIND, e0100=0x20, e0110=1, e0700=0, e0800=1), 4096),
              *values(1, 0, explicit(8, 0x52, "CS", "STUDY") + explicit(0x20, 0xD, "UI", ""), 4096))
    rows = []
    while True:
        elements, _, data = peer.message()
        if elements[0x900] not in (b"\0\xff", b"\1\xff"):
            return rows
        rows.append(data)


def strangers(port):
    """Titles that no line of the peers' file has, or not for this."""
    with Peer(port) as peer:
        assert peer.associate([(SECONDARY, [EXPLICIT])], calling="STRANGER") == 3
    with Peer(port) as peer:
        assert peer.associate([(SECONDARY, [EXPLICIT]), (STUDY_FIND, [EXPLICIT])], calling="PEER") == 2
        assert peer.accepted == {1: EXPLICIT}, "it may store, and ask for nothing"


def climbing(web, token):
    for path in ("/studies/../../etc/passwd", "/studies/%2e%2e%2f%2e%2e", "/studies/1.2/..%5c..", "/api/v1/objects/..%2f..%2fkeys%2fnode.key",
                 "/api/v1/objects/%2e%2e", "/studies/1.2.%00", "/studies/" + "1." * 200 + "1"):
        web.raw("GET", path, token["all"], None, {}, (400, 404))
    for name in ("../../../etc/passwd", "a/../b", "..", "\0x"):
        web.raw("GET", f"/api/v1/members/{name.encode().hex()}/history", token["all"], None, {}, (400, 404))
        body = json.dumps({"kind": "extract", "files": [], "texts": [f"{name}=x"], "inputs": [name]})
        web.raw("POST", "/api/v1/jobs", token["all"], body, {}, (400, 404, 422))


def oversized(web, token, port):
    for path in ("/api/v1/retrieve", "/api/v1/consents", "/api/v1/login", "/api/v1/envelopes", "/api/v1/seal"):
        answer = raw(web.port, f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token['all']}\r\nContent-Length: {1 << 36}\r\n"
                     "Connection: close\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 413"), (path, answer[:200])
        web.expected.append((re.search(rb"Radseal-Request: (\S+)", answer)[1].decode(), 413, ""))
    with contextlib.suppress(ConnectionError), Peer(port) as peer:
        assert peer.associate([(SECONDARY, [EXPLICIT])], calling="PEER") == 2
        peer.socket.sendall(bytes.fromhex("0400ffffffff") + bytes(100))  # a PDU of 4 GiB
        kind, _ = peer.receive()
        assert kind == 7, "aborted"


INJECTED = {  # what: the elements, and whether it is taken
    "a formula": ({(0x10, 0x10): ("PN", "=cmd|' /C calc'!A0"), (0x10, 0x20): ("LO", "=HYPERLINK(1)")}, True),
    "a script": ({(8, 0x1030): ("LO", "<script>alert(1)</script>"), (8, 0x80): ("LO", '"><img src=x onerror=alert(1)>')}, True),
    "terminal codes": ({(8, 0x103E): ("LO", "\x1b[2J\x1b]0;owned\x07")}, True),
    "quotes and braces": ({(8, 0x1030): ("LO", '","admin":true,"x":{"')}, True),
    "a private path": ({(0x11, 0x10): ("LO", "../../etc"), (0x11, 0x1001): ("UT", "file:///etc/passwd\0../../x")}, True),
    "a line of log": ({(0x10, 0x20): ("LO", "P1\r\ntime=2026-01-01 level=info event=forged")}, None),
    "a study that climbs": ({(0x20, 0xD): ("UI", "../../../../tmp/x")}, False),
    "a series of backslashes": ({(0x20, 0xE): ("UI", "1.2\\..\\..")}, False),
    "an instance with a line": ({(8, 0x18): ("UI", "1.2.3\r\nevent=forged")}, False),
    "an overlong study": ({(0x20, 0xD): ("UI", "1." * 40 + "1")}, False),
    "an overlong patient": ({(0x10, 0x20): ("LO", "P" * 5000)}, False)}


def injected(web, site, token, port, do):
    taken = []
    for number, (name, (changes, is_taken)) in enumerate(INJECTED.items()):
        rows = {(8, 0x16): ("UI", SECONDARY), (8, 0x18): ("UI", f"2.25.{500 + number}"), (0x10, 0x20): ("LO", f"I{number}"),
                (0x20, 0xD): ("UI", f"2.25.60{number}"), (0x20, 0xE): ("UI", f"2.25.61{number}")} | changes
        data = b"".join(explicit(*tag, *rows[tag]) for tag in sorted(rows))
        uid = rows[8, 0x18][1]
        with Peer(port) as peer:
            assert peer.associate([(SECONDARY, [EXPLICIT])], calling="PEER") == 2
            try:
                status = peer.store(1, SECONDARY, uid, data)
            except ConnectionError:  # a command that is none ends the association
                status = None
        assert is_taken is None or (status == 0) == is_taken, (name, status)
        body = body_of([meta(SECONDARY, uid, EXPLICIT) + data])
        web.raw_status = ask(web.port, "/studies", token["all"], "POST", body, {"Content-Type": RELATED, "Accept": JSON})[0]
        assert (web.raw_status == 200) == (status == 0), (name, web.raw_status, status)
        taken += [uid] if status == 0 else []
        for path in (f"/studies?PatientName=*&includefield=all", f"/studies/2.25.60{number}/metadata"):
            status, headers, content = ask(web.port, path, token["all"], headers={"Accept": JSON})
            assert headers["content-type"].startswith(("application/dicom+json", "application/problem+json")), headers
            json.loads(content)
            assert b"<script" not in content or headers["x-content-type-options"] == "nosniff"
    return taken


def check_outside(site, do, taken):
    """Of what was injected: lines of text, tables and documents are what they should be."""
    for line in site.said.splitlines():
        assert re.match(r"time=\S+ level=\w+ event=[a-z_]+ ", line + " ") and "event=forged" not in line.split('"')[0], line
    assert "\x1b" not in site.said
    said = do("find", "--level", "study", "PatientID", "PatientName", "StudyDescription", "StudyInstanceUID").stdout
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", said), said
    assert all(len(line.split("\t")) == 4 for line in said.splitlines()), said
    rows = json.loads(do("find", "--level", "image", "SOPInstanceUID", "PatientID", "--json").stdout)
    assert set(taken) <= {row["SOPInstanceUID"] for row in rows}, rows
    do("retrieve", "--subject", "=HYPERLINK(1)", "--purpose", "operations", "--output", site.home.parent / "out")
    told = do("audit", "subject", "--subject", "=HYPERLINK(1)", "--identify", "--format", "csv").stdout
    assert "'=HYPERLINK(1)" in told, "named, as a text"
    for row in csv.reader(io.StringIO(told)):
        assert not any(cell[:1] in "=+-@\t\r" for cell in row if cell), row


def main(program):
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        site = Site(program, scratch / "node")
        site.init()

        def do(*arguments):
            return site.run(*arguments, "--home", site.home, "--quiet", check=0)
        for who, role in (("scholar", "researcher"), ("gone", "radiologist"), ("nobody", None), ("doctor", "radiologist"), ("regulator", "regulator")):
            do("key", "new", who)
            if role:
                do("member", "grant", who, "--role", role)
        sop_class, uid, data = instance(1, PATIENT, 1, 1)
        (scratch / "one.dcm").write_bytes(meta(sop_class, uid, EXPLICIT) + data)
        objects = pathlib.Path(json.loads(site.seal(scratch / "one.dcm").stdout)[0]["receipt"]).name.removesuffix(".tlog-proof")
        tokens = site.tokens(scratch, all="node all", scholar="scholar all research", gone="gone all treatment", nobody="nobody all",
                             doctor="doctor all treatment", regulator="regulator all treatment", watcher="node watch,metrics",
                             asker="node query,retrieve,store,manage")
        (scratch / "peers").write_text("PEER * store\nSTUDIES * get,find,move purpose=research\nSINK 127.0.0.1:9 store\n")
        do("member", "revoke", "gone")
        steps = {"scholar": lambda web, port: by_consent(web, site.token, port, do, scratch / "peers"),
                 None: lambda web, port: (grid(web, site.token), strangers(port), climbing(web, site.token), oversized(web, site.token, port))}
        for who, step in steps.items():
            port_of_web = free_port()
            with site.serving("--http-tokens", tokens, "--peers", scratch / "peers", *(["--as", who] if who else []), "--http",
                              f"127.0.0.1:{port_of_web}") as port:
                web = Web(site, port_of_web, objects)
                step(web, port)
            print(f"{'a consent that ended' if who else 'strangers, roles, paths, sizes'}: {web.check_log()} requests refused as the log tells")
            if who:
                refused = [line for line in site.said.splitlines() if "not_permitted=1" in line and "level=warning" in line]
                assert len([line for line in refused if "event=query" in line]) == 2, refused
                assert len([line for line in refused if "event=retrieval" in line]) == 4, refused
            else:
                assert "event=association_rejected" in site.said and "a PDU of type" in site.said, site.said[-3000:]
        with site.serving("--http-tokens", tokens, "--http", f"127.0.0.1:{port_of_web}") as port:
            web = Web(site, port_of_web, objects)
            taken = injected(web, site, site.token, port, do)
        check_outside(site, do, taken)
        print(f"injected tags: {len(INJECTED)} kinds; {len(INJECTED) - len(taken)} refused, and what was taken stays text")
        site.fsck(check=0)


if __name__ == "__main__":
    main(sys.argv[1])
