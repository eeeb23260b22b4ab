"""The REST interface against its own description: `rest.py RADSEAL`. Every operation of the OpenAPI document is called, every answer
held against its schema by code of its own, and what the ledger says afterwards against what the command line tells."""
import argparse
import base64
import json
import pathlib
import re
import socket
import struct
import tempfile
import time
import urllib.parse

from beside import Clients
from node_tools import write_nifti
from web_server import LISTEN, Site, ask

METHODS = {"get", "post", "put", "delete"}


def fits(schema, value, where="answer"):
    """As much of JSON Schema as the document uses; what is none of that is a fault of the document."""
    known = {"type", "properties", "required", "additionalProperties", "items", "enum", "oneOf", "pattern", "minimum"}
    assert set(schema) <= known, (where, set(schema) - known)
    if "oneOf" in schema:
        assert any(not faults(one, value) for one in schema["oneOf"]), (where, value, schema)
        return True
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    if "type" in schema:
        good = isinstance(value, kinds[schema["type"]]) and (schema["type"] != "integer" or value is not True and value is not False)
        assert good, (where, value, schema["type"])
    assert "enum" not in schema or value in schema["enum"], (where, value)
    assert "pattern" not in schema or re.search(schema["pattern"], value), (where, value)
    assert "minimum" not in schema or value >= schema["minimum"], (where, value)
    if isinstance(value, dict) and "properties" in schema:
        assert set(schema["required"]) <= set(value) <= set(schema["properties"]), (where, value)
        for key, one in value.items():
            fits(schema["properties"][key], one, f"{where}.{key}")
    if isinstance(value, list) and "items" in schema:
        for one in value:
            fits(schema["items"], one, where + "[]")
    return True


def faults(schema, value):
    try:
        fits(schema, value)
    except AssertionError as fault:
        return fault
    return None


def check_document(document):
    """The rules of OpenAPI 3.1 that a table of operations could break."""
    assert document["openapi"].startswith("3.1.") and document["info"]["version"]
    seen = set()
    for path, item in document["paths"].items():
        assert path.startswith("/api/v1/") and set(item) <= METHODS, path
        for method, operation in item.items():
            assert operation["operationId"] not in seen and operation["summary"] and operation["responses"], (path, method)
            seen.add(operation["operationId"])
            declared = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path)), path
            for one in operation["parameters"]:
                assert one["in"] != "path" or one["required"], one
            assert ("requestBody" in operation) <= (method in ("post", "put")), path
            for answer in operation["responses"].values():
                assert "$ref" in answer or answer["description"], path
                assert answer.get("$ref", "#/components/responses/Problem") == "#/components/responses/Problem"
    return seen


class Api:
    """Calls operations by their names in the document."""

    def __init__(self, port, token):
        self.port, self.token, self.called = port, token, set()
        status, _, content = ask(port, "/api/v1/openapi.json")
        assert status == 200
        self.document = json.loads(content)
        self.operations = {operation["operationId"]: (method, path, operation) for path, item in self.document["paths"].items()
                           for method, operation in item.items()}

    def do(self, name, body=None, expect=None, query=None, path=None, token=None, purpose=None):
        method, where, operation = self.operations[name]
        where = where.replace("{name}", path or "") + ("?" + urllib.parse.urlencode(query) if query else "")
        if isinstance(body, dict):
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            assert expect == 400 or not faults(schema, body), faults(schema, body)
            body = json.dumps(body)
        status, headers, content = ask(self.port, where, token or self.token, method.upper(), body,
                                       {"Radseal-Purpose": purpose} if purpose else {})
        self.called.add(name)
        good = next(code for code in operation["responses"] if code != "default")
        assert status == (expect or int(good)), (name, status, content[-500:])
        if str(status) != good:
            problem = json.loads(content)
            schema = self.document["components"]["responses"]["Problem"]["content"]["application/problem+json"]["schema"]
            assert fits(schema, problem)
            return problem
        answer = operation["responses"][good].get("content", {})
        if "application/json" not in answer or not headers["content-type"].startswith("application/json"):
            return content
        value = json.loads(content)
        fits(answer["application/json"]["schema"], value, name)
        return value


