"""Accounts from a shell: `accounts.py RADSEAL`. Every action, what is refused, who the account acts as, and a kill while
accounts are made: what was told is there, nothing is half there."""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

from node_tools import Radseal


class Node(Radseal):
    def do(self, *arguments, code=0):
        done = self.run("account", *arguments, "--home", self.home)
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        return done

    def row(self, name):
        return next(row for row in json.loads(self.do("list", "--json").stdout) if row["name"] == name)


def code_of(uri, at):
    """RFC 6238 by hand."""
    secret = base64.b32decode(urllib.parse.parse_qs(urllib.parse.urlsplit(uri).query)["secret"][0])
    mac = hmac.new(secret, int(at // 30).to_bytes(8, "big"), hashlib.sha1).digest()
    number = int.from_bytes(mac[mac[19] & 15:][:4], "big") & 0x7fffffff
    return f"{number % 1000000:06}"


def every_action(node, first, second, short):
    node.run("key", "new", "lee", "--home", node.home, check=0)
    node.run("member", "grant", "lee", "--role", "radiologist", "--home", node.home, check=0)
    node.do("add", "Lee", "--as", "lee", "--password-file", short, code=2)
    node.do("add", "Lee", "--password-file", first, code=2)
    node.do("add", "a lee", "--as", "lee", "--password-file", first, code=2)
    row = json.loads(node.do("add", "Lee", "--as", "lee", "--password-file", first, "--json").stdout)
    assert (row["name"], row["role"], row["state"], row["failures"]) == ("lee", "radiologist", "new password", 0), row
    assert row["key"] == node.run("key", "show", "lee", "--home", node.home, check=0).stdout.strip().split()[-1]
    assert "there is an account" in node.do("add", "lee", "--as", "lee", "--password-file", first, code=4).stderr
    for _ in range(5):  # the fourth locks; the fifth is not even looked at
        node.do("password", "lee", "--old-password-file", second, "--password-file", first, code=4)
    row = node.row("lee")
    assert (row["state"], row["failures"]) == ("locked", 4) and row["locked_until"], row
    node.do("unlock", "lee")
    node.do("password", "lee", "--old-password-file", first, "--password-file", second)
    assert node.row("lee")["state"] == "open"
    enrolled = json.loads(node.do("totp", "lee", "--json").stdout)
    assert len(set(enrolled["recovery_codes"])) == 10 and len(code_of(enrolled["uri"], time.time())) == 6, enrolled
    assert node.row("lee")["codes"] == "totp" and node.row("lee")["recovery_codes"] == 10
    assert node.do("totp", "lee").stdout.startswith("otpauth://totp/Radiology:lee?secret=")
    node.do("totp", "lee", "--off")
    assert node.row("lee")["codes"] is None
    node.do("disable", "lee")
    assert node.row("lee")["state"] == "disabled"
    node.do("unlock", "lee")
    node.do("password", "lee", "--as", "lee", "--password-file", first)
    assert node.row("lee")["state"] == "new password"
    for wrong in ([], ["frobnicate"], ["add"], ["disable"], ["list", "x"]):
        node.do(*wrong, code=2)
    node.do("unlock", "nobody", code=4)


def killed(node, program, password):
    told = set()
    for i in range(12):
        process = subprocess.Popen([program, "account", "add", f"p{i}", "--as", "lee", "--password-file", password, "--home",
                                    node.home], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        time.sleep(0.03 * i)
        process.send_signal(signal.SIGKILL)
        out = process.communicate()[0]
        if out:
            told.add(f"p{i}")
    rows = {row["name"]: row for row in json.loads(node.do("list", "--json").stdout)}
    assert told <= set(rows) and all(row["role"] == "radiologist" for row in rows.values()), (told, rows)


def nothing_in_clear(node, secrets):
    for path in pathlib.Path(node.home).glob("accounts.sqlite*"):
        assert path.stat().st_mode & 0o077 == 0, path
        data = path.read_bytes()
        assert not any(secret.encode() in data for secret in secrets), path


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as directory:
        files = []
        for name, text in (("first", "the first password\n"), ("second", "the second password\n"), ("short", "eleven byte\n")):
            path = pathlib.Path(directory, name)
            path.write_text(text)
            files.append(str(path))
        node = Node(program, os.path.join(directory, "node"))
        node.run("init", node.home, "--quiet", check=0)
        every_action(node, *files)
        killed(node, program, files[0])
        nothing_in_clear(node, ["lee", "password", "Radiology"])
    print("accounts: every action, refusals, kills, nothing in clear")


if __name__ == "__main__":
    main()
