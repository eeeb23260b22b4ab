"""A whole log replayed by the contract's twin in Python, and an audit held against it: what audit.py asks for. Neither decoding
nor contract nor the search for whom an entry is about shares a line with radseal."""
import json
import pathlib
import sys
from datetime import datetime, timezone

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "contracts"))
import twin
from receipts import cbor

ROLES = ["", "radiologist", "oncologist", "researcher", "data-engineer", "hospital-administrator", "regulator", "patient", "device"]
BASES = ["none", "care", "consent", "own-data", "oversight", "break-glass"]
OPERATIONS = ["", "read", "extract", "train", "predict", "export"]
NOBODY = {"role": twin.ADMIN}  # the founder, before


def decode(entry):
    """COSE_Sign1 (RFC 9052) over the payload that contracts/twin.py writes."""
    (_, (protected, _, payload, _)), end = cbor(entry)
    assert end == len(entry)
    fields, _ = cbor(payload)
    act = {"type": twin.TYPES[fields[2]], "id": fields[3], "time": fields[4]}
    for number, value in fields[5].items():
        name = twin.FIELDS[number]
        act[name] = [value[at:at + 32] for at in range(0, len(value), 32)] if name in ("parents", "studies") else value
    return act, cbor(protected)[0][4]


def time_text(ms):
    return datetime.fromtimestamp(ms / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def concerned(contract, act):
    """Subjects whose data an admitted act is about."""
    objects = [act["commitment"]] if act["type"] == "access-request" else act.get("parents", [])
    about = {contract.objects[name]["subject"] for name in objects} | {act.get("subject", b"")}
    if act["type"] == "break-glass-review":
        about.add(contract.glasses[act["member"], act["glass"]]["subject"])
    return about - {b""}


def expected(contract, act, signer, before):
    line = {"type": act["type"], "transaction": act["id"].hex(), "time": time_text(act["time"]), "signer": signer.hex(),
            "role": ROLES[before["role"]], "organisation": before.get("organisation", act.get("organisation"))}
    consent = act.get("consent")
    if act["type"] == "access-request":
        refusal, basis, consent, *_ = contract.decisions[act["id"]]
        line["decision"] = "refused" if refusal else "permitted"
        line["refusal"] = twin.REFUSALS[refusal] if refusal else None
        line["basis"] = None if refusal else BASES[basis]
        line["operation"] = OPERATIONS[act["operation"]]
        line["object"], line["subject"] = act["commitment"].hex(), contract.objects[act["commitment"]]["subject"].hex()
    elif "subject" in act:
        line["subject"] = act["subject"].hex()
    line["consent"] = consent.hex() if consent else None
    return line


def check(node):
    """Every line of an audit of everything, and of each subject which entries."""
    told = node.lines("all")["lines"]
    contract, of_subject = twin.Contract(), {}
    for number, line in enumerate(told):
        proof = json.loads(node.run("log", "--home", node.home, "--json", "--proof", number, check=0).stdout)
        act, signer = decode(bytes.fromhex(proof["entry"]))
        before = dict(contract.people.get(signer, NOBODY))
        result = contract.apply(act, signer)
        assert result == "NONE" and line["entry"] == number, f"entry {number}: the twin says {result}"
        for name, value in expected(contract, act, signer, before).items():
            assert line.get(name) == value, f"entry {number}: {name} is {line.get(name)}, the twin says {value}"
        if line.get("consent"):
            terms = contract.consents[bytes.fromhex(line["subject"]), bytes.fromhex(line["consent"])]
            words = ", ".join(word for bit, word in enumerate(OPERATIONS) if word and terms["operations"] >> bit & 1)
            assert f"operations {words};" in line["consent_terms"] and f"organisation {terms['organisation']};" in line["consent_terms"]
        for subject in concerned(contract, act):
            of_subject.setdefault(subject, []).append(number)
    for subject, entries in of_subject.items():
        lines = node.lines("subject", "--token", subject.hex())["lines"]
        assert [line["entry"] for line in lines if line["entry"] < len(told)] == entries, "an entry too many, or one is missing"
    return len(told)
