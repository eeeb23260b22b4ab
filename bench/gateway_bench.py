"""What a stock storescu waits for: `gateway_bench.py RADSEAL [--runs N] [--orthanc PROGRAM]`. 200 MR slices (26 MB) and 100 X-rays
(210 MB), made here, sent by one association to radseal, to dcmtk's storescp that throws all away, and to Orthanc where it is
installed, in turn in the same run; medians in ms, and the server's peak of memory. radseal answers when an instance is encrypted,
stored and sealed, durably; Orthanc (as Debian configures it) when the file is synced. BENCH_DIR names a folder on the disk to
measure."""
import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "system"))
from dicom_peer import EXPLICIT, explicit, meta  # noqa: E402


def instance(sop_class, patient, study, series, number, side, modality):
    uid = f"2.25.{series}{number:03d}"
    us = lambda element, value: explicit(0x28, element, "US", struct.pack("<H", value))  # noqa: E731
    data = (explicit(8, 0x16, "UI", sop_class) + explicit(8, 0x18, "UI", uid) + explicit(8, 0x20, "DA", "20260101") +
            explicit(8, 0x60, "CS", modality) + explicit(0x10, 0x10, "PN", f"Test^{patient}") +
            explicit(0x10, 0x20, "LO", patient) + explicit(0x20, 0xD, "UI", f"2.25.{study}") +
            explicit(0x20, 0xE, "UI", f"2.25.{series}") + explicit(0x20, 0x13, "IS", str(number)) + us(2, 1) +
            explicit(0x28, 4, "CS", "MONOCHROME2") + us(0x10, side) + us(0x11, side) + us(0x100, 16) + us(0x101, 16) +
            us(0x102, 15) + us(0x103, 0) +
            explicit(0x7FE0, 0x10, "OW", random.Random(series * 1000 + number).randbytes(2 * side * side)))
    return meta(sop_class, uid, EXPLICIT, "1.2.3.4") + data


def make_sets(folder):
    for name in ("mr200", "xray100"):
        (folder / name).mkdir()
    for number in range(200):
        series = 10 + number // 50
        (folder / "mr200" / f"{number:03d}").write_bytes(
            instance("1.2.840.10008.5.1.4.1.1.4", f"M{series // 12}", series // 2, series, number, 256, "MR"))
    for number in range(100):
        (folder / "xray100" / f"{number:03d}").write_bytes(
            instance("1.2.840.10008.5.1.4.1.1.1", f"X{number}", 1000 + number, 2000 + number, 1, 1024, "CR"))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@contextlib.contextmanager
def radseal(program, scratch):
    home, port = scratch / "node", free_port()
    subprocess.run([program, "init", home, "--quiet"], check=True)
    with serving([program, "serve", "--home", home, "--dicom", f"127.0.0.1:{port}", "--ae", "ANY-SCP", "--quiet"],
                 port) as process:
        yield port, process


@contextlib.contextmanager
def storescp(_, scratch):
    port = free_port()
    with serving(["storescp", "--ignore", "+xa", port], port) as process:
        yield port, process


@contextlib.contextmanager
def orthanc(program, scratch):
    port = free_port()
    (scratch / "orthanc.json").write_text(json.dumps({
        "StorageDirectory": str(scratch / "store"), "IndexDirectory": str(scratch / "store"), "DicomPort": port,
        "DicomAet": "ANY-SCP", "HttpServerEnabled": False, "Plugins": []}))
    with serving([program, scratch / "orthanc.json"], port) as process:
        yield port, process


@contextlib.contextmanager
def serving(words, port):
    process = subprocess.Popen(list(map(str, words)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while subprocess.run(["echoscu", "127.0.0.1", str(port)], capture_output=True).returncode:
            assert process.poll() is None, words
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait()


def peak_mib(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("radseal")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--orthanc", default=shutil.which("Orthanc"))
    options = parser.parse_args()
    servers = {"radseal": (radseal, os.path.abspath(options.radseal)), "storescp --ignore": (storescp, None)}
    if options.orthanc:
        servers["Orthanc"] = (orthanc, options.orthanc)
    times, peaks = {}, {}
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        folder = pathlib.Path(folder)
        make_sets(folder)
        for _ in range(options.runs):
            for name, (start, program) in servers.items():
                for images in ("mr200", "xray100"):
                    scratch = pathlib.Path(tempfile.mkdtemp(dir=folder))
                    with start(program, scratch) as (port, process):
                        os.sync()
                        started = time.perf_counter()
                        subprocess.run(["storescu", "+sd", "127.0.0.1", str(port), str(folder / images)], check=True)
                        times.setdefault((name, images), []).append(1000 * (time.perf_counter() - started))
                        peaks[name] = max(peaks.get(name, 0), peak_mib(process))
                    shutil.rmtree(scratch)
    for (name, images), values in times.items():
        print(f"{name:18} {images:8} {statistics.median(values):8.0f} ms   [{min(values):.0f}-{max(values):.0f}]")
    for name, peak in peaks.items():
        print(f"{name:18} peak of memory {peak:.0f} MiB")


if __name__ == "__main__":
    main()