def people(api, site):
    for name in ("doctor", "scanner", "scanner-2", "doctor-2", "patient", "onc"):
        site.run("key", "new", name, "--home", site.home, check=0)
    assert api.do("post-organisations", {"name": "Oncology", "kind": "oncology", "administrator": "onc"})["entry"] > 0
    assert [row["kind"] for row in api.do("get-organisations") if row["name"] == "Oncology"] == ["oncology"]
    api.do("post-members", {"who": "doctor", "role": "radiologist", "until": "2099-01-01", "name": "Dr. Example"})
    assert "role is one of" in api.do("post-members", {"who": "doctor", "role": "king"}, expect=400)["detail"]
    assert "who is missing" in api.do("post-members", {"role": "radiologist"}, expect=400)["detail"]
    assert "'crown' is not known" in api.do("post-members", {"who": "doctor", "role": "radiologist", "crown": 1}, 400)["detail"]
    assert "who is no text" in api.do("post-members", {"who": 7, "role": "radiologist"}, expect=400)["detail"]
    row = next(row for row in api.do("get-members") if row["name"] == "Dr. Example")
    assert (row["role"], row["until"], row["state"]) == ("radiologist", "2099-01-01T00:00:00.000Z", "valid"), row
    told = json.loads(site.run("member", "list", "--json", "--home", site.home, check=0).stdout)
    assert {row["key"] for row in told} == {row["key"] for row in api.do("get-members")}
    api.do("post-devices", {"who": "scanner", "name": "MR"})
    api.do("post-devices-rotate", {"who": "scanner", "successor": "scanner-2"})
    api.do("delete-devices-name", path="scanner-2")
    assert {row["state"] for row in api.do("get-devices")} == {"revoked"}, api.do("get-devices")
    assert [event["type"] for event in api.do("get-members-name-history", path="doctor")]
    api.do("delete-members-name-name", path="doctor")
    assert api.do("delete-members-name", path="nobody", expect=404)["code"] == "NOT_FOUND"
    assert api.do("get-series") == [] and api.do("get-quarantine") == [], "no device sent anything"
    print("people: organisations, members, devices, histories, names; what is wrong is told by its field")


def data(api, site, reader, scratch):
    sealed = (scratch / "sealed.nii").read_bytes()
    assert api.do("post-verify", sealed)["verdict"] == "genuine"
    assert api.do("post-verify", sealed[:-1] + b"!")["verdict"] == "unknown"
    write_nifti(scratch / "new.nii", 8)
    new = (scratch / "new.nii").read_bytes()
    made = api.do("post-seal", new, query={"subject": "P2"})
    assert made["outcome"] == "sealed" and "nifti" in made["media"] and made["size"] == len(new), made
    (scratch / "new.tlog-proof").write_text(made["receipt"])
    site.run("verify", scratch / "new.nii", "--offline", "--receipt", scratch / "new.tlog-proof", "--key", api.do("get-log")["key"],
             check=0)
    assert api.do("post-seal", new, query={"subject": "P2"})["outcome"] == "known"
    assert api.do("post-seal", b"no image at all", expect=415)["detail"]
    refused = api.do("post-retrieve", {"subject": "P1"}, token=reader, purpose="research")
    assert refused[0]["content"] is None and refused[0]["decision"] != "permitted" and refused[0]["entry"] is not None, refused
    given = api.do("post-retrieve", {"subject": "P1", "operation": "read"}, token=reader, purpose="treatment")
    cid = {base64.b64decode(row["content"]): row["object"] for row in given}[sealed]
    assert api.do("get-objects-name", path=cid, token=reader) == sealed
    assert api.do("get-objects-name", path=cid, token=reader, query={"receipt": ""}).startswith(b"c2sp.org/tlog-proof")
    assert ": " in api.do("get-objects-name", path=cid, token=reader, purpose="research", expect=403)["detail"]
    assert ": " in api.do("get-objects-name", path=cid, token=reader, query={"purpose": "research"}, expect=403)["detail"]
    api.do("get-objects-name", path=cid, token=reader, query={"purpose": "curiosity"}, expect=400)
    assert api.do("get-objects-name", path="b" + "a" * 58, token=reader, expect=400)["detail"]
    entries = api.do("get-audit", query={"about": "member", "id": "reader"})
    assert len(entries["lines"]) >= 5, entries
    print("data: verified, refused with an entry, given out bit for bit with a receipt; the ledger tells of each request")


