"""Answers of an audit in every format, read by others: `audit_formats.py AUDIT_DUMP`, or `audit_formats.py --fhir FILE…`.

FHIR is held to a table of its own, taken from hl7.org/fhir/R4 (auditevent.html, bundle.html, datatypes.html, references.html
and the value sets that they name): every member is one of its type, as often as it may be, with a code of its set."""
import csv
import io
import json
import re
import subprocess
import sys
from datetime import datetime

STRING, CODE, URI, INSTANT, BOOLEAN, ID = "string", "code", "uri", "instant", "boolean", "id"
PATTERNS = {
    STRING: r"[ \r\n\t\S]+", CODE: r"[^\s]+(\s[^\s]+)*", URI: r"\S+", ID: r"[A-Za-z0-9\-.]{1,64}",
    INSTANT: r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
             r"(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))",
}
# Type: member: (least, most, type). None: any number.
TYPES = {
    "Coding": {"system": (0, 1, URI), "version": (0, 1, STRING), "code": (0, 1, CODE), "display": (0, 1, STRING),
               "userSelected": (0, 1, BOOLEAN)},
    "CodeableConcept": {"coding": (0, None, "Coding"), "text": (0, 1, STRING)},
    "Identifier": {"use": (0, 1, CODE), "type": (0, 1, "CodeableConcept"), "system": (0, 1, URI), "value": (0, 1, STRING)},
    "Reference": {"reference": (0, 1, STRING), "type": (0, 1, URI), "identifier": (0, 1, "Identifier"), "display": (0, 1, STRING)},
    "Agent": {"type": (0, 1, "CodeableConcept"), "role": (0, None, "CodeableConcept"), "who": (0, 1, "Reference"),
              "altId": (0, 1, STRING), "name": (0, 1, STRING), "requestor": (1, 1, BOOLEAN), "policy": (0, None, URI),
              "purposeOfUse": (0, None, "CodeableConcept"), "network": (0, 1, "Network")},
    "Network": {"address": (0, 1, STRING), "type": (0, 1, CODE)},
    "Source": {"site": (0, 1, STRING), "observer": (1, 1, "Reference"), "type": (0, None, "Coding")},
    "Detail": {"type": (1, 1, STRING), "valueString": (0, 1, STRING), "valueBase64Binary": (0, 1, STRING)},
    "Entity": {"what": (0, 1, "Reference"), "type": (0, 1, "Coding"), "role": (0, 1, "Coding"), "lifecycle": (0, 1, "Coding"),
               "name": (0, 1, STRING), "description": (0, 1, STRING), "detail": (0, None, "Detail")},
    "AuditEvent": {"resourceType": (1, 1, CODE), "id": (0, 1, ID), "type": (1, 1, "Coding"), "subtype": (0, None, "Coding"),
                   "action": (0, 1, CODE), "recorded": (1, 1, INSTANT), "outcome": (0, 1, CODE), "outcomeDesc": (0, 1, STRING),
                   "purposeOfEvent": (0, None, "CodeableConcept"), "agent": (1, None, "Agent"), "source": (1, 1, "Source"),
                   "entity": (0, None, "Entity")},
    "BundleEntry": {"fullUrl": (0, 1, URI), "resource": (0, 1, "AuditEvent")},
    "Bundle": {"resourceType": (1, 1, CODE), "type": (1, 1, CODE), "timestamp": (0, 1, INSTANT), "entry": (0, None, "BundleEntry")},
}
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
LIFECYCLE = set("access hold amend archive attest decrypt deidentify deprecate destroy disclose encrypt extract link merge originate "
                "pseudonymize reactivate receive reidentify unhold report restore transform transmit unlink unmerge verify".split())
