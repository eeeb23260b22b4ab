"""Consents through the command line: given, narrowed, withdrawn; tokens that need nothing but files, read by a second
implementation (tests/vectors/consent.py), too; FHIR both ways; records and receipts that tell no patient: `consents.py RADSEAL`."""
import hashlib
import hmac
import json
import pathlib
import subprocess
import sys
import tempfile

from node_tools import Radseal
from subjects import write_dicom
from witnesses import Institution

TERMS = ("--organisation", "Radiology", "--roles", "researcher,data-engineer", "--purposes", "research", "--operations",
         "read,extract,train", "--until", "2099-12-31")
PYTHON = pathlib.Path(__file__).parent.parent / "vectors" / "consent.py"


class Consents:
    def __init__(self, node, scratch):
        self.node, self.scratch = node, scratch

    def run(self, *arguments, check=0):
        return self.node.run("consent", *arguments, check=check)

    def here(self, *arguments, check=0):
        return self.run(*arguments, "--home", self.node.home, check=check)

    def json(self, *arguments):
        return json.loads(self.here(*arguments, "--json").stdout)

    def grant(self, *more, check=0):
        done = self.here("grant", "--subject", "P-1-7", *TERMS, *more, "--json", check=check)
        return json.loads(done.stdout)["consent"] if check == 0 else done.stderr

    def ask(self, *arguments, operation="read", study=None, check=0, **more):
        question = {"organisation": "Radiology", "role": "researcher", "purpose": "research"} | more
        options = [part for name, value in question.items() for part in (f"--{name}", value)]
        done = self.run("verify", *arguments, *options, "--operation", operation,
                        *(["--study", study] if study else []), "--json", check=check)
        answer = json.loads(done.stdout) if done.stdout else None
        assert answer is None or answer["permitted"] == (check == 0)
        return answer["refusal"] if answer else done.stderr


