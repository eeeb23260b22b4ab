"""Nodes that cosign each other's checkpoints over HTTP, and name a log that rolls back or forks:
`witnesses.py RADSEAL RADSEAL-VERIFY`."""
import base64
import contextlib
import hashlib
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

from node_tools import Radseal, write_nifti
from receipts import check_note, ed25519_valid


class Institution(Radseal):
    def __init__(self, program, scratch, name):
        super().__init__(program, scratch / name)
        self.scratch, self.count = scratch, 0
        self.run("init", self.home, "--org", name.replace("-", " "), "--quiet", check=0)
        self.log_key = self.home / "keys" / "log.vkey"
        self.witness_key = scratch / f"{name}-witness.vkey"
        self.witness_key.write_text(self.witness("key", check=0).stdout)

    def witness(self, *arguments, check=None):
        return self.run("witness", *arguments, "--home", self.home, check=check)

    def seal_one(self, seed):
        path = self.scratch / f"volume{seed}.nii"
        write_nifti(path, seed, side=4)
        return path, json.loads(self.seal(path).stdout)[0]["receipt"]

    @contextlib.contextmanager
    def serving(self, *log_keys, end=signal.SIGTERM):
        arguments = [self.program, "witness", "serve", "--home", self.home, "--listen", "127.0.0.1:0"]
        for key in log_keys:
            arguments += ["--key", key]
        process = subprocess.Popen(list(map(str, arguments)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            port = process.stdout.readline().split()
            assert port and port[0] == "port", process.communicate()
            yield f"http://127.0.0.1:{port[1]}"
        finally:
            process.send_signal(end)
            self.said = process.communicate(timeout=30)[1]
            assert process.returncode == (0 if end == signal.SIGTERM else -end)


def check_cosigned(home, log_key, *witness_keys):
    """The kept checkpoint, by Python's own means."""
    note = (home / "keys" / "cosigned-checkpoint").read_text()
    body, lines = note.split("\n\n")
    lines = lines.splitlines(keepends=True)
    check_note(body + "\n\n" + lines[0], log_key.read_text().strip())
    for key in witness_keys:
        name, key_id, encoded = key.read_text().strip().split("+", 2)
        public = base64.b64decode(encoded)
        assert public[0] == 4 and hashlib.sha256(name.encode() + b"\n" + public).digest()[:4].hex() == key_id
        line, = [line for line in lines if line.split(" ")[1] == name]
        signature = base64.b64decode(line.split(" ")[2])
        seconds = int.from_bytes(signature[4:12], "big")
        assert signature[:4].hex() == key_id
        assert ed25519_valid(public[1:], f"cosignature/v1\ntime {seconds}\n{body}\n".encode(), signature[12:])


def post(url, body):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=20) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read()


def check_protocol(url, log):
    """The statuses that C2SP tlog-witness names, by Python's own client."""
    request = log.run("log", "--home", log.home, "--consistency", "0", check=0).stdout.encode()
    size = request.split(b"\n\n")[1].split(b"\n")[1]
    add = url + "/add-checkpoint"
    assert post(add, request) == (409, "text/x.tlog.size", size + b"\n"), "the size that was cosigned already"
    assert post(add, request.replace(b"old 0", b"old " + size))[0] == 200
    assert post(add, request.replace(b"old 0", b"old 99"))[0] == 400
    assert post(add, b"nonsense")[0] == 400
    assert post(add, request.replace(b"radseal", b"radsael"))[0] == 404
    signature = request.rindex(b" ") + 20
    assert post(add, request[:signature] + (b"B" if request[signature:signature + 1] == b"A" else b"A") +
                request[signature + 1:])[0] == 403
    assert post(url + "/elsewhere", request)[0] == 404 and post(add, b"x" * 200000)[0] == 413
    host, port = url.removeprefix("http://").split(":")
    for garbage in (b"\0" * 100, b"GET", b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"):
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(garbage)
    assert post(add, request.replace(b"old 0", b"old " + size))[0] == 200


def verify_both(program, file, receipt, log, *arguments):
    """The verdict of radseal-verify, which must be that of radseal verify --offline."""
    own = subprocess.run([program, file, receipt, "--key", log.log_key, *arguments], capture_output=True, text=True)
    other = log.run("verify", "--offline", file, "--receipt", receipt, "--key", log.log_key, *arguments)
    assert own.returncode == other.returncode, f"{own.stdout}{own.stderr}{other.stdout}{other.stderr}"
    return own.returncode


def cosign_and_verify(log, first, second, program):
    file, receipt = log.seal_one(1)
    keys = ["--key", first.witness_key, "--key", second.witness_key]
    both = ["--witness", first.witness_key, "--witness", second.witness_key]
    with first.serving(log.log_key) as one, second.serving(log.log_key, end=signal.SIGKILL) as two:
        assert log.witness("receipt", receipt).returncode == 4, "there is none yet"
        log.witness("cosign", one, two + "/", *keys, check=0)
        check_cosigned(log.home, log.log_key, first.witness_key, second.witness_key)
        check_protocol(one, log)
        assert first.witness("serve", "--key", log.log_key).returncode == 4, "one witness at a time"
        cosigned = log.scratch / "cosigned.tlog-proof"
        log.witness("receipt", receipt, "-o", cosigned, check=0)
        assert verify_both(program, file, cosigned, log, *both) == 0
        assert verify_both(program, file, cosigned, log) == 0
        assert verify_both(program, file, receipt, log, *both) == 1
        assert verify_both(program, file, receipt, log, *both, "--quorum", "0") == 0
        assert verify_both(program, file, cosigned, log, *both, *both[:2]) == 2
        # An entry that the witnesses have not seen
        newer, newer_receipt = log.seal_one(2)
        assert "newer than the cosigned checkpoint" in log.witness("receipt", newer_receipt).stderr
        log.witness("cosign", one, "http://127.0.0.1:1", *keys, "--quorum", 1, check=0)
        log.witness("receipt", newer_receipt, "-o", cosigned, check=0)
        assert verify_both(program, newer, cosigned, log, *both, "--quorum", "1") == 0
        assert verify_both(program, newer, cosigned, log, *both) == 1
        assert log.witness("cosign", one, "http://127.0.0.1:1", *keys).returncode == 4
    assert " cosigned" in first.said and "refused (409)" in first.said


def rollback_and_fork(log, witness):
    keys = ["--key", witness.witness_key]
    older = log.scratch / "older"
    shutil.copytree(log.home, older)
    log.seal_one(3)
    with witness.serving(log.log_key, end=signal.SIGKILL) as url:
        log.witness("cosign", url, *keys, check=0)
    back = Radseal(log.program, older)
    fork = Institution.__new__(Institution)
    fork.program, fork.home, fork.scratch = log.program, older, log.scratch
    with witness.serving(log.log_key) as url:      # what it signed before it was killed is not forgotten
        done = back.run("witness", "cosign", url, *keys, "--home", older)
        assert done.returncode == 1 and "rollback: the witness cosigned" in done.stderr, done.stderr
        fork.seal_one(4)                           # as many entries as the log has, but others
        done = back.run("witness", "cosign", url, *keys, "--home", older)
        assert done.returncode == 1 and "split view" in done.stderr, done.stderr
        fork.seal_one(5)
        done = back.run("witness", "cosign", url, *keys, "--home", older)
        assert done.returncode == 1 and "split view" in done.stderr, done.stderr
        log.seal_one(6)
        log.witness("cosign", url, *keys, check=0)
    assert "split view: the log" in witness.said and "refused (422)" in witness.said
    evidence, = (witness.home / "witness").glob("*.split-view")
    text = evidence.read_text().split("\n")
    places = [place for place, line in enumerate(text) if line == text[0]]
    assert len(places) == 2 and text[1] == text[places[1] + 1] and text[2] != text[places[1] + 2], "two trees of one size"


def by_file(log, witness):
    """Where no network is: the request goes there, the lines come back."""
    request = log.scratch / "request"
    log.seal_one(7)
    size = (log.home / "keys" / "cosigned-checkpoint").read_text().split("\n")[1]
    request.write_text(log.run("log", "--home", log.home, "--consistency", size, check=0).stdout)
    done = witness.witness("sign", request, "--key", log.log_key, check=0)
    assert done.stdout.startswith("\u2014 ") and done.stdout.count("\n") == 1
    assert witness.witness("sign", request, "--key", log.log_key).returncode == 1, "from a size that is past"
    assert witness.witness("sign", request, "--key", witness.log_key).returncode == 1, "of a log it does not sign for"
    memory, = (witness.home / "witness").glob("*.checkpoint")
    memory.write_text(memory.read_text().replace("\n", "\n ", 1))
    done = witness.witness("sign", request, "--key", log.log_key)
    assert done.returncode == 1 and "is not what it signed" in done.stderr, done.stderr


def usage(log, scratch):
    for arguments in ((), ("dance",), ("key", "x"), ("serve",), ("serve", "x", "--key", log.log_key), ("cosign",),
                      ("cosign", "http://127.0.0.1:1"), ("sign", "--key", log.log_key), ("receipt",),
                      ("serve", "--key", "x"), ("cosign", "http://127.0.0.1:1", "--key", log.log_key),
                      ("cosign", "http://127.0.0.1:1", "--key", log.witness_key, "--quorum", 2)):
        assert log.witness(*arguments).returncode == 2, arguments
    assert log.witness("serve", "--key", log.log_key, "--listen", "nowhere").returncode == 2
    assert log.witness("sign", scratch / "missing", "--key", log.log_key).returncode == 4


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        log, first, second = (Institution(sys.argv[1], scratch, name) for name in ("log-owner", "first", "second"))
        usage(log, scratch)
        cosign_and_verify(log, first, second, sys.argv[2])
        rollback_and_fork(log, first)
        by_file(log, first)
        log.fsck(check=0)
    print("cosigned by two institutions, verified by two verifiers; a rollback and a split view were named")
    return 0


if __name__ == "__main__":
    sys.exit(main())
