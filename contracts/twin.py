"""The contract a second time, in Python and from its description alone (ARCHITECTURE.md, src/contract/rows.h), and the
vectors it writes: transactions, who is refused with which code, what is decided, and a digest of the state after each.
The C implementation, and any other, must come to the same. Needs nothing but Python.

    python3 contracts/twin.py            writes contracts/vectors/*.json
    python3 contracts/twin.py --check    tells whether they are what this program writes
"""
import hashlib
import json
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
DAY = 24 * 3600 * 1000

# ---- Ed25519 (RFC 8032, section 5.1), for the signatures in the vectors ----
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BASE_Y = 4 * pow(5, P - 2, P) % P


def recover_x(y):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    return x if x % 2 == 0 else P - x


BASE_X = recover_x(BASE_Y)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def compress(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


class Key:
    def __init__(self, seed):
        self.seed = seed
        half = hashlib.sha512(seed).digest()
        self.scalar = int.from_bytes(half[:32], "little") & (2**254 - 8) | 2**254
        self.prefix = half[32:]
        self.public = compress(times(self.scalar, BASE))

    def sign(self, message):
        r = int.from_bytes(hashlib.sha512(self.prefix + message).digest(), "little") % L
        point = compress(times(r, BASE))
        k = int.from_bytes(hashlib.sha512(point + self.public + message).digest(), "little") % L
        return point + ((r + k * self.scalar) % L).to_bytes(32, "little")


# ---- deterministic CBOR (RFC 8949, section 4.2.1) ----
def head(major, value):
    for extra, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 24:
            return bytes([major << 5 | value])
        if value < 1 << 8 * size:
            return bytes([major << 5 | extra]) + value.to_bytes(size, "big")
    raise ValueError(value)


def cbor(value):
    if value is True or value is False:
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(cbor(item) for item in value)
    rows = sorted((cbor(key), cbor(item)) for key, item in value.items())
    return head(5, len(rows)) + b"".join(key + item for key, item in rows)


TYPES = ["", "organisation-add", "member-grant", "member-revoke", "device-enrol", "device-revoke", "object-register",
         "device-rotate", "subject-register", "profile-set", "consent-grant", "consent-narrow", "consent-revoke",
         "access-request", "break-glass", "break-glass-review", "erasure", "checkpoint-anchor"]
FIELDS = ["", "organisation", "member", "role", "from", "until", "kind", "commitment", "instances", "previous", "parents",
          "organisation_kind", "subject", "study", "label", "consent", "effect", "roles", "purposes", "operations", "studies",
          "purpose", "operation", "reason", "glass", "outcome", "attribute", "locator", "origin", "size", "root", "successor"]
BYTES = {"member", "commitment", "previous", "subject", "study", "label", "consent", "reason", "glass", "locator", "root",
         "successor"}


def encode(act):
    body = {}
    for number, name in enumerate(FIELDS):
        if name in act:
            value = act[name]
            body[number] = b"".join(value) if isinstance(value, list) else value
    return cbor({1: 1, 2: TYPES.index(act["type"]), 3: act["id"], 4: act["time"], 5: body})


def entry_of(act, key):
    protected = cbor({1: -8, 4: key.public})
    payload = encode(act)
    signature = key.sign(cbor(["Signature1", protected, b"radseal transaction v1", payload]))
    return b"\xd2" + head(4, 4) + cbor(protected) + b"\xa0" + cbor(payload) + cbor(signature)


# ---- the table ----
RADIOLOGIST, ONCOLOGIST, RESEARCHER, ENGINEER, ADMIN, REGULATOR, PATIENT, DEVICE = range(1, 9)
TREATMENT, RESEARCH, OPERATIONS, EMERGENCY, AUDIT, PATIENT_REQUEST = range(1, 7)
READ, EXTRACT, TRAIN, PREDICT, EXPORT = range(1, 6)
IMAGE, MASK, FEATURES, MODEL, PREDICTION, REPORT = range(1, 7)
PERMIT, DENY = 1, 2
JUSTIFIED, UNJUSTIFIED = 1, 2
NONE, CARE, CONSENT, OWN_DATA, OVERSIGHT, GLASS = range(6)
DOCTORS = {RADIOLOGIST, ONCOLOGIST}

OWN = "own organisation"
MAY = {
    "organisation-add": {ADMIN: "any", REGULATOR: "any"},
    "member-grant": {ADMIN: OWN},
    "member-revoke": {ADMIN: OWN},
    "device-enrol": {ADMIN: OWN, ENGINEER: OWN},
    "device-revoke": {ADMIN: OWN, ENGINEER: OWN},
    "device-rotate": {ADMIN: OWN, ENGINEER: OWN, DEVICE: "self"},
    "object-register": dict.fromkeys([RADIOLOGIST, ONCOLOGIST, RESEARCHER, ENGINEER, ADMIN, DEVICE], OWN),
    "subject-register": dict.fromkeys([RADIOLOGIST, ONCOLOGIST, ENGINEER, ADMIN, DEVICE], OWN),
    "profile-set": {ADMIN: "custodian", PATIENT: "subject"},
    "consent-grant": {ADMIN: "custodian", PATIENT: "subject"},
    "consent-narrow": {ADMIN: "party", PATIENT: "subject"},
    "consent-revoke": {ADMIN: "custodian", PATIENT: "subject"},
    "access-request": dict.fromkeys([RADIOLOGIST, ONCOLOGIST, RESEARCHER, ENGINEER, ADMIN, REGULATOR, PATIENT], "any"),
    "break-glass": {RADIOLOGIST: "any", ONCOLOGIST: "any"},
    "break-glass-review": {ADMIN: OWN, REGULATOR: "oversight"},
    "erasure": {ADMIN: "custodian", PATIENT: "subject"},
    "checkpoint-anchor": {ADMIN: OWN, REGULATOR: OWN, ENGINEER: OWN},
}
ROLES_OF = [
    {RADIOLOGIST, ONCOLOGIST, RESEARCHER, ENGINEER, ADMIN, REGULATOR, PATIENT},
    {RADIOLOGIST, ENGINEER, ADMIN, PATIENT},
    {ONCOLOGIST, ENGINEER, ADMIN, PATIENT},
    {RADIOLOGIST, ONCOLOGIST, ENGINEER, ADMIN, PATIENT},
    {RESEARCHER, ENGINEER, ADMIN},
    {REGULATOR, ADMIN},
]
DEVICES_IN = {0, 1, 2, 3}
PARENTS_OF = {IMAGE: {IMAGE, MASK}, MASK: {IMAGE, MASK, MODEL}, FEATURES: {IMAGE, MASK, FEATURES},
              MODEL: {IMAGE, MASK, FEATURES, MODEL}, PREDICTION: {IMAGE, MASK, FEATURES, MODEL},
              REPORT: {IMAGE, MASK, FEATURES, MODEL, PREDICTION, REPORT}}
MAKING = {IMAGE: EXTRACT, MASK: EXTRACT, FEATURES: EXTRACT, MODEL: TRAIN, PREDICTION: PREDICT, REPORT: READ}


def grounds(role, purpose, operation):
    if role in DOCTORS and purpose == TREATMENT and operation != TRAIN:
        return {CARE, CONSENT}
    if role in DOCTORS and purpose == EMERGENCY and operation in {READ, EXTRACT, PREDICT}:
        return {GLASS, CONSENT}
    if role in DOCTORS | {RESEARCHER, ENGINEER} and purpose == RESEARCH:
        return {CONSENT}
    if purpose == OPERATIONS and (role, operation) in {(ENGINEER, READ), (ENGINEER, EXTRACT), (ADMIN, READ), (ADMIN, EXPORT)}:
        return {CARE, CONSENT}
    if (role, purpose, operation) == (REGULATOR, AUDIT, READ):
        return {OVERSIGHT}
    if role == PATIENT and purpose == PATIENT_REQUEST and operation in {READ, EXPORT}:
        return {OWN_DATA}
    return set()


def be64(value):
    return value.to_bytes(8, "big")


def within(time, start, until):
    return time >= start and (until == 0 or time < until)


class Refused(Exception):
    pass


class Contract:
    """Rows as Python objects; digest() writes them as bytes."""

    def __init__(self):
        self.founded = None
        self.organisations = {}  # name: (key, kind)
        self.people = {}  # key: dict with letter, role, from, until, revoked, organisation
        self.labels, self.successors, self.subjects, self.places = {}, {}, {}, {}
        self.profiles, self.objects, self.versions, self.consents = {}, {}, {}, {}
        self.decisions, self.glasses, self.anchors, self.clocks = {}, {}, {}, {}

    def digest(self):
        hash_ = hashlib.sha256()
        for key, value in sorted(self.rows().items()):
            hash_.update(len(key).to_bytes(4, "big") + key + len(value).to_bytes(4, "big") + value)
        return hash_.digest()

    def rows(self):
        rows = {}
        if self.founded:
            rows[b"F"] = self.founded
        for name, (key, kind) in self.organisations.items():
            rows[b"O" + name.encode()] = key + (bytes([kind]) if kind else b"")
        for key, p in self.people.items():
            rows[p["letter"] + key] = cbor([p["role"], p["from"], p["until"], p["revoked"], p["organisation"]])
        for letter, table in ((b"L", self.labels), (b"R", self.successors), (b"X", self.places), (b"V", self.versions)):
            for key, value in table.items():
                rows[letter + key] = value
        for key, s in self.subjects.items():
            rows[b"S" + key] = cbor([s["organisation"], s["patient"], s["erased"], s["objects"]])
        for (subject, attribute), value in self.profiles.items():
            rows[b"Y" + subject + bytes([attribute])] = cbor(list(value))
        for key, o in self.objects.items():
            row = [o["kind"], o["instances"], o["organisation"]]
            if o["version"] > 1 or o["subject"] or o["label"]:
                row += [o["version"], o["signer"], o["time"], o["subject"], o["study"], o["label"]]
            rows[b"B" + key] = cbor(row)
        for (subject, name), c in self.consents.items():
            rows[b"C" + subject + name] = cbor([c["effect"], c["organisation"], c["roles"], c["purposes"], c["operations"],
                                                c["from"], c["until"], c["revoked"], b"".join(c["studies"])])
        for key, value in self.decisions.items():
            rows[b"Q" + key] = cbor(value)
        for (member, key), g in self.glasses.items():
            rows[b"G" + member + key] = cbor([g["subject"], g["organisation"], g["time"], g["outcome"]])
        for origin, value in self.anchors.items():
            rows[b"A" + origin.encode()] = cbor(value)
        for name, time in self.clocks.items():
            rows[b"K" + name.encode()] = be64(time)
        return rows

    # -- the way of a transaction --
    def apply(self, act, signer):
        try:
            self.perform(act, signer)
            return "NONE"
        except Refused as reason:
            return str(reason)

    def perform(self, act, signer):
        if not self.founded:
            if act["type"] != "organisation-add" or signer != act["member"]:
                raise Refused("NOT_FOUNDED")
            self.add_organisation(act)
            self.founded = act["id"]
            return
        who = self.standing(act, signer)
        scope = MAY[act["type"]].get(who["role"])
        if not scope:
            raise Refused("ROLE")
        about = self.find(act)
        own = who["organisation"]
        subject, consent = about.get("subject"), about.get("consent")
        fits = {
            "any": lambda: True,
            OWN: lambda: about["organisation"] == own,
            "subject": lambda: subject["patient"] == signer,
            "custodian": lambda: subject["organisation"] == own,
            "party": lambda: own in (subject["organisation"], consent["organisation"]),
            "oversight": lambda: self.oversees(own) or about["organisation"] == own,
            "self": lambda: act["member"] == signer,
        }[scope]()
        if not fits:
            raise Refused("SCOPE")
        getattr(self, act["type"].replace("-", "_"))(act, signer, who, about)

    def oversees(self, organisation):
        return self.organisations[organisation][1] == 5

    def standing(self, act, signer):
        who = self.people.get(signer)
        if not who:
            raise Refused("UNKNOWN_SIGNER")
        if who["revoked"]:
            raise Refused("ROTATED" if signer in self.successors else "REVOKED")
        if not within(act["time"], who["from"], who["until"]):
            raise Refused("OUT_OF_PERIOD")
        if self.clocks.get(who["organisation"], 0) - act["time"] > DAY:
            raise Refused("BACKDATED")
        return who

    def living(self, name):
        subject = self.subjects.get(name)
        if not subject:
            raise Refused("UNKNOWN_SUBJECT")
        if subject["erased"]:
            raise Refused("ERASED")
        return subject

    def find(self, act):
        kind = act["type"]
        if kind in ("member-revoke", "device-revoke", "device-rotate"):
            person = self.people.get(act["member"])
            if not person or person["letter"] != (b"M" if kind == "member-revoke" else b"D"):
                raise Refused("NOT_THERE")
            return {"organisation": person["organisation"]}
        if kind == "object-register":
            if "subject" in act:
                self.living(act["subject"])
            elif "study" in act:
                raise Refused("UNKNOWN_SUBJECT")
        if kind in ("profile-set", "consent-grant", "break-glass", "erasure"):
            return {"subject": self.living(act["subject"])}
        if kind in ("consent-narrow", "consent-revoke"):
            subject = self.living(act["subject"])
            consent = self.consents.get((act["subject"], act["consent"]))
            if not consent:
                raise Refused("NOT_THERE")
            return {"subject": subject, "consent": consent}
        if kind == "access-request":
            if act["commitment"] not in self.objects:
                raise Refused("NOT_THERE")
        if kind == "break-glass-review":
            glass = self.glasses.get((act["member"], act["glass"]))
            if not glass:
                raise Refused("NOT_THERE")
            return {"organisation": glass["organisation"]}
        return {"organisation": act.get("organisation")}

    # -- people --
    def add_organisation(self, act):
        if act["organisation"] in self.organisations or act["member"] in self.people:
            raise Refused("ALREADY_THERE")
        self.organisations[act["organisation"]] = (act["member"], act.get("organisation_kind", 0))
        self.put_person(b"M", act["member"], ADMIN, act["time"], 0, act["organisation"])

    def put_person(self, letter, key, role, start, until, organisation):
        self.people[key] = {"letter": letter, "role": role, "from": start, "until": until, "revoked": False,
                            "organisation": organisation}

    def organisation_add(self, act, signer, who, about):
        if act.get("organisation_kind", 0) in (0, 3, 5) and self.organisations[who["organisation"]][1] not in (0, 3, 5):
            raise Refused("SCOPE")
        self.add_organisation(act)

    def member_grant(self, act, signer, who, about):
        old = self.people.get(act["member"])
        if old and (old["letter"] == b"D" or old["revoked"] or old["organisation"] != act["organisation"]):
            raise Refused("ALREADY_THERE")
        if act["role"] not in ROLES_OF[self.organisations[act["organisation"]][1]]:
            raise Refused("ORGANISATION_KIND")
        self.put_person(b"M", act["member"], act["role"], act["from"], act.get("until", 0), act["organisation"])
        if "label" in act:
            self.labels[act["member"]] = act["label"]

    def member_revoke(self, act, signer, who, about):
        self.people[act["member"]]["revoked"] = True

    device_revoke = member_revoke

    def device_enrol(self, act, signer, who, about):
        if act["member"] in self.people:
            raise Refused("ALREADY_THERE")
        if self.organisations[act["organisation"]][1] not in DEVICES_IN:
            raise Refused("ORGANISATION_KIND")
        self.put_person(b"D", act["member"], DEVICE, act["time"], 0, act["organisation"])

    def device_rotate(self, act, signer, who, about):
        old = self.people[act["member"]]
        if old["revoked"]:
            raise Refused("NOT_THERE")
        if act["successor"] in self.people:
            raise Refused("ALREADY_THERE")
        self.put_person(b"D", act["successor"], DEVICE, act["time"], 0, old["organisation"])
        old["revoked"] = True
        self.successors[act["member"]] = act["successor"]

    # -- subjects and objects --
    def subject_register(self, act, signer, who, about):
        known, patient = self.subjects.get(act["subject"]), act.get("member", b"")
        if patient and who["role"] != ADMIN:
            raise Refused("ROLE")
        if known and (not patient or known["organisation"] != act["organisation"]):
            raise Refused("ALREADY_THERE")
        if known and known["erased"]:
            raise Refused("ERASED")
        if patient:
            person = self.people.get(patient)
            if not person or person["role"] != PATIENT or person["revoked"]:
                raise Refused("NOT_A_PATIENT")
        row = self.subjects.setdefault(act["subject"], {"organisation": act["organisation"], "erased": False, "objects": 0})
        row["patient"] = patient

    def profile_set(self, act, signer, who, about):
        self.profiles[act["subject"], act["attribute"]] = (act["commitment"], act.get("locator", b""))

    def judge_use(self, act, signer, who, subject, study):
        row = self.living(subject)
        purpose = act.get("purpose", 0)
        if not purpose:
            if row["organisation"] != who["organisation"]:
                raise Refused("NO_CONSENT")
            return
        refusal = self.decide(signer, who, subject, study, None, purpose, MAKING[act["kind"]], act["time"])[0]
        if refusal != "NONE":
            raise Refused(refusal)

    def object_register(self, act, signer, who, about):
        if act["commitment"] in self.objects:
            raise Refused("ALREADY_THERE")
        version = 1
        if "previous" in act:
            previous = self.objects.get(act["previous"])
            if not previous:
                raise Refused("NOT_THERE")
            if (previous["kind"], previous["subject"], previous["organisation"]) != \
                    (act["kind"], act.get("subject", b""), act["organisation"]):
                raise Refused("VERSION")
            if act["previous"] in self.versions:
                raise Refused("SUPERSEDED")
            version = previous["version"] + 1
        for name in act.get("parents", []):
            parent = self.objects.get(name)
            if not parent:
                raise Refused("NOT_THERE")
            if parent["kind"] not in PARENTS_OF[act["kind"]]:
                raise Refused("PARENT")
            if parent["subject"]:
                self.judge_use(act, signer, who, parent["subject"], parent["study"])
        if "subject" in act:
            self.judge_use(act, signer, who, act["subject"], act.get("study", b""))
        self.objects[act["commitment"]] = {
            "kind": act["kind"], "instances": act["instances"], "organisation": act["organisation"], "version": version,
            "signer": signer, "time": act["time"], "subject": act.get("subject", b""), "study": act.get("study", b""),
            "label": act.get("label", b"")}
        if "previous" in act:
            self.versions[act["previous"]] = act["commitment"]
        if "subject" in act:
            subject = self.subjects[act["subject"]]
            self.places[act["subject"] + be64(subject["objects"])] = act["commitment"]
            subject["objects"] += 1

    # -- consents and decisions --
    def heard(self, signer, who, subject, study, purpose, operation, time, whole=False):
        """Names of the first consent that permits and of the first that denies."""
        found = {PERMIT: None, DENY: None}
        for (whose, name), c in sorted(self.consents.items()):
            if whose != subject or c["revoked"] or found[c["effect"]]:
                continue
            studies = not c["studies"] or (study in c["studies"] if study else c["effect"] == DENY)
            if (studies and c["roles"] >> who["role"] & 1 and c["purposes"] >> purpose & 1
                    and c["operations"] >> operation & 1 and within(time, c["from"], c["until"])
                    and c["organisation"] in ("", who["organisation"])):
                found[c["effect"]] = name
        return found

    def overdue(self, signer, time):
        return any(member == signer and not g["outcome"] and time - g["time"] > 7 * DAY
                   for (member, _), g in self.glasses.items())

    def decide(self, signer, who, subject, study, keeper, purpose, operation, time):
        asked = grounds(who["role"], purpose, operation)
        if not asked:
            return "PURPOSE", NONE, b""
        found, there = {PERMIT: None, DENY: None}, set()
        if subject:
            row = self.subjects[subject]
            if row["erased"]:
                return "ERASED", NONE, b""
            keeper = row["organisation"]
            found = self.heard(signer, who, subject, study, purpose, operation, time)
            if row["patient"] == signer:
                there.add(OWN_DATA)
        if self.overdue(signer, time):
            return "REVIEW_OVERDUE", NONE, b""
        if found[DENY]:
            return "CONSENT_DENIES", NONE, found[DENY]
        if keeper == who["organisation"]:
            there |= {CARE, OVERSIGHT}
        if self.oversees(who["organisation"]):
            there.add(OVERSIGHT)
        if found[PERMIT]:
            there.add(CONSENT)
        if subject and any(member == signer and g["subject"] == subject and g["outcome"] != UNJUSTIFIED
                           and 0 <= time - g["time"] < DAY for (member, _), g in self.glasses.items()):
            there.add(GLASS)
        for basis in (OWN_DATA, OVERSIGHT, CARE, CONSENT, GLASS):
            if basis in asked & there:
                return "NONE", basis, found[PERMIT] if basis == CONSENT else b""
        return "NO_CONSENT", NONE, b""

    TERMS = ("roles", "purposes", "operations", "from")

    def consent_grant(self, act, signer, who, about):
        name = act["subject"], act["consent"]
        if name in self.consents:
            raise Refused("ALREADY_THERE")
        if "organisation" in act and act["organisation"] not in self.organisations:
            raise Refused("UNKNOWN_ORGANISATION")
        self.consents[name] = {"effect": act["effect"], "organisation": act.get("organisation", ""), "revoked": False,
                               "until": act.get("until", 0), "studies": act.get("studies", []),
                               **{term: act[term] for term in self.TERMS}}

    def consent_narrow(self, act, signer, who, about):
        old = about["consent"]
        until, studies = act.get("until", 0), act.get("studies", [])
        if old["revoked"]:
            raise Refused("CONSENT_REVOKED")
        if (old["effect"] == DENY or any(act[s] & ~old[s] for s in ("roles", "purposes", "operations"))
                or act["from"] < old["from"] or (old["until"] and not 0 < until <= old["until"])
                or (old["studies"] and (not studies or not set(studies) <= set(old["studies"])))):
            raise Refused("WIDENS")
        old.update(until=until, studies=studies, **{term: act[term] for term in self.TERMS})

    def consent_revoke(self, act, signer, who, about):
        if about["consent"]["revoked"]:
            raise Refused("CONSENT_REVOKED")
        about["consent"]["revoked"] = True

    # -- oversight --
    def access_request(self, act, signer, who, about):
        o = self.objects[act["commitment"]]
        refusal, basis, consent = self.decide(signer, who, o["subject"], o["study"], o["organisation"], act["purpose"],
                                              act["operation"], act["time"])
        self.decisions[act["id"]] = [REFUSALS.index(refusal), basis, consent, signer, act["commitment"], act["purpose"],
                                     act["operation"], act["time"]]

    def break_glass(self, act, signer, who, about):
        if self.overdue(signer, act["time"]):
            raise Refused("REVIEW_OVERDUE")
        if self.heard(signer, who, act["subject"], b"", EMERGENCY, READ, act["time"])[DENY]:
            raise Refused("CONSENT_DENIES")
        self.glasses[signer, act["id"]] = {"subject": act["subject"], "organisation": who["organisation"],
                                           "time": act["time"], "outcome": 0}

    def break_glass_review(self, act, signer, who, about):
        glass = self.glasses[act["member"], act["glass"]]
        if act["member"] == signer:
            raise Refused("OWN_REVIEW")
        if glass["outcome"]:
            raise Refused("ALREADY_REVIEWED")
        glass["outcome"] = act["outcome"]

    def erasure(self, act, signer, who, about):
        about["subject"]["erased"] = True

    def checkpoint_anchor(self, act, signer, who, about):
        last = self.anchors.get(act["origin"])
        if last:
            if last[0] != act["organisation"]:
                raise Refused("SCOPE")
            if act["size"] < last[1]:
                raise Refused("ROLLED_BACK")
            if act["size"] == last[1] and act["root"] != last[2]:
                raise Refused("FORKED")
        self.anchors[act["origin"]] = [act["organisation"], act["size"], act["root"], act["time"]]
        self.clocks[act["organisation"]] = max(act["time"], self.clocks.get(act["organisation"], 0))


REFUSALS = ["NONE", "NOT_FOUNDED", "UNKNOWN_SIGNER", "REVOKED", "OUT_OF_PERIOD", "ROLE", "SCOPE", "UNKNOWN_ORGANISATION",
            "ALREADY_THERE", "NOT_THERE", "ID_TAKEN", "BACKDATED", "ROTATED", "ORGANISATION_KIND", "UNKNOWN_SUBJECT", "ERASED",
            "NOT_A_PATIENT", "PARENT", "VERSION", "SUPERSEDED", "NO_CONSENT", "CONSENT_DENIES", "CONSENT_REVOKED", "WIDENS",
            "PURPOSE", "REVIEW_OVERDUE", "OWN_REVIEW", "ALREADY_REVIEWED", "ROLLED_BACK", "FORKED", "MAP_HEAD"]


# ---- scenarios ----
def name32(text):
    """A commitment, a subject, a consent: 32 bytes that stand for `text` in a scenario."""
    return hashlib.sha256(b"vector " + text.encode()).digest()


def as_json(value):
    if isinstance(value, bytes):
        return value.hex()
    return [as_json(item) for item in value] if isinstance(value, list) else value


# ---- The map of what is in force (src/ledger/ledger_head.h), which the engine has, and its heads in the log ----
MAP_ORIGIN = "radseal.map/"


def map_tree(leaves, depth=0):
    """leaves: {path: hash of the value}, read by the path's bits from the root on"""
    if len(leaves) < 2:
        return b"".join(hashlib.sha256(b"\0" + path + value).digest() for path, value in leaves.items()) or bytes(32)
    sides = [{}, {}]
    for path, value in leaves.items():
        sides[path[depth // 8] >> (7 - depth % 8) & 1][path] = value
    return hashlib.sha256(b"\1" + map_tree(sides[0], depth + 1) + map_tree(sides[1], depth + 1)).digest()


def map_rows(rows):
    """What of a state is in the map: some rows as they are, and a subject's consents together, too."""
    out = {key: value for key, value in rows.items() if key[:1] in (b"O", b"M", b"D", b"R", b"S", b"C")}
    for key, value in sorted(rows.items()):
        if key[:1] == b"C":
            out[key[:33]] = out.get(key[:33], b"") + key[33:] + len(value).to_bytes(4, "big") + value
    return out


def map_root(rows):
    return map_tree({hashlib.sha256(key).digest(): hashlib.sha256(value).digest() for key, value in map_rows(rows).items()})


class Scenario:
    def __init__(self, about, whole_entries=True):
        self.about, self.whole = about, whole_entries
        self.contract, self.known, self.keys, self.steps = Contract(), {}, {}, []
        self.now, self.number = 1_700_000_000_000, 0

    def key(self, name):
        if name not in self.keys:
            self.keys[name] = Key(name32("key " + name))
        return self.keys[name]

    def who(self, name):
        return self.key(name).public

    def do(self, by, type_, expected=None, decision=None, /, **fields):
        """One transaction; `expected` and `decision` are what its author says must come of it."""
        self.number += 1
        act = {"type": type_, "id": fields.pop("id", None) or name32(f"id {self.number}")[:16],
               "time": fields.pop("time", self.now)}
        for name, value in fields.items():
            if value is None:
                continue
            if name in ("member", "successor"):
                value = self.who(value)
            elif name in BYTES and isinstance(value, str):
                value = name32(value)
            elif name in ("parents", "studies"):
                value = [name32(item) for item in value]
                value = sorted(value) if name == "studies" else value
            elif name in ("roles", "purposes", "operations"):
                value = sum(1 << item for item in value)
            act[name] = value
        key = self.key(by)
        entry = entry_of(act, key)
        if act["id"] in self.known:
            result = "NONE" if self.known[act["id"]] == entry else "ID_TAKEN"
        elif act.get("origin", "").startswith(MAP_ORIGIN) and self.head(act["organisation"]) != {
                name: act[name] for name in ("organisation", "origin", "size", "root")}:
            result = "MAP_HEAD"
        else:
            result = self.contract.apply(act, key.public)
            if result == "NONE":
                self.known[act["id"]] = entry
        step = {"by": by, "transaction": {name: as_json(value) for name, value in act.items()}}
        if self.whole:
            step["entry"] = entry.hex()
        else:
            step["entry_sha256"] = hashlib.sha256(entry).hexdigest()
        step["result"], step["code"] = result, REFUSALS.index(result)
        if type_ == "access-request" and result == "NONE":
            row = self.contract.decisions[act["id"]]
            step["decision"] = {"result": REFUSALS[row[0]], "basis": row[1], "consent": row[2].hex()}
            if decision:
                assert decision == (REFUSALS[row[0]], row[1]), (self.about, step, decision)
        assert expected is None or result == expected, (self.about, step, expected)
        step["state"] = self.contract.digest().hex()
        self.steps.append(step)
        return act["id"]

    def head(self, organisation):
        return {"organisation": organisation, "origin": MAP_ORIGIN + organisation, "size": len(self.known),
                "root": map_root(self.contract.rows())}

    def json(self):
        keys = {name: {"seed": key.seed.hex(), "public": key.public.hex()} for name, key in self.keys.items()}
        return json.dumps({"about": self.about, "keys": keys, "steps": self.steps}, indent=1) + "\n"


ALL_ROLES, ALL_OPERATIONS = range(1, 9), range(1, 6)


def consortium(s):
    """The five organisations of paper A and who works there."""
    s.do("hospital", "organisation-add", "NONE", organisation="Hospital Administration", member="hospital",
         organisation_kind=3)
    for organisation, admin, kind in (("Radiology", "radiology", 1), ("Oncology", "oncology", 2),
                                      ("Research", "research", 4), ("Regulator", "authority", 5)):
        s.do("hospital", "organisation-add", "NONE", organisation=organisation, member=admin, organisation_kind=kind)
    for admin, organisation, member, role in (
            ("radiology", "Radiology", "lee", RADIOLOGIST), ("oncology", "Oncology", "kim", ONCOLOGIST),
            ("research", "Research", "mona", RESEARCHER), ("research", "Research", "eli", ENGINEER),
            ("authority", "Regulator", "rita", REGULATOR), ("radiology", "Radiology", "ken", PATIENT)):
        s.do(admin, "member-grant", "NONE", organisation=organisation, member=member, role=role, **{"from": s.now})
    s.do("radiology", "device-enrol", "NONE", organisation="Radiology", member="scanner")
    s.do("scanner", "subject-register", "NONE", organisation="Radiology", subject="Ken")
    s.do("scanner", "object-register", "NONE", organisation="Radiology", kind=IMAGE, commitment="image 1", instances=24,
         subject="Ken", study="study 1")


def people():
    s = Scenario("Organisations, members and devices: who may, who may not, periods, final revocation, rotation of keys.")
    s.do("lee", "object-register", "NOT_FOUNDED", organisation="Radiology", kind=IMAGE, commitment="x", instances=1)
    s.do("lee", "organisation-add", "NOT_FOUNDED", organisation="Radiology", member="hospital")
    consortium(s)
    grant = {"organisation": "Radiology", "from": s.now}
    s.do("hospital", "organisation-add", "ALREADY_THERE", organisation="Research", member="stranger")
    s.do("hospital", "organisation-add", "ALREADY_THERE", organisation="Pathology", member="lee")
    s.do("lee", "organisation-add", "ROLE", organisation="Pathology", member="stranger")
    s.do("stranger", "organisation-add", "UNKNOWN_SIGNER", organisation="Pathology", member="stranger")
    s.do("radiology", "member-grant", "ORGANISATION_KIND", member="nora", role=REGULATOR, **grant)
    for kind in (None, 3, 5):
        s.do("radiology", "organisation-add", "SCOPE", organisation="Shell", member="shell", organisation_kind=kind)
    s.do("radiology", "organisation-add", "NONE", organisation="Clinic", member="clinic", organisation_kind=1)
    s.do("authority", "organisation-add", "NONE", organisation="Second Regulator", member="authority 2", organisation_kind=5)
    s.do("radiology", "member-grant", "ORGANISATION_KIND", member="nora", role=DEVICE, **grant)
    s.do("oncology", "member-grant", "SCOPE", member="nora", role=RADIOLOGIST, **grant)
    s.do("lee", "member-grant", "ROLE", member="nora", role=RADIOLOGIST, **grant)
    s.do("radiology", "member-grant", "ALREADY_THERE", member="kim", role=RADIOLOGIST, **grant)
    s.do("radiology", "member-grant", "ALREADY_THERE", member="scanner", role=RADIOLOGIST, **grant)
    s.do("radiology", "member-grant", "NONE", member="nora", role=RADIOLOGIST, until=s.now + 1000, **grant)
    image = {"organisation": "Radiology", "kind": IMAGE, "instances": 1}
    s.do("nora", "object-register", "OUT_OF_PERIOD", commitment="n0", time=s.now - 1, **image)
    s.do("nora", "object-register", "NONE", commitment="n1", time=s.now + 999, **image)
    s.do("nora", "object-register", "OUT_OF_PERIOD", commitment="n2", time=s.now + 1000, **image)
    s.do("kim", "object-register", "SCOPE", commitment="n3", **image)
    s.do("oncology", "member-revoke", "SCOPE", member="nora")
    s.do("radiology", "member-revoke", "NOT_THERE", member="stranger")
    s.do("radiology", "member-revoke", "NOT_THERE", member="scanner")
    s.do("radiology", "member-revoke", "NONE", member="nora")
    s.do("nora", "object-register", "REVOKED", commitment="n4", **image)
    s.do("radiology", "member-grant", "ALREADY_THERE", member="nora", role=RADIOLOGIST, **grant)
    s.do("research", "device-enrol", "ORGANISATION_KIND", organisation="Research", member="probe")
    s.do("radiology", "device-enrol", "ALREADY_THERE", organisation="Radiology", member="scanner")
    s.do("eli", "device-enrol", "SCOPE", organisation="Radiology", member="probe")
    s.do("scanner", "device-rotate", "ALREADY_THERE", member="scanner", successor="lee")
    s.do("scanner", "device-rotate", "NOT_THERE", member="lee", successor="scanner 2")
    s.do("radiology", "device-enrol", "NONE", organisation="Radiology", member="probe")
    s.do("probe", "device-rotate", "SCOPE", member="scanner", successor="scanner 2")
    s.do("scanner", "device-rotate", "NONE", member="scanner", successor="scanner 2")
    s.do("scanner", "object-register", "ROTATED", commitment="n5", **image)
    s.do("scanner 2", "object-register", "NONE", commitment="n5", **image)
    s.do("radiology", "device-rotate", "NOT_THERE", member="scanner", successor="scanner 3")
    s.do("radiology", "device-rotate", "NONE", member="scanner 2", successor="scanner 3")
    s.do("radiology", "device-revoke", "NONE", member="scanner 3")
    s.do("scanner 3", "object-register", "REVOKED", commitment="n6", **image)
    s.do("radiology", "member-revoke", "NONE", member="radiology")
    s.do("radiology", "member-grant", "REVOKED", member="late", role=RADIOLOGIST, **grant)
    return s


def objects():
    s = Scenario("Objects: kinds, parents, versions, subjects; a retry is the same transaction.")
    consortium(s)
    base = {"organisation": "Radiology", "instances": 1}
    taken = s.do("lee", "object-register", "NONE", kind=MASK, commitment="mask 1", parents=["image 1"], subject="Ken",
                 study="study 1", **base)
    s.do("lee", "object-register", "NONE", id=taken, kind=MASK, commitment="mask 1", parents=["image 1"], subject="Ken",
         study="study 1", **base)
    s.do("lee", "object-register", "ID_TAKEN", id=taken, kind=MASK, commitment="mask 9", **base)
    s.do("lee", "object-register", "ALREADY_THERE", kind=MASK, commitment="mask 1", **base)
    s.do("lee", "object-register", "NOT_THERE", kind=FEATURES, commitment="features 1", parents=["image 1", "mask 7"], **base)
    s.do("lee", "object-register", "NONE", kind=FEATURES, commitment="features 1", parents=["image 1", "mask 1"],
         subject="Ken", **base)
    s.do("lee", "object-register", "PARENT", kind=IMAGE, commitment="image 2", parents=["features 1"], **base)
    s.do("lee", "object-register", "UNKNOWN_SUBJECT", kind=IMAGE, commitment="image 2", subject="Nobody", **base)
    s.do("lee", "object-register", "UNKNOWN_SUBJECT", kind=IMAGE, commitment="image 2", study="study 1", **base)
    s.do("lee", "object-register", "NOT_THERE", kind=MASK, commitment="mask 2", previous="mask 7", **base)
    s.do("lee", "object-register", "VERSION", kind=FEATURES, commitment="mask 2", previous="mask 1", subject="Ken", **base)
    s.do("lee", "object-register", "VERSION", kind=MASK, commitment="mask 2", previous="mask 1", **base)
    s.do("lee", "object-register", "NONE", kind=MASK, commitment="mask 2", previous="mask 1", subject="Ken", **base)
    s.do("lee", "object-register", "SUPERSEDED", kind=MASK, commitment="mask 3", previous="mask 1", subject="Ken", **base)
    s.do("lee", "object-register", "NONE", kind=MASK, commitment="mask 3", previous="mask 2", subject="Ken", label="left", **base)
    s.do("rita", "object-register", "ROLE", kind=MASK, commitment="mask 4", **base)
    s.do("lee", "subject-register", "ALREADY_THERE", organisation="Radiology", subject="Ken")
    s.do("lee", "subject-register", "ROLE", organisation="Radiology", subject="Ken", member="ken")
    s.do("radiology", "subject-register", "NOT_A_PATIENT", organisation="Radiology", subject="Ken", member="lee")
    s.do("radiology", "subject-register", "NOT_A_PATIENT", organisation="Radiology", subject="Ken", member="stranger")
    s.do("oncology", "subject-register", "ALREADY_THERE", organisation="Oncology", subject="Ken", member="ken")
    s.do("radiology", "subject-register", "NONE", organisation="Radiology", subject="Ken", member="ken")
    s.do("ken", "profile-set", "NONE", subject="Ken", attribute=1, commitment="salted birthday")
    s.do("oncology", "profile-set", "SCOPE", subject="Ken", attribute=2, commitment="salted contact")
    s.do("radiology", "profile-set", "NONE", subject="Ken", attribute=2, commitment="salted contact",
         locator=b"\x01\x55\x12\x20" + name32("ciphertext"))
    # Another organisation's use of a subject's data rests on a consent, named or through what an object was made from.
    theirs = {"organisation": "Research", "kind": FEATURES, "instances": 1, "parents": ["image 1"]}
    s.do("mona", "object-register", "NO_CONSENT", commitment="r 1", **theirs)
    s.do("mona", "object-register", "NO_CONSENT", commitment="r 1", purpose=RESEARCH, **theirs)
    s.do("mona", "object-register", "PURPOSE", commitment="r 1", purpose=TREATMENT, **theirs)
    s.do("ken", "consent-grant", "NONE", subject="Ken", consent="research", effect=PERMIT, organisation="Research",
         roles=[RESEARCHER, ENGINEER], purposes=[RESEARCH], operations=[READ, EXTRACT], studies=["study 1"], **{"from": 0})
    s.do("mona", "object-register", "NO_CONSENT", commitment="r 1", subject="Ken", purpose=RESEARCH, **theirs)
    s.do("mona", "object-register", "NONE", commitment="r 1", subject="Ken", study="study 1", purpose=RESEARCH, **theirs)
    s.do("eli", "object-register", "NO_CONSENT", commitment="model", organisation="Research", kind=MODEL, instances=1,
         parents=["r 1"], purpose=RESEARCH)
    s.do("ken", "consent-grant", "NONE", subject="Ken", consent="training", effect=PERMIT, organisation="Research",
         roles=[ENGINEER], purposes=[RESEARCH], operations=[TRAIN], **{"from": 0})
    s.do("eli", "object-register", "NONE", commitment="model", organisation="Research", kind=MODEL, instances=1,
         parents=["r 1"], purpose=RESEARCH)
    return s


def consents():
    s = Scenario("Consents: granted, narrowed, never widened, revoked; denials override; decisions about accesses.")
    consortium(s)
    s.do("radiology", "subject-register", "NONE", organisation="Radiology", subject="Ken", member="ken")
    ask = {"commitment": "image 1", "operation": READ}
    s.do("lee", "access-request", "NONE", ("NONE", CARE), purpose=TREATMENT, **ask)
    s.do("kim", "access-request", "NONE", ("NO_CONSENT", NONE), purpose=TREATMENT, **ask)
    s.do("mona", "access-request", "NONE", ("NO_CONSENT", NONE), purpose=RESEARCH, **ask)
    s.do("mona", "access-request", "NONE", ("PURPOSE", NONE), purpose=TREATMENT, **ask)
    s.do("ken", "access-request", "NONE", ("NONE", OWN_DATA), purpose=PATIENT_REQUEST, **ask)
    s.do("rita", "access-request", "NONE", ("NONE", OVERSIGHT), purpose=AUDIT, **ask)
    s.do("scanner", "access-request", "ROLE", purpose=TREATMENT, **ask)
    s.do("lee", "access-request", "NOT_THERE", purpose=TREATMENT, commitment="nothing", operation=READ)
    terms = {"subject": "Ken", "consent": "c 1", "roles": [ONCOLOGIST, RESEARCHER], "purposes": [TREATMENT, RESEARCH],
             "operations": [READ, EXTRACT], "from": s.now, "until": s.now + 30 * DAY}
    s.do("kim", "consent-grant", "ROLE", effect=PERMIT, organisation="Oncology", **terms)
    s.do("oncology", "consent-grant", "SCOPE", effect=PERMIT, organisation="Oncology", **terms)
    s.do("ken", "consent-grant", "UNKNOWN_ORGANISATION", effect=PERMIT, organisation="Nowhere", **terms)
    s.do("ken", "consent-grant", "NONE", effect=PERMIT, organisation="Oncology", **terms)
    s.do("ken", "consent-grant", "ALREADY_THERE", effect=PERMIT, organisation="Oncology", **terms)
    s.do("kim", "access-request", "NONE", ("NONE", CONSENT), purpose=TREATMENT, **ask)
    s.do("kim", "access-request", "NONE", ("NO_CONSENT", NONE), purpose=TREATMENT, commitment="image 1", operation=EXPORT)
    s.do("kim", "access-request", "NONE", ("NO_CONSENT", NONE), purpose=TREATMENT, time=s.now + 30 * DAY, **ask)
    for change in ({"roles": ALL_ROLES}, {"purposes": [TREATMENT, OPERATIONS]}, {"operations": ALL_OPERATIONS},
                   {"from": s.now - 1}, {"until": s.now + 31 * DAY}, {"until": None}):
        s.do("ken", "consent-narrow", "WIDENS", **{**terms, **change})
    s.do("research", "consent-narrow", "SCOPE", **terms)
    s.do("oncology", "consent-narrow", "NONE", **{**terms, "purposes": [TREATMENT]})
    s.do("ken", "consent-narrow", "NONE", **{**terms, "purposes": [TREATMENT], "studies": ["study 1", "study 2"]})
    s.do("ken", "consent-narrow", "WIDENS", **{**terms, "purposes": [TREATMENT]})
    s.do("ken", "consent-narrow", "WIDENS", **{**terms, "purposes": [TREATMENT], "studies": ["study 1", "study 3"]})
    s.do("kim", "access-request", "NONE", ("NONE", CONSENT), purpose=TREATMENT, **ask)
    s.do("ken", "consent-narrow", "NONE", **{**terms, "purposes": [TREATMENT], "studies": ["study 2"]})
    s.do("kim", "access-request", "NONE", ("NO_CONSENT", NONE), purpose=TREATMENT, **ask)
    deny = {"subject": "Ken", "roles": ALL_ROLES, "purposes": [TREATMENT], "operations": [READ], "from": 0}
    s.do("ken", "consent-grant", "NONE", effect=DENY, consent="d 1", organisation="Radiology", **deny)
    s.do("lee", "access-request", "NONE", ("CONSENT_DENIES", NONE), purpose=TREATMENT, **ask)
    s.do("ken", "consent-narrow", "WIDENS", consent="d 1", **{**deny, "roles": [RADIOLOGIST]})
    s.do("ken", "consent-revoke", "NONE", subject="Ken", consent="d 1")
    s.do("lee", "access-request", "NONE", ("NONE", CARE), purpose=TREATMENT, **ask)
    s.do("ken", "consent-grant", "NONE", effect=DENY, consent="d 2", studies=["study 1"], **deny)
    s.do("lee", "access-request", "NONE", ("CONSENT_DENIES", NONE), purpose=TREATMENT, **ask)
    s.do("oncology", "consent-revoke", "SCOPE", subject="Ken", consent="c 1")
    s.do("radiology", "consent-revoke", "NONE", subject="Ken", consent="c 1")
    s.do("radiology", "consent-revoke", "CONSENT_REVOKED", subject="Ken", consent="c 1")
    s.do("ken", "consent-narrow", "CONSENT_REVOKED", **terms)
    s.do("ken", "consent-revoke", "NOT_THERE", subject="Ken", consent="c 9")
    s.do("ken", "consent-revoke", "UNKNOWN_SUBJECT", subject="Nobody", consent="c 1")
    return s


def oversight():
    s = Scenario("Broken glass and its mandatory review, erasure, anchors and the clock they keep.")
    consortium(s)
    ask = {"commitment": "image 1", "operation": READ, "purpose": EMERGENCY}
    s.do("kim", "access-request", "NONE", ("NO_CONSENT", NONE), **ask)
    s.do("mona", "break-glass", "ROLE", subject="Ken", reason="why")
    s.do("kim", "break-glass", "UNKNOWN_SUBJECT", subject="Nobody", reason="why")
    glass = s.do("kim", "break-glass", "NONE", subject="Ken", reason="why")
    s.do("kim", "access-request", "NONE", ("NONE", GLASS), **ask)
    s.do("lee", "access-request", "NONE", ("NO_CONSENT", NONE), **ask)
    s.do("kim", "access-request", "NONE", ("NO_CONSENT", NONE), time=s.now + DAY, **ask)
    s.do("kim", "access-request", "NONE", ("NO_CONSENT", NONE), time=s.now + 7 * DAY, **ask)
    s.do("kim", "access-request", "NONE", ("REVIEW_OVERDUE", NONE), time=s.now + 7 * DAY + 1, **ask)
    s.do("kim", "break-glass", "REVIEW_OVERDUE", time=s.now + 7 * DAY + 1, subject="Ken", reason="again")
    review = {"member": "kim", "glass": glass, "reason": "verdict", "outcome": JUSTIFIED}
    s.do("kim", "break-glass-review", "ROLE", **review)
    s.do("radiology", "break-glass-review", "SCOPE", **review)
    s.do("rita", "break-glass-review", "NOT_THERE", **{**review, "member": "lee"})
    s.do("rita", "break-glass-review", "NONE", **review)
    s.do("oncology", "break-glass-review", "ALREADY_REVIEWED", **review)
    s.do("kim", "access-request", "NONE", ("NONE", GLASS), **ask)
    second = s.do("kim", "break-glass", "NONE", time=s.now + 8 * DAY, subject="Ken", reason="again")
    s.do("oncology", "member-grant", "NONE", organisation="Oncology", member="kim", role=ADMIN, **{"from": s.now})
    s.do("kim", "break-glass-review", "OWN_REVIEW", **{**review, "glass": second})
    s.do("oncology", "member-grant", "NONE", organisation="Oncology", member="kim", role=ONCOLOGIST, **{"from": s.now})
    s.do("oncology", "break-glass-review", "NONE", **{**review, "glass": second, "outcome": UNJUSTIFIED})
    s.do("kim", "access-request", "NONE", ("NO_CONSENT", NONE), time=s.now + 8 * DAY, **ask)
    s.do("radiology", "consent-grant", "NONE", subject="Ken", consent="never", effect=DENY, roles=ALL_ROLES,
         purposes=[EMERGENCY], operations=[READ], **{"from": 0})
    s.do("kim", "break-glass", "CONSENT_DENIES", time=s.now + 9 * DAY, subject="Ken", reason="again")
    # A regulator of an organisation that is none oversees its own house only.
    s.do("hospital", "organisation-add", "NONE", organisation="Clinic", member="clinic")
    s.do("clinic", "member-grant", "NONE", organisation="Clinic", member="own regulator", role=REGULATOR, **{"from": s.now})
    s.do("own regulator", "access-request", "NONE", ("NO_CONSENT", NONE), commitment="image 1", operation=READ, purpose=AUDIT)
    s.do("own regulator", "break-glass-review", "SCOPE", **review)
    s.do("clinic", "object-register", "NONE", organisation="Clinic", kind=IMAGE, commitment="clinic's", instances=1)
    s.do("own regulator", "access-request", "NONE", ("NONE", OVERSIGHT), commitment="clinic's", operation=READ, purpose=AUDIT)
    # Anchors.
    anchor = {"organisation": "Radiology", "origin": "radseal.example/radiology"}
    s.do("mona", "checkpoint-anchor", "ROLE", size=10, root="root 10", **anchor)
    s.do("oncology", "checkpoint-anchor", "SCOPE", size=10, root="root 10", **anchor)
    s.do("radiology", "checkpoint-anchor", "NONE", size=10, root="root 10", **anchor)
    s.do("radiology", "checkpoint-anchor", "NONE", size=10, root="root 10", **anchor)
    s.do("radiology", "checkpoint-anchor", "FORKED", size=10, root="root 10 of another", **anchor)
    s.do("radiology", "checkpoint-anchor", "ROLLED_BACK", size=9, root="root 9", **anchor)
    s.do("oncology", "checkpoint-anchor", "SCOPE", size=11, root="root 11", **{**anchor, "organisation": "Oncology"})
    s.do("radiology", "checkpoint-anchor", "NONE", time=s.now + 5 * DAY, size=11, root="root 11", **anchor)
    image = {"organisation": "Radiology", "kind": IMAGE, "instances": 1}
    s.do("lee", "object-register", "BACKDATED", time=s.now + 4 * DAY - 1, commitment="late", **image)
    s.do("lee", "object-register", "NONE", time=s.now + 4 * DAY, commitment="late", **image)
    s.do("radiology", "checkpoint-anchor", "NONE", time=s.now + 4 * DAY, size=12, root="root 12", **anchor)
    s.do("lee", "object-register", "BACKDATED", time=s.now + 4 * DAY - 1, commitment="later", **image)
    s.now += 10 * DAY
    # Erasure.
    s.do("lee", "erasure", "ROLE", subject="Ken")
    s.do("oncology", "erasure", "SCOPE", subject="Ken")
    s.do("radiology", "erasure", "NONE", subject="Ken")
    s.do("radiology", "erasure", "ERASED", subject="Ken")
    s.do("lee", "access-request", "NONE", ("ERASED", NONE), commitment="image 1", operation=READ, purpose=TREATMENT)
    s.do("lee", "object-register", "ERASED", commitment="image 9", subject="Ken", **image)
    s.do("lee", "object-register", "ERASED", commitment="image 9", parents=["image 1"], **image)
    s.do("radiology", "subject-register", "ERASED", organisation="Radiology", subject="Ken", member="ken")
    s.do("radiology", "profile-set", "ERASED", subject="Ken", attribute=1, commitment="birthday")
    s.do("kim", "break-glass", "ERASED", subject="Ken", reason="again")
    return s


def heads():
    s = Scenario("Heads of the map: only the right one, at its place and under the signer's own organisation, is admitted.")
    consortium(s)
    s.do("lee", "checkpoint-anchor", "ROLE", **s.head("Radiology"))
    first = s.head("Radiology")
    s.do("radiology", "checkpoint-anchor", "NONE", **first)
    s.do("radiology", "checkpoint-anchor", "MAP_HEAD", **first)
    s.do("radiology", "checkpoint-anchor", "MAP_HEAD", **{**s.head("Radiology"), "size": len(s.known) + 1})
    s.do("oncology", "checkpoint-anchor", "MAP_HEAD", **{**s.head("Oncology"), "origin": MAP_ORIGIN + "Radiology"})
    s.do("oncology", "checkpoint-anchor", "SCOPE", **s.head("Radiology"))
    s.do("oncology", "checkpoint-anchor", "NONE", **s.head("Oncology"))
    terms = {"effect": PERMIT, "roles": [RESEARCHER], "purposes": [RESEARCH], "operations": [READ], "from": s.now}
    s.do("radiology", "consent-grant", "NONE", organisation="Research", subject="Ken", consent="one", **terms)
    s.do("radiology", "consent-grant", "NONE", organisation="Oncology", subject="Ken", consent="two", **terms)
    s.do("radiology", "checkpoint-anchor", "MAP_HEAD", **{**s.head("Radiology"), "root": first["root"]})
    s.do("radiology", "checkpoint-anchor", "NONE", **s.head("Radiology"))
    s.do("radiology", "consent-revoke", "NONE", subject="Ken", consent="two")
    s.do("radiology", "member-revoke", "NONE", member="lee")
    s.do("radiology", "device-rotate", "NONE", member="scanner", successor="scanner 2")
    s.do("radiology", "erasure", "NONE", subject="Ken")
    s.do("authority", "checkpoint-anchor", "NONE", **s.head("Regulator"))
    return s


def paper_b():
    s = Scenario("Paper B: gov, host and Dr. Lee; after removePermission the doctor's next setXrayhash is refused.")
    s.do("host", "organisation-add", "NONE", organisation="Hospital", member="host")
    s.do("host", "member-grant", "NONE", organisation="Hospital", member="gov", role=REGULATOR, **{"from": s.now})
    s.do("host", "subject-register", "NONE", organisation="Hospital", subject="Ken")
    s.do("doctor", "object-register", "UNKNOWN_SIGNER", organisation="Hospital", kind=IMAGE, instances=1, subject="Ken",
         commitment="16c8a694", label="chest")
    s.do("host", "member-grant", "NONE", organisation="Hospital", member="doctor", role=RADIOLOGIST, label="Dr. Lee",
         **{"from": s.now})
    s.do("doctor", "object-register", "NONE", organisation="Hospital", kind=IMAGE, instances=1, subject="Ken",
         commitment="16c8a694", label="chest")
    s.do("host", "profile-set", "NONE", subject="Ken", attribute=1, commitment="19970522")
    s.do("host", "profile-set", "NONE", subject="Ken", attribute=2, commitment="0912-321-456")
    s.do("doctor", "profile-set", "ROLE", subject="Ken", attribute=2, commitment="0912-321-457")
    s.do("gov", "member-revoke", "ROLE", member="doctor")
    s.do("host", "member-revoke", "NONE", member="doctor")
    s.do("doctor", "object-register", "REVOKED", organisation="Hospital", kind=IMAGE, instances=1, subject="Ken",
         commitment="16c8a695", label="chest")
    return s


AT_HOME = {"hospital": "Hospital Administration", "radiology": "Radiology", "lee": "Radiology", "scanner": "Radiology",
           "ken": "Radiology", "oncology": "Oncology", "kim": "Oncology", "research": "Research", "mona": "Research",
           "eli": "Research", "authority": "Regulator", "rita": "Regulator"}
# Who may well be admitted with it: else most of what is drawn by lot is refused at the door.
LIKELY = {**dict.fromkeys(TYPES, ["radiology", "oncology"]), "object-register": ["lee", "kim", "mona", "eli", "scanner"],
          "subject-register": ["lee", "radiology"], "consent-grant": ["radiology", "ken"],
          "consent-narrow": ["radiology", "ken", "oncology"], "consent-revoke": ["radiology", "ken"],
          "access-request": ["lee", "kim", "mona", "eli", "rita", "ken"], "break-glass": ["lee", "kim"],
          "break-glass-review": ["radiology", "oncology", "rita"], "erasure": ["radiology"], "profile-set": ["radiology", "ken"]}

USUAL = {"lee": [TREATMENT, TREATMENT, EMERGENCY, RESEARCH], "kim": [TREATMENT, TREATMENT, EMERGENCY, RESEARCH],
         "mona": [RESEARCH], "eli": [RESEARCH, RESEARCH, OPERATIONS], "rita": [AUDIT], "ken": [PATIENT_REQUEST]}


def random_steps(seed, count):
    """Whatever may come: all types, few names, so that transactions meet each other."""
    s = Scenario(f"{count} random transactions (seed {seed}): two implementations agree on each of them.", False)
    r = random.Random(seed)
    consortium(s)
    people_ = ["hospital", "radiology", "oncology", "research", "authority", "lee", "kim", "mona", "eli", "rita", "ken",
               "scanner", "stranger"] + [f"new {i}" for i in range(6)]
    organisations = ["Hospital Administration", "Radiology", "Oncology", "Research", "Regulator", "Nowhere"]
    made = ["image 1"]
    glasses = [("kim", name32("none")[:16])]

    def some(values, most):
        return r.sample(list(values), r.randint(1, most))

    def maybe(value):
        return value if r.random() < 0.5 else None

    for _ in range(count):
        kind = r.choice(TYPES[1:] + ["consent-grant", "consent-narrow", "access-request", "access-request", "object-register"])
        by = r.choice(LIKELY[kind] if r.random() < 0.8 else people_)
        subject = r.choice(["Ken"] * 4 + ["Eve", "Ann", "Bob", "Nobody"])
        fields = {"time": s.now + r.randint(0, 9) * DAY // 2}
        if kind in ("organisation-add", "member-grant", "device-enrol", "object-register", "subject-register",
                    "checkpoint-anchor", "consent-grant"):
            fields["organisation"] = AT_HOME.get(by, "Research") if r.random() < 0.8 else r.choice(organisations)
            if kind == "consent-grant":
                fields["organisation"] = r.choice(organisations[1:4])
        if kind in ("member-grant", "consent-grant", "consent-narrow"):
            fields["from"] = s.now + r.randint(-2, 1) * DAY
            fields["until"] = maybe(s.now + r.randint(3, 6) * DAY)
        if kind not in ("organisation-add", "member-grant", "member-revoke", "device-enrol", "device-revoke", "device-rotate",
                        "access-request", "break-glass-review", "checkpoint-anchor"):
            fields["subject"] = subject if kind != "object-register" or r.random() < 0.7 else None
        if kind in ("organisation-add", "member-grant", "member-revoke", "device-enrol", "device-revoke", "device-rotate"):
            fields["member"] = r.choice(people_[6:]) if kind != "member-revoke" or r.random() < 0.2 else "stranger"
        if kind == "organisation-add":
            fields["organisation"], fields["organisation_kind"] = f"Clinic {r.randint(1, 3)}", maybe(r.randint(1, 5))
        if kind == "member-grant":
            fields.update(role=r.randint(1, 8), label=maybe("label"))
        if kind == "device-rotate":
            fields["successor"] = f"new {r.randint(0, 9)}"
        if kind == "object-register":
            fields.update(kind=r.randint(1, 6), instances=r.randint(1, 300), purpose=maybe(r.choice([TREATMENT, RESEARCH])),
                          commitment=f"object {r.randint(1, 400)}", study=maybe(f"study {r.randint(1, 2)}"),
                          parents=maybe(some(made, min(3, len(made)))), previous=r.choice(made) if r.random() < 0.2 else None)
        if kind == "subject-register":
            fields["member"] = "ken" if by == "radiology" else None
        if kind == "profile-set":
            fields.update(attribute=r.randint(1, 2), commitment=f"value {r.random()}")
        if kind.startswith("consent-"):
            fields["consent"] = f"consent {r.randint(1, 40 if kind == 'consent-grant' else 15)}"
        if kind in ("consent-grant", "consent-narrow"):
            fields.update(roles=some(ALL_ROLES, 8), purposes=some(range(1, 5), 4), operations=some(ALL_OPERATIONS, 5),
                          studies=maybe(some(["study 1", "study 2", "study 3"], 3)))
        if kind == "consent-grant" and r.random() < 0.5:
            fields.update(roles=[ONCOLOGIST, RESEARCHER, ENGINEER], purposes=[TREATMENT, RESEARCH], operations=ALL_OPERATIONS,
                          studies=None)
        if kind == "consent-grant":
            fields["effect"] = DENY if r.random() < 0.15 else PERMIT
            if fields["effect"] == DENY:
                fields["organisation"] = maybe(fields["organisation"])
        if kind == "access-request":
            fields.update(commitment=r.choice(made), operation=r.randint(1, 5) if r.random() < 0.4 else READ,
                          purpose=r.choice(USUAL[by]) if by in USUAL else r.randint(1, 6))
        if kind == "break-glass":
            fields["reason"] = "reason"
        if kind == "break-glass-review":
            fields["member"], fields["glass"] = r.choice(glasses)
            fields.update(reason="verdict", outcome=r.randint(1, 2))
        if kind == "erasure":
            fields["subject"] = r.choice(["Bob", "Ann", "Nobody"]) if r.random() < 0.2 else "Nobody"
        if kind == "checkpoint-anchor":
            fields["time"] = s.now + r.randint(0, 1) * DAY
            fields.update(origin=f"log {r.randint(1, 3)}", size=r.randint(1, 50), root=f"root {r.randint(1, 2)}")
        until = fields.get("until")
        if until is not None and until <= fields["from"]:
            fields["until"] = None
        id_ = s.do(by, kind, **fields)
        if s.steps[-1]["result"] == "NONE":
            if kind == "object-register":
                made.append(fields["commitment"])
            if kind == "break-glass":
                glasses.append((by, id_))
    return s


def main():
    check = "--check" in sys.argv[1:]
    if sys.argv[1:2] == ["--random"]:  # --random SEED COUNT FILE: more of them, for a long comparison
        pathlib.Path(sys.argv[4]).write_text(random_steps(int(sys.argv[2]), int(sys.argv[3])).json())
        return 0
    faults = 0
    scenarios = {"people": people, "objects": objects, "consents": consents, "oversight": oversight, "heads": heads,
                 "paper-b": paper_b,
                 "random-1": lambda: random_steps(1, 600), "random-2": lambda: random_steps(2, 600)}
    for name, scenario in scenarios.items():
        made = scenario()
        path, text = HERE / "vectors" / f"{name}.json", made.json()
        results = {}
        for step in made.steps:
            results[step["result"]] = results.get(step["result"], 0) + 1
        print(f"{name}: {len(made.steps)} transactions, {results.get('NONE', 0)} admitted, "
              f"{len(results) - 1} kinds of refusals")
        if not check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            print(f"{path}: not what this program writes")
            faults += 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