def tokens_need_only_files(consents, scratch):
    """Outside of any node: no home, no network, nothing but the token and the issuer's key."""
    token, less, sealed = (scratch / name for name in ("a.consent", "less.consent", "sealed.consent"))
    name = consents.grant("--studies", "1.2.7", "-o", token)
    shown = json.loads(consents.run("show", token, "--json").stdout)
    assert shown["consent"] == name and not shown["sealed"] and token.stat().st_mode & 0o77 == 0
    key, study = shown["blocks"][0]["signer"], shown["studies"][0]
    offline = ("--offline", "--key", key)
    assert consents.ask(token, *offline, operation="train", study=study) == "NONE"
    consents.run("narrow", token, "--operations", "read", "--until", "2098", "-o", less)
    consents.run("narrow", less, "--operations", "read,train", "-o", sealed, check=3)
    assert not sealed.exists()
    consents.run("narrow", less, "--seal", "-o", sealed)
    consents.run("narrow", sealed, "--operations", "read", "-o", scratch / "never", check=3)
    for which in (less, sealed):
        assert consents.ask(which, *offline, study=study) == "NONE"
        assert consents.ask(which, *offline, operation="train", study=study, check=3) == "NO_CONSENT"
        said = json.loads(subprocess.run([sys.executable, PYTHON, "--read", which], capture_output=True, check=True).stdout)
        assert said["terms"]["operations"] == 2 and said["blocks"][0]["id"] == name and len(said["blocks"]) == 2
    for wrong in ({"role": "oncologist"}, {"purpose": "treatment"}, {"organisation": "Oncology"}, {"time": "2099-06-01"},
                  {"study": "00" * 32}, {"time": "2098-12-31T23:59:59Z", "skew": "2"}):
        assert consents.ask(less, *offline, check=3, **({"study": study} | wrong)) in ("NO_CONSENT", "PURPOSE"), wrong
    assert consents.ask(less, "--offline", "--key", "00" * 32, study=study, check=3) == "NO_CONSENT"
    assert "--key" in consents.ask(less, "--offline", study=study, check=2)
    data = bytearray(sealed.read_bytes())
    data[len(data) // 2] ^= 1
    (scratch / "flipped").write_bytes(data)
    consents.run("show", scratch / "flipped", check=1)
    return name, less, study, offline


def revocation_reaches_everyone(consents, scratch, name, less, study, offline):
    home = ("--home", consents.node.home)
    assert consents.ask(less, *home, study=study) == "NONE"
    # What the ledger narrowed, a token of before cannot give
    consents.here("narrow", name, "--operations", "read,extract", "--until", "2090")
    assert consents.ask(less, *home, study=study, time="2091-01-01", check=3) == "NO_CONSENT"
    assert consents.ask(less, *home, study=study, time="2030-01-01") == "NONE"
    consents.here("narrow", name, "--operations", "all", check=3)
    consents.here("revoke", name[:12])
    assert "CONSENT_REVOKED" in consents.here("revoke", name, check=3).stderr
    assert consents.ask(less, *home, study=study, check=3) == "CONSENT_REVOKED"
    revoked = consents.here("list", "--revoked").stdout
    assert name in revoked.splitlines() and len(revoked.splitlines()) == 2
    (scratch / "revoked").write_text(revoked)
    assert consents.ask(less, *offline, "--revocations", scratch / "revoked", study=study, check=3) == "CONSENT_REVOKED"
    assert "ALREADY_THERE" in consents.here("import", less, check=3).stderr
    assert [row["revoked"] for row in consents.json("list", "--subject", "P-1-7")] == [True, True]


def denials_override(consents, scratch):
    permit, denial = scratch / "permit.consent", scratch / "denial.consent"
    consents.grant("-o", permit)
    home = ("--home", consents.node.home)
    assert consents.ask(permit, *home) == "NONE"
    done = consents.here("grant", "--subject", "P-1-7", "--deny", "--roles", "all", "--purposes", "research", "--operations",
                         "train", "-o", denial, "--json")
    name = json.loads(done.stdout)["consent"]
    assert [row["organisation"] for row in consents.json("list") if row["consent"] == name] == [None], \
        "a denial for everybody is one for everybody"
    # The ledger knows the denial, whether or not it is shown; offline it must be shown
    assert consents.ask(permit, *home, operation="train", check=3) == "CONSENT_DENIES"
    key = json.loads(consents.run("show", permit, "--json").stdout)["blocks"][0]["signer"]
    assert consents.ask(permit, "--offline", "--key", key, operation="train") == "NONE"
    assert consents.ask(permit, denial, "--offline", "--key", key, operation="train", check=3) == "CONSENT_DENIES"
    assert consents.ask(permit, denial, "--offline", "--key", key) == "NONE"
    return name


def revocation_is_proved(consents, scratch):
    """A verifier without a node, but with a proof of what the ledger says of the subject's consents (radseal prove)."""
    token, proof, home = scratch / "proved.consent", scratch / "proof", consents.node.home
    name = consents.grant("-o", token)
    shown = json.loads(consents.run("show", token, "--json").stdout)
    offline = ("--offline", "--key", shown["blocks"][0]["signer"])
    proved = (*offline, "--proof", proof, "--log", home / "keys/log.vkey")

    def prove():
        proof.unlink(missing_ok=True)
        consents.node.run("prove", "consents", shown["subject"], "-o", proof, "--home", home, check=0)
    prove()
    old = proof.read_bytes()
    assert consents.ask(token, *proved) == "NONE" and consents.ask(token, *proved, "--max-age", "3600") == "NONE"
    assert consents.ask(token, *proved, "--max-age", "3600", time="2050-01-01", check=3) == "NO_CONSENT"
    assert consents.ask(token, *proved, operation="train", check=3) == "CONSENT_DENIES", "the ledger's denial"
    consents.here("revoke", name)
    prove()
    assert consents.ask(token, *offline) == "NONE" and consents.ask(token, *proved, check=3) == "CONSENT_REVOKED"
    consents.node.run("prove", "consent", name, "-o", scratch / "one", "--home", home, check=0)
    one = (*offline, "--proof", scratch / "one", "--log", home / "keys/log.vkey")
    assert consents.ask(token, *one, check=3) == "CONSENT_REVOKED"
    other = Institution(consents.node.program, scratch, "Oncology")
    watched = (*proved, "--witnesses", other.witness_key)
    assert "0 of the given witnesses" in consents.ask(token, *watched, check=1)
    with other.serving(home / "keys/log.vkey") as url:
        consents.node.run("witness", "cosign", url, "--key", other.witness_key, "--home", home, check=0)
    proof.unlink()
    consents.node.run("prove", "consents", shown["subject"], "--cosigned", "-o", proof, "--home", home, check=0)
    assert consents.ask(token, *watched, check=3) == "CONSENT_REVOKED"
    data = bytearray(old)
    data[len(data) // 3] ^= 1
    proof.write_bytes(data)
    assert "proof" in consents.ask(token, *proved, check=1)


def tokens_come_from_elsewhere(consents, scratch):
    token, less, home = scratch / "home.consent", scratch / "home-less.consent", ("--home", consents.node.home)
    consents.here("grant", "--subject", "P-1-7", *TERMS, "--offline", check=2)
    consents.here("grant", "--subject", "P-1-7", *TERMS, "--offline", "-o", token)
    consents.run("narrow", token, "--operations", "read", "-o", less)
    assert consents.ask(less, *home, check=3) == "NO_CONSENT", "the ledger does not have it yet"
    consents.here("import", less)
    assert consents.ask(less, *home) == "NONE" and consents.ask(token, *home) == "NONE"
    assert consents.ask(token, *home, operation="extract", check=3) == "NO_CONSENT", "only what was imported"
    assert "ALREADY_THERE" in consents.here("import", token, check=3).stderr


def patients_sign_themselves(consents, scratch):
    """A guardian's key, then the child's own."""
    node = consents.node
    home = ("--home", node.home)
    for name in ("guardian", "child"):
        node.run("key", "new", name, *home, check=0)
        node.run("member", "grant", name, "--role", "patient", *home, check=0)
    grant = ("grant", "--subject", "P-1-7", *TERMS, "-o", scratch / "own.consent", "--as")
    node.run("member", "act-for", "guardian", "--subject", "P-1-7", *home, check=0)
    assert "SCOPE" in consents.here(*grant, "child", check=3).stderr
    name = json.loads(consents.here(*grant, "guardian", "--json").stdout)["consent"]
    shown = json.loads(consents.run("show", scratch / "own.consent", "--json").stdout)
    key = json.loads(node.run("key", "show", "guardian", *home, "--json", check=0).stdout)["key"]
    assert shown["blocks"][0]["signer"] == key and consents.ask(scratch / "own.consent", *home) == "NONE"
    node.run("member", "act-for", "child", "--subject", "P-1-7", *home, check=0)
    assert "SCOPE" in consents.here(*grant, "guardian", check=3).stderr
    assert "SCOPE" in consents.here("revoke", name, "--as", "guardian", check=3).stderr
    consents.here("revoke", name, "--as", "child")
    assert consents.ask(scratch / "own.consent", *home, check=3) == "CONSENT_REVOKED"
    consents.here(*grant, "child")
    assert consents.ask(scratch / "own.consent", *home) == "NONE"


def documents(consents, scratch, denial):
    name = consents.grant("--studies", "1.2.7", "--from", "2020-01-01")
    terms = {key: value for key, value in consents.json("show", name).items() if key != "consent"}
    for which in (name, denial):
        for version in ("fhir-r4", "fhir-r5"):
            path = scratch / f"{version}.json"
            consents.here("export", which, "--format", version, "-o", path)
            wanted = consents.json("show", which)
            [row] = consents.json("import", path)
            again = consents.json("show", row["consent"])
            assert {**again, "consent": which} == wanted and row["consent"] != which, (version, again, wanted)
            assert b"P-1-7" not in path.read_bytes() and b"1.2.7" not in path.read_bytes()
            consents.here("revoke", row["consent"])
    fhir = json.loads(path.read_text())
    fhir["provision"][0]["securityLabel"] = [{"code": "R"}]
    path.write_text(json.dumps(fhir))
    assert "securityLabel" in consents.here("import", path, check=1).stderr
    record = json.loads(consents.here("export", name, "--format", "ts27560").stdout)
    assert record["@type"] == "dpv:ConsentRecord" and record["dct:identifier"] == name and "P-1-7" not in json.dumps(record)
    receipt = json.loads(consents.here("export", name, "--format", "ts27560", "--subject", "P-1-7", "--studies", "1.2.7").stdout)
    opening = receipt["radseal:opening"]
    commitment = hmac.new(bytes.fromhex(opening["radseal:key"]), b"\x011.2.7", hashlib.sha256).hexdigest()
    assert receipt["@type"] == "dpv:ConsentReceipt" and "P-1-7" not in json.dumps(receipt) and terms["studies"] == [commitment]
    assert opening["radseal:study"] == [{"@id": "urn:radseal:study:" + commitment, "dct:identifier": "1.2.7"}]
    consents.here("export", name, "--format", "ts27560", "--subject", "P-1-7", "--studies", "1.2.8", check=2)
    consents.here("export", name, "--format", "xml", check=2)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        node = Radseal(sys.argv[1], scratch / "node")
        node.init()
        write_dicom(scratch / "a.dcm", 1, name="A^B", patient="P-1-7", study="1.2.7", series="1.2.7.1")
        node.seal(scratch / "a.dcm")
        consents = Consents(node, scratch)
        assert "UNKNOWN_ORGANISATION" in consents.here("grant", "--subject", "P-1-7", "--organisation", "Nobody", *TERMS[2:],
                                                       check=3).stderr
        consents.here("grant", "--subject", "P2", *TERMS, check=4)
        consents.here("grant", "--subject", "P-1-7", *TERMS[:2], "--roles", "king", *TERMS[4:], check=2)
        consents.here("grant", "--subject", "P-1-7", "--organisation", "Radiology", check=2)
        lost = consents.here("grant", "--subject", "P-1-7", *TERMS, "-o", scratch / "none/x", check=4).stderr
        assert "is on the ledger, its token was not written" in lost, lost
        consents.here("revoke", lost.split("consent ")[1].split()[0])
        name, less, study, offline = tokens_need_only_files(consents, scratch)
        revocation_reaches_everyone(consents, scratch, name, less, study, offline)
        denial = denials_override(consents, scratch)
        tokens_come_from_elsewhere(consents, scratch)
        revocation_is_proved(consents, scratch)
        patients_sign_themselves(consents, scratch)
        documents(consents, scratch, denial)
        node.fsck(check=0)
        permit = scratch / "last.consent"
        consents.grant("-o", permit)
        node.run("erase", "--subject", "P-1-7", "--home", node.home, check=0)
        assert consents.ask(permit, "--home", node.home, check=3) == "ERASED"
    print("consents: tokens, revocation, denials, FHIR, records")
    return 0


if __name__ == "__main__":
    sys.exit(main())
