"""Large files take no more memory than small ones: `large.py RADSEAL [--size MIB] [--folder DIR]` seals sparse files of every
form that can be that large, verifies them with and without the node, checks the node, and measures each process's
largest resident set. A process that kept the content would need it whole."""
import argparse
import os
import pathlib
import resource
import shutil
import struct
import subprocess
import tempfile
import time

MIB = 1 << 20
RESIDENT_MAX = 64 * MIB
DATA_MAX = 256 * MIB  # private memory, stacks of threads included: less than the smallest size tested


def sparse(path, front, size, back=b""):
    with open(path, "wb") as file:
        file.write(front)
        file.seek(size - len(back))
        file.write(back)
        file.truncate(size)


def nifti(path, size):
    rows = size // (4096 * 1024 * 8)
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, 4096, 1024, rows, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 64, 64)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 0, 0, 0, 0)
    struct.pack_into("<f", header, 108, 352)
    struct.pack_into("<h", header, 252, 1)
    header[123] = 2
    header[344:348] = b"n+1\0"
    sparse(path, header, 352 + 4096 * 1024 * 8 * rows)


def nrrd(path, size):
    rows = size // (4096 * 1024 * 8)
    front = (f"NRRD0004\ntype: double\ndimension: 3\nsizes: 4096 1024 {rows}\nendian: little\nencoding: raw\n"
             f"spacings: 1 1 1\n\n").encode()
    sparse(path, front, len(front) + 4096 * 1024 * 8 * rows)


def element(tag, vr, value):
    value += b" " * (len(value) % 2) if vr != b"UI" else b"\0" * (len(value) % 2)
    return struct.pack("<HH2sH", tag >> 16, tag & 0xffff, vr, len(value)) + value


def dicom(path, size):
    """Encapsulated pixel data (PS3.5 annex A.4): fragments of 256 MiB, as no native pixel data can be longer than 4 GiB."""
    meta = element(0x00020010, b"UI", b"1.2.840.10008.1.2.4.90")
    front = bytes(128) + b"DICM" + element(0x00020000, b"UL", struct.pack("<I", len(meta))) + meta
    front += element(0x00080016, b"UI", b"1.2.840.10008.5.1.4.1.1.77.1.6") + element(0x00080018, b"UI", b"1.2.3.4.5")
    front += element(0x00100020, b"LO", b"LARGE-1") + element(0x0020000e, b"UI", b"1.2.3.4")
    front += struct.pack("<HH2sHI", 0x7fe0, 0x0010, b"OB", 0, 0xffffffff)
    with open(path, "wb") as file:
        file.write(front)
        left = size
        while left > 0:
            part = min(left, 256 * MIB)
            file.write(struct.pack("<HHI", 0xfffe, 0xe000, part))
            file.seek(part - 1, os.SEEK_CUR)
            file.write(b"\0")
            left -= part
        file.write(struct.pack("<HHI", 0xfffe, 0xe0dd, 0))


def measure(program, *arguments, limited=True):
    """Runs it with little memory; its largest resident set in bytes, and seconds."""
    begun = time.monotonic()
    process = subprocess.Popen([program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_DATA, (DATA_MAX, DATA_MAX)))
                               if limited else None)
    output = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, (arguments[0], output)
    return usage.ru_maxrss * 1024, time.monotonic() - begun


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--size", type=int, default=600, help="MiB of each file")
    parser.add_argument("--folder")
    parser.add_argument("--form", action="append", help="nifti, nrrd, dicom; all when not given")
    parser.add_argument("--sanitized", action="store_true", help="a sanitizer's memory counts, too: measure nothing")
    options = parser.parse_args()

    def run(*arguments):
        return measure(options.program, *arguments, limited=not options.sanitized)
    forms = {"nifti": nifti, "nrrd": nrrd, "dicom": dicom}
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        scratch = pathlib.Path(scratch)
        for name in options.form or forms:
            path, home = scratch / f"large.{name}", scratch / name
            forms[name](path, options.size * MIB)
            run("init", home, "--quiet")
            rows = [("seal", run("seal", "--home", home, "--quiet", path)),
                    ("verify", run("verify", "--home", home, path))]
            receipt = next((home / "receipts").rglob("*.tlog-proof"))
            rows += [("verify --offline", run("verify", "--offline", path, "--receipt", receipt, "--key",
                                                  home / "keys/log.vkey")),
                     ("fsck", run("fsck", "--home", home, "--quiet"))]
            for what, (resident, seconds) in rows:
                print(f"{name}, {path.stat().st_size} bytes: {what} {resident // MIB} MiB resident, {seconds:.1f} s")
                assert options.sanitized or resident <= RESIDENT_MAX, f"{what} of a {name} file had {resident} bytes in memory"
            path.unlink()
            shutil.rmtree(home)


if __name__ == "__main__":
    main()