# Value sets by the place of the coding.
CODES = {
    "type": {DICOM: {str(n) for n in range(110100, 110115)}, TERMINOLOGY + "audit-event-type": {"rest"},
             TERMINOLOGY + "iso-21089-lifecycle": LIFECYCLE},
    # IHE BALP 1.1.4, CodeSystem AuthZsubType, beside the value set of R4
    "subtype": {DICOM: {str(n) for n in range(110120, 110143)},
                "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType": {"AuthZ-Consent", "AuthZ-Role"}},
    "purposeOfEvent.coding": {TERMINOLOGY + "v3-ActReason": {"TREAT", "HRESCH", "HOPERAT", "ETREAT", "HCOMPL", "PATRQT"}},
    "agent.type.coding": {TERMINOLOGY + "v3-ParticipationType": {"AUT", "CST", "INF", "IRCP", "LA", "TRC"},
                          TERMINOLOGY + "v3-RoleClass": {"PROV", "PAT", "AGNT", "GUARD"},
                          TERMINOLOGY + "extra-security-role-type": {"authserver", "datacollector", "dataprocessor", "datasubject",
                                                                     "humanuser"}},
    "source.type": {TERMINOLOGY + "security-source-type": set("123456789")},
    "entity.type": {TERMINOLOGY + "audit-entity-type": set("1234"), "http://hl7.org/fhir/resource-types": {"Consent", "Patient"}},
    "entity.role": {TERMINOLOGY + "object-role": {str(n) for n in range(1, 25)}},
}
RESOURCES = {"Patient", "Consent", "Organization", "Practitioner", "Device"}


def judge(value, kind, place):
    if kind == BOOLEAN:
        assert isinstance(value, bool), place
    elif kind in PATTERNS:
        assert isinstance(value, str) and re.fullmatch(PATTERNS[kind], value), f"{place}: {value!r} is no {kind}"
    else:
        assert isinstance(value, dict) and value, f"{place}: no {kind}"
        for name in value:
            assert name in TYPES[kind], f"{place}.{name} is no member of {kind}"
        for name, (least, most, inner) in TYPES[kind].items():
            judge_member(value, name, least, most, inner, f"{place}.{name}" if place else name)
        if kind == "Coding":
            known = CODES.get(place)
            assert known and value.get("code") in known.get(value.get("system"), ()), f"{place}: {value}"


def judge_member(value, name, least, most, inner, place):
    if name not in value:
        assert least == 0, f"{place} is missing"
        return
    many = value[name] if most is None else [value[name]]
    assert isinstance(many, list) and len(many) >= max(1, least), f"{place}: an empty array, or none"
    for one in many:
        judge(one, inner, place)


def judge_event(event):
    assert event["resourceType"] == "AuditEvent"
    judge(event, "AuditEvent", "")
    assert event["action"] in "CRUDE" and event["outcome"] in ("0", "4", "8", "12")
    for entity in event["entity"]:  # sev-1, and one value for each detail
        assert not ("name" in entity and "query" in entity) and entity["what"].get("type", "Patient") in RESOURCES
        assert all(("valueString" in one) != ("valueBase64Binary" in one) for one in entity.get("detail", []))
    assert sum(agent["requestor"] for agent in event["agent"]) == 1
    assert all(agent.get("network", {}).get("type", "2") in "12345" for agent in event["agent"])


def judge_bundle(bundle):
    judge({name: bundle[name] for name in bundle if name != "entry"}, "Bundle", "")
    assert bundle["resourceType"] == "Bundle" and bundle["type"] == "collection" and bundle.get("entry") != []
    urls = set()
    for entry in bundle.get("entry", []):
        event = entry["resource"]
        assert set(entry) == {"fullUrl", "resource"}
        judge_event(event)
        assert entry["fullUrl"] == "urn:uuid:" + event["id"] and entry["fullUrl"] not in urls  # bdl-7
        assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", entry["fullUrl"])
        urls.add(entry["fullUrl"])
    return bundle.get("entry", [])


def dumped(program, *arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, timeout=60).stdout.decode()