def consents(api):
    terms = {"organisation": "Oncology", "roles": ["oncologist"], "purposes": ["research"], "operations": ["read", "extract"]}
    made = api.do("post-consents", {"subject": "P1", "before": "2090-01-01"} | terms)
    assert "operations is one of" in api.do("post-consents", {"subject": "P1"} | terms | {"operations": ["burn"]}, 400)["detail"]
    api.do("post-consents-name-narrow", {"operations": ["read"]}, path=made["consent"])
    known = api.do("post-subjects-find", {"subject": "P1"})
    assert known["objects"] >= 2 and known["acted_for_by"] is None, known
    api.do("post-subjects-find", {"subject": "P1", "issuer": "elsewhere"}, expect=404)
    row = api.do("get-consents", query={"subject": "P1"})[0]
    assert row["subject"] == known["token"]
    assert row["operations"] == ["read"] and not row["revoked"] and row["before"] == "2090-01-01T00:00:00.000Z", row
    api.do("delete-consents-name", path=made["consent"][:12])
    assert api.do("get-consents", query={"token": row["subject"]})[0]["revoked"]
    assert base64.b64decode(made["token"])
    print("consents: given, narrowed, revoked, listed")
    return row["subject"]


def emergencies(api, reader):
    broken = api.do("post-break-glass", {"subject": "P1", "reason": "stroke"}, token=reader)
    row = api.do("get-break-glass", token=reader)[0]
    assert (row["id"], row["review"], row["reason"]) == (broken["id"], "open", "stroke"), row
    api.do("post-break-glass-name-review", {"outcome": "justified", "reason": "it was"}, path=broken["id"], token=reader, expect=403)
    api.do("post-break-glass-name-review", {"outcome": "justified", "reason": "it was"}, path=broken["id"])
    assert api.do("get-break-glass") == [] and api.do("get-break-glass", query={"all": "true"})[0]["review"] == "justified"
    print("emergencies: glass broken for a reason, reviewed by somebody else only")


def proofs(api, site, subject, scratch):
    log = api.do("get-log")
    proof = api.do("get-log-name-proof", path="0")
    (scratch / "p.tlog-proof").write_bytes(proof)
    site.run("audit", "check", scratch / "p.tlog-proof", "--key", log["key"], check=0)
    api.do("get-log-name-proof", path="999999", expect=404)
    claim = api.do("post-prove", {"kind": "consents", "what": subject})
    (scratch / "claim").write_bytes(claim)
    site.run("prove", "--check", scratch / "claim", "--key", log["key"], check=0)
    for query in ({"about": "subject", "subject": "P1"}, {"about": "all", "from": "2020-01-01"}, {"about": "anomalies", "burst": 2},
                  {"about": "subject", "token": subject, "format": "fhir"}, {"about": "all", "format": "csv"}):
        assert api.do("get-audit", query=query), query
    assert "about is missing" in api.do("get-audit", expect=400)["detail"]
    assert "from is no time" in api.do("get-audit", query={"about": "all", "from": "yesterday"}, expect=400)["detail"]
    print("proofs: checkpoint, entry and claim hold offline; audits in three formats")


