"""FHIR AuditEvents out, as a repository meets them: `collector_fhir.py RADSEAL`. A small FHIR server in Python (HTTPS, POST of
AuditEvent, IHE ITI-20) is away, comes, refuses for a while, cuts connections before it answers, and the server is killed: every
entry of the ledger and every login arrives, doubles are told apart by their place, what was answered does not come again, and
each resource is what hl7.org/fhir/R4/auditevent.html says. Beside it a collector of syslog is told the same."""
import argparse
import contextlib
import http.server
import json
import pathlib
import signal
import ssl
import tempfile
import threading

from audit_formats import judge_event
from collector import Collector, seal, size, entries as entries_of_syslog
from web_people import post
from web_server import LISTEN, Site, ask


class Repository(Collector):
    """keep: whether connections stay open; faults: what becomes of the next requests: "cut", a status, or None for 201."""

    def __init__(self, scratch):
        super().__init__(scratch)
        self.keep, self.faults, self.connections, self.wanted = True, [], 0, "/fhir/AuditEvent"

    def running(self):
        return self.answering()

    @contextlib.contextmanager
    def answering(self):
        repository = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                repository.connections += 1
                super().setup()

            def do_POST(self):
                assert self.path == repository.wanted and self.headers["Content-Type"].startswith("application/fhir+json")
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                fault = repository.faults.pop(0) if repository.faults else None
                if fault == "cut":
                    self.close_connection = True
                    return
                if fault is None:
                    repository.messages.append(event)
                self.send_response(fault or 201)
                self.send_header("Content-Length", "0")
                if repository.keep:
                    self.send_header("Connection", "keep-alive")
                else:
                    self.close_connection = True
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.scratch / "c.pem", self.scratch / "c.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def read(self):
        return list(self.messages)


def place(event):
    """As the last entity has it: ("entry" or "event", number)."""
    identifier = event["entity"][-1]["what"]["identifier"]
    return identifier["system"].rpartition("/")[2], int(identifier["value"])


def entries(events):
    return {number for kind, number in map(place, events) if kind == "entry"}


def code(event):
    return event["type"]["code"], event.get("subtype", [{}])[0].get("code")


def start(site, scratch, repository, arguments):
    """Away, then there: all of it, once, and valid."""
    with site.serving(*arguments, listen=LISTEN) as port:
        assert post(port, "/api/v1/login", {"name": "nobody", "password": "x"})[0] == 401
        assert ask(port, "/metrics")[0] == 401
    assert not repository.messages and "collector" in site.said, site.said
    syslog = Collector(scratch)
    with repository.running(), syslog.running(), site.serving(
            *arguments, "--syslog", f"127.0.0.1:{syslog.port}", "--syslog-authorities", scratch / "c.pem", listen=LISTEN):
        total = size(site)
        repository.wait_for(lambda events: entries(events) == set(range(total)) and len(events) >= total + 5)
        syslog.wait_for(lambda events: entries_of_syslog(events) == set(range(total)))
    events = repository.read()
    for event in events:
        judge_event(event)
    assert len(events) == len(set(map(place, events))), "nothing broke, so nothing came twice"
    codes = set(map(code, events))
    assert {("110100", "110120"), ("110114", "110122"), ("110113", "110126"), ("110100", "110121"), ("originate", None),
            ("110113", "110137")} <= codes, codes
    login = next(event for event in events if code(event) == ("110114", "110122"))
    assert login["outcome"] == "8" and login["agent"][0]["network"] == {"address": "127.0.0.1", "type": "2"}, login
    assert repository.connections <= 3, "connections that the server keeps are used again"
    return total


def faults(site, scratch, repository, arguments, total):
    repository.messages.clear()
    for seed in range(3, 6):
        seal(site, scratch, seed)
    repository.keep, repository.faults = False, ["cut", 503, None, "cut", 401]
    with repository.running():
        with site.serving(*arguments, listen=LISTEN):
            repository.wait_for(lambda events: entries(events) == set(range(total, size(site))), 60)
        assert min(entries(repository.read())) == total, "what was answered does not come again"
        assert "503" in site.said and "401" in site.said, site.said
        for _ in range(3):
            with site.serving(*arguments, listen=LISTEN, end=signal.SIGKILL) as port:
                post(port, "/api/v1/login", {"name": "nobody", "password": "x"})
        with site.serving(*arguments, listen=LISTEN):
            repository.wait_for(lambda events: sum(code(event) == ("110114", "110122") for event in
                                                   {place(event): event for event in events}.values()) == 3)
    for event in repository.read():
        judge_event(event)
    assert not any(text in json.dumps(repository.messages) for text in ("nobody", '"P1"', '"P4"'))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("radseal")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        site = Site(parser.parse_args().radseal, scratch / "node")
        site.init()
        for seed in range(3):
            seal(site, scratch, seed)
        repository = Repository(scratch)
        arguments = ("--fhir-audit", f"https://127.0.0.1:{repository.port}/fhir/AuditEvent", "--fhir-audit-authorities",
                     scratch / "c.pem", "--http-accounts")
        total = start(site, scratch, repository, arguments)
        faults(site, scratch, repository, arguments, total)
        repository.messages.clear()
        bad = site.run("serve", "--home", site.home, *LISTEN, "--fhir-audit", "http://127.0.0.1:1/x", check=2)
        assert "https://" in bad.stderr, bad.stderr
        with repository.running(), site.serving("--fhir-audit", arguments[1], listen=LISTEN):
            repository.wait_for(lambda _: True)
            threading.Event().wait(1)
        assert not repository.messages and "certificate" in site.said, "a stranger is told nothing"
    print("collector of FHIR: away, refusing, cutting, killed: every entry and login came; AuditEvents as R4 has them")


if __name__ == "__main__":
    main()
