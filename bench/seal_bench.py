"""Sealing 100 X-ray-sized files: `seal_bench.py RADSEAL [--runs N]`. In the same run, on the same files: plain copy
with fsync, sha256sum, and radseal seal. Medians; each run on fresh targets, sources in the page cache."""
import argparse
import os
import pathlib
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

FILES, SIDE = 100, 1024
PAPER_HASH_MS, PAPER_UPLOAD_MS = 685, 56830  # paper B, table of hashing and of upload to its chain, 100 X-rays


def write_xray(path):
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 2, SIDE, SIDE, 1, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 4, 16)
    struct.pack_into("<8f", header, 76, 1, 0.15, 0.15, 1, 0, 0, 0, 0)
    struct.pack_into("<f", header, 108, 352)
    header[344:348] = b"n+1\0"
    path.write_bytes(bytes(header) + os.urandom(SIDE * SIDE * 2))


def copy_and_sync(sources, target):
    target.mkdir()
    for source in sources:
        with open(source, "rb", buffering=0) as reader, open(target / source.name, "wb", buffering=0) as writer:
            while block := reader.read(1 << 20):
                writer.write(block)
            os.fsync(writer.fileno())
    descriptor = os.open(target, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def timed(function, *arguments):
    start = time.monotonic()
    function(*arguments)
    return (time.monotonic() - start) * 1000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("radseal")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    results = {"copy and fsync": [], "sha256sum": [], "radseal seal": [], "radseal verify": []}
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as scratch:
        scratch = pathlib.Path(scratch)
        sources = [scratch / f"xray{number:03}.nii" for number in range(FILES)]
        for source in sources:
            write_xray(source)
        size_mb = sum(source.stat().st_size for source in sources) / 1e6
        os.sync()
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        for run in range(options.runs):
            copy, home = scratch / "copy", scratch / "node"
            results["copy and fsync"].append(timed(copy_and_sync, sources, copy))
            results["sha256sum"].append(timed(lambda: subprocess.run(["sha256sum", *sources], **quiet)))
            subprocess.run([options.radseal, "init", home], **quiet)
            results["radseal seal"].append(timed(lambda: subprocess.run(
                [options.radseal, "seal", "--home", home, "--quiet", *sources], **quiet)))
            results["radseal verify"].append(timed(lambda: subprocess.run(
                [options.radseal, "verify", "--home", home, "--quiet", *sources], **quiet)))
            shutil.rmtree(copy)
            shutil.rmtree(home)
            os.sync()
    medians = {name: statistics.median(values) for name, values in results.items()}
    print(f"{FILES} files, {size_mb:.0f} MB, {options.runs} runs, {os.cpu_count()} processors")
    for name, values in results.items():
        print(f"  {name:16} {medians[name]:8.0f} ms  [{min(values):.0f} – {max(values):.0f}]  "
              f"{size_mb / medians[name] * 1000:7.0f} MB/s")
    ratio = statistics.median(c / s for c, s in zip(results["copy and fsync"], results["radseal seal"]))
    print(f"  seal throughput is {ratio * 100:.0f} % of plain copy with fsync (target: 60 %)")
    print(f"  seal takes {medians['radseal seal'] / medians['sha256sum']:.2f} of sha256sum's time")
    print(f"  paper B: {PAPER_HASH_MS} ms to hash, {PAPER_UPLOAD_MS} ms to upload 100 X-rays to its chain; sealed and "
          f"durable here in {medians['radseal seal']:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
