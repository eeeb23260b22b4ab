"""Sealing and verifying against plain copies: `seal_bench.py RADSEAL [--runs N] [--cases NAME,…]`. In the same run and on
the same files: copy with fsync, sha256sum, radseal seal, radseal verify on one and on two threads. Medians; each run on
fresh targets, sources in the page cache. BENCH_DIR names a folder on the disk to measure."""
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

# name: files, bytes of voxels each, what it stands for
CASES = {
    "xrays": (100, 2 << 20, "X-ray-sized files"),
    "small": (100, 64 << 10, "small files"),
    "large": (3, 256 << 20, "large files"),
}
PAPER_HASH_MS, PAPER_UPLOAD_MS = 685, 56830  # paper B, table of hashing and of upload to its chain, 100 X-rays


def write_image(path, size):
    """A NIfTI-1 file of random int16 voxels."""
    rows = size // 2 // 1024
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, 1024, min(rows, 1024), max(rows // 1024, 1), 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 4, 16)
    struct.pack_into("<8f", header, 76, 1, 0.15, 0.15, 1, 0, 0, 0, 0)
    struct.pack_into("<f", header, 108, 352)
    header[344:348] = b"n+1\0"
    path.write_bytes(bytes(header) + os.urandom(size))


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


def quietly(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measure(program, sources, scratch, runs):
    results = {name: [] for name in ("copy and fsync", "sha256sum", "radseal seal", "radseal verify -j 1",
                                     "radseal verify -j 2")}
    copy, home = scratch / "copy", scratch / "node"
    seal = [program, "seal", "--home", home, "--quiet", *sources]
    writers = [("copy and fsync", copy_and_sync, sources, copy), ("radseal seal", quietly, *seal)]
    for run in range(runs):
        quietly(program, "init", home)
        # In turn: where the disk is shared and rationed, the first one gets more of it.
        for name, function, *arguments in writers[::-1] if run % 2 else writers:
            os.sync()
            results[name].append(timed(function, *arguments))
        results["sha256sum"].append(timed(quietly, "sha256sum", *sources))
        verify = [program, "verify", "--home", home, "--quiet", *sources]
        quietly(*verify)  # what was sealed past the cache is in it now, for both
        for threads in "1", "2":
            results[f"radseal verify -j {threads}"].append(timed(
                quietly, *verify, "-j", threads))
        shutil.rmtree(copy)
        shutil.rmtree(home)
        os.sync()
    return results


def ratio(results, above, below):
    return statistics.median(a / b for a, b in zip(results[above], results[below]))


def report(case, sources, results):
    count, _, meaning = CASES[case]
    size_mb = sum(source.stat().st_size for source in sources) / 1e6
    medians = {name: statistics.median(values) for name, values in results.items()}
    print(f"{count} {meaning}, {size_mb:.0f} MB, {len(results['sha256sum'])} runs, {os.cpu_count()} processors")
    for name, values in results.items():
        print(f"  {name:20} {medians[name]:8.0f} ms  [{min(values):.0f} – {max(values):.0f}]  "
              f"{size_mb / medians[name] * 1000:7.0f} MB/s")
    print(f"  seal throughput is {ratio(results, 'copy and fsync', 'radseal seal') * 100:.0f} % of plain copy with "
          f"fsync (target: 60 %), {ratio(results, 'sha256sum', 'radseal seal') * 100:.0f} % of sha256sum's")
    print(f"  verify on two threads is {ratio(results, 'radseal verify -j 1', 'radseal verify -j 2'):.2f} times as "
          "fast as on one")
    if count == 100:
        print(f"  sealed and durable in {medians['radseal seal']:.0f} ms (target: 500 ms)")
    if case == "xrays":
        print(f"  paper B: {PAPER_HASH_MS} ms to hash, {PAPER_UPLOAD_MS} ms to upload 100 X-rays to its chain")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("radseal")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--cases", default=",".join(CASES))
    options = parser.parse_args()
    for case in options.cases.split(","):
        count, size, _ = CASES[case]
        with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as scratch:
            scratch = pathlib.Path(scratch)
            sources = [scratch / f"{case}{number:03}.nii" for number in range(count)]
            for source in sources:
                write_image(source, size)
            os.sync()
            report(case, sources, measure(options.radseal, sources, scratch, options.runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