def jobs(api, reader, other, scratch):
    cids = {api.do("post-retrieve", {"objects": [cid]}, token=reader)[0]["content"]: cid for cid in
            (row["object"] for row in api.do("post-retrieve", {"subject": "P1"}, token=reader))}
    image, mask = (cids[base64.b64encode((scratch / name).read_bytes()).decode()] for name in ("sealed.nii", "mask.nii"))
    order = {"kind": "extract", "files": [f"i.nii={image}", f"m.nii={mask}"], "inputs": ["i.nii", "m.nii"]}
    assert ": " in api.do("post-jobs", order, token=reader, purpose="research", expect=403)["detail"]
    for wrong in ({"inputs": ["--help"]}, {"files": [f"../x={image}"]}, {"inputs": []}, {"texts": ["noname"]}):
        api.do("post-jobs", order | wrong, token=reader, expect=400)
    job = api.do("post-jobs", order, token=reader)["id"]
    events = api.do("get-jobs-name-events", path=job, token=reader).decode().split("\n\n")[:-1]
    assert [event.split("\n")[0] for event in events][-1] == "event: end" and '"done"' in events[-1], events
    assert all(json.loads(event.partition("data: ")[2])["elapsed_ms"] >= 0 for event in events)
    told = api.do("get-jobs-name", path=job, token=reader)
    assert (told["state"], told["done"], told["total"], told["percent"]) == ("done", 1, 1, 100), told
    assert json.loads(events[-1].partition("data: ")[2])["percent"] == 100
    rows = [f"{number},{number % 2},{number % 7},{(number * 5) % 11}\n" for number in range(60)]
    train = api.do("post-jobs", {"kind": "train", "inputs": ["s.yaml"], "texts": [
        "t.csv=id,late,a,b\n" + "".join(rows), "s.yaml=tables: t.csv\nid: id\ntarget: {class: {column: late}}\nfeatures: {all: [a, b]}\n"
        "model: {forest: {trees: 20}}\nfolds: 3\nrepeats: 20\nseed: 1\nsynthetic: yes\n"]}, token=reader)["id"]
    events = [json.loads(event.partition("data: ")[2]) for event in
              api.do("get-jobs-name-events", path=train, token=reader).decode().split("\n\n")[:-1]]
    steps = [event["percent"] for event in events if event["percent"] is not None]
    assert events[-1]["state"] == "done", api.do("get-jobs-name", path=train, token=reader)
    assert steps == sorted(steps) and steps[-1] == 100 and events[-1]["total"] == 21, events
    table = api.do("get-jobs-name-result", path=job, token=reader).decode()
    assert "original_firstorder_Mean" in table or "Mean" in table, table[:300]
    api.do("get-jobs-name", path=job, token=other, expect=404)
    api.do("delete-jobs-name", path=job, token=reader)
    api.do("get-jobs-name", path=job, token=reader, expect=404)
    bad = api.do("post-jobs", {"kind": "train", "texts": ["s.yaml=no study"], "inputs": ["s.yaml"]}, token=reader)["id"]
    api.do("get-jobs-name-events", path=bad, token=reader)
    told = api.do("get-jobs-name", path=bad, token=reader)
    assert told["state"] == "failed" and told["reason"], told
    print("jobs: measured what the contract allows, told by events, the caller's alone; what fails says why")


def revocations(api):
    api.do("post-members-rotate", {"who": "doctor", "successor": "doctor-2"})
    api.do("post-members-act-for", {"who": "patient", "subject": "P1"}, expect=403)
    api.do("post-members", {"who": "patient", "role": "patient"})
    api.do("post-members-act-for", {"who": "patient", "subject": "P1"})
    api.do("delete-members-name", path="doctor-2")


