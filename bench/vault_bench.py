"""The vault beside programs that encrypt files: `vault_bench.py VAULT_BENCH [--size MIB] [--runs N]`. In the same run, on the same
file of random bytes, on one core each: the vault (AES-256-GCM, the SHA-256 tree of its address, durable), copying with fsync,
openssl's AES-256-CTR (which authenticates nothing), gpg where there is one, sha256sum. Medians, MB/s. BENCH_DIR names a folder
on the disk to measure."""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

SECRET = "bench"


def durable(path):
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def peers(source, target):
    enc = ["openssl", "enc", "-aes-256-ctr", "-pass", f"pass:{SECRET}", "-iter", "1", "-pbkdf2"]
    gpg = ["gpg", "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--passphrase", SECRET]
    yield "copy, durable", ["cp", source, target], True
    yield "openssl enc aes-256-ctr, durable", [*enc, "-in", source, "-out", target], True
    yield "openssl dec aes-256-ctr", [*enc, "-d", "-in", target, "-out", "/dev/null"], False
    if shutil.which("gpg"):
        yield "gpg encrypt (AES256), durable", [*gpg, "--symmetric", "--cipher-algo", "AES256", "--compress-algo", "none", "-o",
                                                target, source], True
        yield "gpg decrypt", [*gpg, "--decrypt", "-o", "/dev/null", target], False
    yield "sha256sum", ["sha256sum", source], False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    rates = {}
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as scratch:
        scratch = pathlib.Path(scratch)
        source, target = scratch / "source", scratch / "target"
        with open(source, "wb") as file:
            for _ in range(options.size):
                file.write(os.urandom(1 << 20))
        size = source.stat().st_size / 1e6
        environment = {**os.environ, "GNUPGHOME": str(scratch)}
        for run in range(options.runs):
            said = subprocess.run([options.program, source, scratch / "vault"], check=True, capture_output=True, text=True)
            for line in said.stdout.splitlines():
                what, rate = line.split()
                rates.setdefault(f"vault {what}", []).append(float(rate))
            for name, command, is_durable in peers(source, target):
                begun = time.monotonic()
                subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=environment)
                if is_durable:
                    durable(target)
                rates.setdefault(name, []).append(size / (time.monotonic() - begun))
    for name, values in rates.items():
        print(f"{name:36} {statistics.median(values):8.0f} MB/s   (of {len(values)}: {min(values):.0f} … {max(values):.0f})")


if __name__ == "__main__":
    main()