def check_csv(text, lines):
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == len(lines)
    for row, line in zip(rows, lines):
        assert None not in row and None not in row.values()
        for name, cell in row.items():
            assert not cell.startswith(tuple("=+-@\t\r")), f"a spreadsheet runs {cell!r}"
            plain = cell[1:] if cell[:1] == "'" else cell
            if name not in ("log", "tree_size", "tree_root"):
                assert plain == str(line.get(name, "")), f"{name}: {cell!r}, JSON has {line.get(name)!r}"
    assert any(row["organisation"] == "'=cmd|' /C calc'!A0, \"Research\"" for row in rows)


def check_fhir(entries, lines):
    outcomes = {"permitted": "0", "refused": "8"}
    for entry, line in zip(entries, lines, strict=True):
        event = entry["resource"]
        log = event["entity"][-1]
        assert log["what"]["identifier"] == {"system": "https://radseal.local/story/entry", "value": str(line["entry"])}
        assert event["outcome"] == outcomes[line.get("decision", "permitted")]
        assert datetime.fromisoformat(event["recorded"][:-1]) == datetime.fromisoformat(line["time"][:-1])
        assert event["agent"][0]["who"]["identifier"]["value"] == line["signer"]
        assert event["agent"][0]["role"] == [{"text": line["role"]}]
        codes = [coding["code"] for reason in event.get("purposeOfEvent", []) for coding in reason["coding"]]
        assert codes == ([line["purpose_code"]] if "purpose_code" in line else ["ETREAT"] if line["type"] == "break-glass" else [])
        named = {one["what"]["identifier"]["system"].rsplit("/", 1)[-1]: one["what"]["identifier"]["value"] for one in event["entity"]}
        assert [named.get(name) for name in ("subject", "object", "consent")] == \
            [line.get(name) for name in ("subject", "object", "consent")]


def main():
    if sys.argv[1] == "--fhir":
        print(sum(len(judge_bundle(json.load(open(path, encoding="utf-8")))) for path in sys.argv[2:]), "AuditEvents")
        return
    program = sys.argv[1]
    told = json.loads(dumped(program, "json"))
    lines = told["lines"]
    assert [line["entry"] for line in lines] == list(range(27)) and told["tree_size"] == 27
    by_entry = {line["entry"]: line for line in lines}
    # What the story tells of itself (src/audit/story.h)
    assert by_entry[10]["decision"] == "refused" and by_entry[10]["refusal"] == "NO_CONSENT"
    assert by_entry[12]["basis"] == "consent" and by_entry[12]["consent_entry"] == 11
    assert "operations read, extract;" in by_entry[12]["consent_terms"] and "operations read;" in by_entry[14]["consent_terms"]
    assert by_entry[17]["review_entry"] == 18 and by_entry[19]["review"] == "overdue"
    assert by_entry[19]["findings"] == "break-glass-overdue" and by_entry[23]["findings"] == "outside-role"
    check_csv(dumped(program, "csv"), lines)
    entries = judge_bundle(json.loads(dumped(program, "fhir")))
    check_fhir(entries, lines)
    secret = "Müller^Hans, *1970"
    for form in ("text", "csv", "json", "fhir"):
        assert secret not in dumped(program, form), "nobody asked whom the data are of"
    assert all(line.get("patient") == secret for line in json.loads(dumped(program, "json", secret))["lines"] if "subject" in line)
    judge_bundle(json.loads(dumped(program, "fhir", secret)))
    broken = json.loads(dumped(program, "fhir"))
    for change in ({"recorded": "yesterday"}, {"agent": []}, {"action": "X"}, {"outcome": "1"}, {"colour": "red"}):
        broken["entry"][0]["resource"] = {**entries[0]["resource"], **change}
        try:
            judge_bundle(broken)
        except AssertionError:
            continue
        raise SystemExit(f"the judge passes {change}")
    print(f"{len(lines)} lines in four formats")


if __name__ == "__main__":
    main()