def erasure(api, site, log, scratch):
    done = api.do("post-erase", {"subject": "P1", "ground": "consent-withdrawn"})
    assert done["objects"] == 2 and done["ground"] == "consent-withdrawn", done
    (scratch / "certificate").write_text(done["certificate"])
    site.run("erase", "verify", scratch / "certificate", "--key", log["key"], check=0)
    api.do("post-erase", {"subject": "P1"}, expect=404)
    api.do("post-retrieve", {"subject": "P1"}, expect=404)
    print("erasure: with a certificate that holds offline; nothing of the subject is found any more")


def beside_scanners(site, scratch):
    """REST takes turns with what comes in by DICOM: nobody's answer is lost or refused, and the ledger is sound."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tokens = site.tokens(scratch, admin="node all operations")
    with site.serving("--http", f"127.0.0.1:{port}", "--http-tokens", tokens, listen=("--dicom", "127.0.0.1:0")) as dicom:
        api = Api(port, site.token["admin"])
        with Clients(dicom, 300000, ["S1", "S2", "E0"], clients=2) as clients:
            while not any(patient == "E0" for patient, _ in clients.stored):
                time.sleep(0.05)
            for number in range(6):
                write_nifti(scratch / "beside.nii", 100 + number, side=8)
                assert api.do("post-seal", (scratch / "beside.nii").read_bytes(), query={"subject": "S9"})["outcome"] == "sealed"
                site.run("key", "new", f"b{number}", "--home", site.home, check=0)
                api.do("post-members", {"who": f"b{number}", "role": "researcher"})
                assert len(api.do("post-retrieve", {"subject": "S9"})) == number + 1
            api.do("post-erase", {"subject": "E0"})
            before = len(clients.stored)
            while len(clients.stored) < before + 5:
                time.sleep(0.05)
        odd = [patient for patient, _ in clients.odd if patient != "E0"]
        assert not odd and max(clients.waits) < 10, (odd, max(clients.waits))
    site.fsck(check=0)
    print(f"beside scanners: {len(clients.stored)} instances stored meanwhile, the longest wait {max(clients.waits) * 1000:.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("radseal")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        site = Site(parser.parse_args().radseal, scratch / "node")
        site.init()
        write_nifti(scratch / "sealed.nii", 7)
        inside = b"".join(struct.pack("<h", 4 < i % 24 < 15 and 4 < i // 24 % 24 < 15 and 4 < i // 576 < 15) for i in range(24 ** 3))
        (scratch / "mask.nii").write_bytes((scratch / "sealed.nii").read_bytes()[:352] + inside)
        site.run("seal", scratch / "sealed.nii", scratch / "mask.nii", "--subject", "P1", "--home", site.home, check=0)
        site.run("key", "new", "reader", "--home", site.home, check=0)
        site.run("member", "grant", "reader", "--role", "radiologist", "--home", site.home, check=0)
        tokens = site.tokens(scratch, admin="node all operations", reader="reader all treatment")
        with site.serving("--http-tokens", tokens, listen=LISTEN) as port:
            api = Api(port, site.token["admin"])
            names = check_document(api.document)
            assert api.document == json.loads(site.run("openapi", check=0).stdout)
            assert ask(port, "/api/v1/members")[0] == 401
            people(api, site)
            data(api, site, site.token["reader"], scratch)
            jobs(api, site.token["reader"], site.token["admin"], scratch)
            subject = consents(api)
            emergencies(api, site.token["reader"])
            proofs(api, site, subject, scratch)
            revocations(api)
            erasure(api, site, api.do("get-log"), scratch)
            for name, more in (("post-envelopes", {}), ("put-envelopes-name", {"path": "00", "query": {"offset": 0}})):
                assert api.do(name, b"x", expect=401, **more)["code"] == "DENIED"  # signed ones: edge_http.py
            session = {name for name in names if "session" in name or name in ("post-login", "post-logout")}
            missed = names - api.called - session - {"get-openapi-json"}
            assert not missed, missed
        site.fsck(check=0)
        beside_scanners(site, scratch)


if __name__ == "__main__":
    main()
