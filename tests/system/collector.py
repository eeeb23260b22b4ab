"""Audit messages out, as a collector meets them: `collector.py RADSEAL`. A collector in Python speaks syslog over TLS (RFC 5425); it
is away, comes, breaks connections in the middle, and the server is killed: every entry of the ledger and every login arrives, in
order, doubles are told apart by their place, and each message is what RFC 5424 and PS3.15 A.5 say."""
import argparse
import contextlib
import http.client
import json
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import xml.etree.ElementTree

from node_tools import write_nifti
from web_people import openssl, post
from web_server import LISTEN, Site, ask

HEADER = re.compile(r"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S+) radseal (\d+) DICOM\+RFC3881 - \ufeff", re.ASCII)
# PS3.15 A.5.1: the order of elements, and what each must have.
ORDER = ["EventIdentification", "ActiveParticipant", "AuditSourceIdentification", "ParticipantObjectIdentification"]
NEEDED = {"EventIdentification": {"EventActionCode", "EventDateTime", "EventOutcomeIndicator"}, "ActiveParticipant":
          {"UserID", "UserIsRequestor"}, "AuditSourceIdentification": {"AuditSourceID"}, "ParticipantObjectIdentification":
          {"ParticipantObjectID", "ParticipantObjectTypeCode", "ParticipantObjectTypeCodeRole"}}


