#!/usr/bin/env python3
"""DICOM headers: dicom_bench, pydicom and dcmdump on the same files in the same run. dcmdump prints what it reads, many files to a
process; pydicom parses lazily, so it is timed with and without touching every value. Data absent: the made-up file of dicom_bench only.
Usage: dicom_against_peers.py <build> [<folder>]; RADSEAL_PEERS may name a Python that has pydicom."""
import io, os, pathlib, re, shutil, statistics, subprocess, sys, time

build = pathlib.Path(sys.argv[1])
folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "../shared/data/mpmri_cmb_crc")
files = sorted(str(p) for p in folder.rglob("*.dcm"))[:100]


def pydicom_times():
    import pydicom
    lazy, whole = [], []
    for path in files:
        data = pathlib.Path(path).read_bytes()
        start = time.perf_counter()
        pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
        lazy.append(time.perf_counter() - start)
        start = time.perf_counter()
        for _ in pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True).iterall():
            pass
        whole.append(time.perf_counter() - start)
    return f"{statistics.median(lazy) * 1e6:.2f} {statistics.median(whole) * 1e6:.2f}"


def main():
    subprocess.run([build / "bench" / "dicom_bench"], check=True)
    if not files:
        return print(f"no files below {folder}: peers are not timed")
    out = subprocess.run([build / "bench" / "dicom_bench"] + files, check=True, capture_output=True, text=True).stdout
    ours = statistics.median(float(x) for x in re.findall(r"header +([\d.]+) us", out))
    both = statistics.median(float(x) for x in re.findall(r"metadata +([\d.]+) us", out))
    elements = statistics.median(int(x) for x in re.findall(r"^(\d+) elements", out, re.M))
    print(f"{len(files)} files of {elements:.0f} elements, medians: header {ours:.2f} us, with metadata {both:.2f} us")
    python = os.environ.get("RADSEAL_PEERS", sys.executable)
    peer = subprocess.run([python, __file__, str(build), str(folder), "--pydicom"], capture_output=True, text=True)
    if peer.returncode == 0:
        lazy, whole = map(float, peer.stdout.split())
        print(f"pydicom: {lazy:.0f} us ({lazy / ours:.0f} x), with every value converted {whole:.0f} us ({whole / ours:.0f} x)")
    else:
        print("pydicom is not here; RADSEAL_PEERS may name a Python that has it")
    if not shutil.which("dcmdump"):
        return print("dcmdump is not here (Debian package dcmtk)")
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(["dcmdump", "-q"] + files, stdout=subprocess.DEVNULL, check=True)
        times.append((time.perf_counter() - start) / len(files) * 1e6)
    dump = statistics.median(times)
    print(f"dcmdump: {dump:.0f} us a file, reading from disk and printing ({dump / ours:.0f} x)")


if "--pydicom" in sys.argv:
    print(pydicom_times())
else:
    main()
