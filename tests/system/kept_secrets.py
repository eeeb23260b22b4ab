"""Keys stay where they belong: `kept_secrets.py RADSEAL [--sanitized]`. No core dump, secrets in locked memory, nothing of keys or
passphrases in what is printed or lies on disk in clear, key files that others can read are refused."""
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile

from node_tools import Radseal, files_below

PASSPHRASE = "a fine passphrase of 2026"


def allow_cores():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def crashed_with_core(process, folder):
    process.send_signal(signal.SIGSEGV)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -signal.SIGSEGV
    assert os.WIFSIGNALED(status), status
    return os.WCOREDUMP(status) or bool(list(folder.glob("core*")))


def core_dumps(node, scratch, sanitized):
    """A crash of a process that holds the node's keys leaves no core, where one of another program does."""
    folder = scratch / "cores"
    folder.mkdir()
    other = subprocess.Popen(["sleep", "60"], cwd=folder, preexec_fn=allow_cores)
    control = crashed_with_core(other, folder)
    for core in folder.glob("core*"):
        core.unlink()
    key = (node.home / "keys" / "log.vkey").read_text().strip()
    server = subprocess.Popen([os.path.abspath(node.program), "witness", "serve", "--home", node.home, "--key", key,
                               "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True, cwd=folder,
                              preexec_fn=allow_cores)
    try:
        check_server(server, folder, sanitized)
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
    return control


def check_server(server, folder, sanitized):
    assert server.stdout.readline().startswith("port ")
    status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{server.pid}/status").read_text().splitlines())
    limits = pathlib.Path(f"/proc/{server.pid}/limits").read_text()
    assert "Max core file size        0                    0" in limits, limits
    # A sanitizer locks nothing: it passes the request over.
    if not sanitized and resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] != 0:
        assert int(status["VmLck"].split()[0]) > 0, "the keyring lies in locked memory"
    if not sanitized:
        assert not crashed_with_core(server, folder), "a core was dumped"


def nothing_printed(node, scratch):
    """Whatever is run with the keys: neither a passphrase nor the bytes that open a key are told, nor written in clear."""
    word, other = scratch / "word", scratch / "other"
    word.write_text(PASSPHRASE + "\n")
    other.write_text("another " + PASSPHRASE + "\n")
    calls = [("key", "new", "reader", "--passphrase-file", word), ("key", "new", "robot"), ("key", "list", "--json"),
             ("key", "show", "reader"), ("key", "show", "robot", "--json"),
             ("key", "change", "reader", "--passphrase-file", other, "--new-passphrase-file", word),
             ("key", "change", "reader", "--passphrase-file", word, "--new-passphrase-file", other),
             ("key", "change", "robot", "--to-unlock-file"), ("log",), ("log", "--json"), ("fsck",)]
    told = "".join(done.stdout + done.stderr
                   for done in (node.run(*call, "--home", node.home) for call in calls))
    opening = [path.read_bytes() for path in node.home.glob("keys/*unlock*")]
    assert len(opening) == 2
    assert PASSPHRASE not in told
    for secret in opening:
        assert secret.hex() not in told
    for path in files_below(node.home):
        content = path.read_bytes()
        assert PASSPHRASE.encode() not in content, path
        assert path.suffix in (".unlock",) or path.name == "unlock.key" or not any(s in content for s in opening), path
        if path.suffix in (".key", ".unlock"):
            assert path.stat().st_mode & 0o077 == 0, path


def who_may_open(node, scratch):
    word = scratch / "other"
    wrong = node.run("key", "change", "reader", "--to-unlock-file", "--passphrase-file", scratch / "word",
                     "--home", node.home)
    assert wrong.returncode == 4 and "wrong passphrase" in wrong.stderr, wrong.stderr
    key = node.home / "keys" / "reader.key"
    key.chmod(0o644)
    seen = node.run("key", "change", "reader", "--to-unlock-file", "--passphrase-file", word, "--home", node.home)
    assert seen.returncode == 4 and "chmod 600" in seen.stderr, seen.stderr
    key.chmod(0o600)
    node.run("key", "change", "reader", "--to-unlock-file", "--passphrase-file", word, "--home", node.home, check=0)
    for call in (("key",), ("key", "new"), ("key", "new", "../x"), ("key", "new", "node"), ("key", "change", "robot"),
                 ("key", "list", "x"), ("key", "open", "robot")):
        assert node.run(*call, "--home", node.home).returncode == 2, call
    node.run("key", "new", "robot", "--home", node.home, check=4)
    own_keys(node, word)


def own_keys(node, word):
    """The node's own keys: from the unlock file to a passphrase, which alone opens them, and back."""
    unlock = node.home / "keys" / "unlock.key"
    before = unlock.read_bytes()
    node.run("key", "change", "node", "--new-passphrase-file", word, "--home", node.home, check=0)
    assert not unlock.exists()
    closed = node.run("log", "--home", node.home)
    assert closed.returncode == 2 and "RADSEAL_PASSPHRASE" in closed.stderr, closed.stderr
    unlock.write_bytes(before)
    unlock.chmod(0o600)
    node.run("log", "--home", node.home, check=2)
    node.run("log", "--passphrase-file", word, "--home", node.home, check=0)
    node.run("key", "change", "node", "--to-unlock-file", "--passphrase-file", word, "--home", node.home, check=0)
    assert unlock.read_bytes() != before
    node.run("log", "--home", node.home, check=0)
    node.run("key", "show", "nobody", "--home", node.home, check=4)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        node = Radseal(sys.argv[1], scratch / "node")
        node.init()
        control = core_dumps(node, scratch, "--sanitized" in sys.argv)
        nothing_printed(node, scratch)
        who_may_open(node, scratch)
    print("no core, no secret told or in clear" + ("" if control else "; this system dumps no cores of others either"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