class Collector:
    def __init__(self, scratch):
        self.scratch, self.messages, self.port, self.break_after = scratch, [], 0, None
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", scratch / "c.key",
                "-out", scratch / "c.pem", "-days", 2, "-subj", "/CN=collector", "-addext", "subjectAltName=IP:127.0.0.1")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def serve(self, connection):
        """Octet counting: a number, a space, so many bytes."""
        data, taken = b"", 0
        with contextlib.suppress(OSError, ssl.SSLError):
            while piece := connection.recv(4096):
                data += piece
                while (head := re.match(rb"([1-9]\d{0,5}) ", data)) and len(data) >= head.end() + int(head[1]):
                    end = head.end() + int(head[1])
                    self.messages.append(data[head.end():end].decode())
                    data, taken = data[end:], taken + 1
                    if self.break_after and taken == self.break_after:
                        # Without a word, what lies unread lost: as when a collector dies.
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                        return connection.close()
                assert not data or head or re.match(rb"\d{0,6}$", data), data[:80]

    @contextlib.contextmanager
    def running(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.scratch / "c.pem", self.scratch / "c.key")
        listener = socket.create_server(("127.0.0.1", self.port))
        open_ones, stop = [], threading.Event()

        def accept():
            while not stop.is_set():
                with contextlib.suppress(OSError, ssl.SSLError):
                    connection = context.wrap_socket(listener.accept()[0], server_side=True)
                    open_ones.append(connection)
                    threading.Thread(target=self.serve, args=(connection,), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()
        yield self
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for one in open_ones:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
                one.close()

    def read(self):
        return [parse(message) for message in self.messages]

    def wait_for(self, what, seconds=30):
        until = time.monotonic() + seconds
        while not what(self.read()):
            assert time.monotonic() < until, [place(event) for event in self.read()]
            time.sleep(0.1)


def parse(message):
    header = HEADER.match(message)
    assert header and header[1] == "85", message[:200]
    root = xml.etree.ElementTree.fromstring(message[header.end():])
    assert root.tag == "AuditMessage"
    indices = [ORDER.index(child.tag) for child in root]
    assert indices == sorted(indices) and {0, 1, 2} <= set(indices), indices
    for child in root:
        assert NEEDED[child.tag] <= set(child.attrib), child.attrib
    for code in root.iter():
        if code.tag.endswith("Code") or code.tag == "EventID" or code.tag == "PurposeOfUse":
            assert set(code.attrib) == {"csd-code", "codeSystemName", "originalText"} and code.attrib["csd-code"], code.attrib
    return root


def place(event):
    kind, _, number = event.find("ParticipantObjectIdentification").attrib["ParticipantObjectID"].partition("#")[2].partition("-")
    return kind, int(number)


def code(event):
    kind = event.find("EventIdentification/EventTypeCode")
    return event.find("EventIdentification/EventID").attrib["csd-code"], None if kind is None else kind.attrib["csd-code"]


def entries(events):
    return {number for kind, number in map(place, events) if kind == "entry"}


def in_order(events, entry=0, event=1):
    """Each stream begins again behind a break, and only where it had not been confirmed: it never jumps ahead."""
    for kind, highest in (("entry", entry - 1), ("event", event - 1)):
        for number in (number for one, number in map(place, events) if one == kind):
            assert number <= highest + 1, (kind, number, highest)
            highest = max(highest, number)


def size(site):
    return len(json.loads(site.run("log", "--json", "--home", site.home, check=0).stdout)["entries"])


def seal(site, scratch, seed):
    write_nifti(scratch / "x.nii", seed)
    site.run("seal", scratch / "x.nii", "--subject", f"P{seed}", "--home", site.home, check=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("radseal")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        site = Site(parser.parse_args().radseal, scratch / "node")
        site.init()
        for seed in range(3):
            seal(site, scratch, seed)
        collector = Collector(scratch)
        arguments = ("--syslog", f"127.0.0.1:{collector.port}", "--syslog-authorities", scratch / "c.pem", "--http-accounts")

        with site.serving(*arguments, listen=LISTEN) as port:  # nobody is there: it serves nevertheless
            assert post(port, "/api/v1/login", {"name": "nobody", "password": "x"})[0] == 401
            assert ask(port, "/metrics")[0] == 401
        assert not collector.messages and "reason=" in site.said and "collector" in site.said, site.said
        with collector.running(), site.serving(*arguments, listen=LISTEN):
            total = size(site)
            collector.wait_for(lambda events: entries(events) == set(range(total)) and len(events) >= total + 5)
            time.sleep(2.5)
        first = collector.read()
        codes = [code(event) for event in first]
        for wanted in (("110100", "110120"), ("110114", "110122"), ("110113", "110126"), ("110100", "110121"),
                       ("110107", None), ("110113", "110137")):
            assert wanted in codes, (wanted, codes)
        login = next(event for event in first if code(event) == ("110114", "110122"))
        assert login.find("EventIdentification").attrib["EventOutcomeIndicator"] == "8"
        assert login.find("ActiveParticipant").attrib["NetworkAccessPointID"] == "127.0.0.1"
        in_order(first)
        assert len(first) == len(set(map(place, first))), "nothing broke, so nothing came twice"

        collector.messages.clear()
        for seed in range(3, 6):
            seal(site, scratch, seed)
        with collector.running(), site.serving(*arguments, listen=LISTEN):
            collector.wait_for(lambda events: entries(events) == set(range(total, size(site))))
        assert min(entries(collector.read())) == total, "what was confirmed does not come again"

        # Connections that break after three messages, then a server that is killed: nothing is lost.
        collector.messages.clear()
        before = size(site)
        for seed in range(6, 12):
            seal(site, scratch, seed)
        collector.break_after = 3
        with collector.running():
            with site.serving(*arguments, listen=LISTEN):
                collector.wait_for(lambda events: len(events) >= 9)
            collector.break_after = None
            for _ in range(4):
                with site.serving(*arguments, listen=LISTEN, end=signal.SIGKILL) as port:
                    post(port, "/api/v1/login", {"name": "nobody", "password": "x"})
            with site.serving(*arguments, listen=LISTEN):
                collector.wait_for(lambda events: entries(events) == set(range(before, size(site)))
                                   and sum(code(event) == ("110114", "110122") for event in
                                           {place(event): event for event in events}.values()) == 4)
            events = collector.read()
        in_order(events, before, min(number for kind, number in map(place, events) if kind == "event"))
        wrong = [argument if argument != scratch / "c.pem" else "/etc/ssl/certs/ca-certificates.crt" for argument in arguments]
        if pathlib.Path(wrong[3]).exists():
            collector.messages.clear()
            with collector.running(), site.serving(*wrong, listen=LISTEN):
                time.sleep(1)
            assert not collector.messages and "certificate" in site.said, "a stranger is told nothing"
        secrets = [text for text in ("nobody", "P1") if any(f">{text}<" in m or f'"{text}"' in m for m in collector.messages)]
        assert not secrets, secrets
    print("collector: away, back, broken and killed: every entry and login came, in order; messages as the standards say")


if __name__ == "__main__":
    main()
