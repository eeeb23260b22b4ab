"""What the system tests share: running radseal, making files to seal, the bytes of a node."""
import json
import os
import pathlib
import random
import sqlite3
import struct
import subprocess

DATABASES = ("ledger.sqlite", "index.sqlite", "subjects.sqlite")


class Radseal:
    """One node, driven through the command line as a user would."""

    def __init__(self, program, home):
        self.program, self.home = str(program), pathlib.Path(home)

    def run(self, *arguments, check=None, **options):
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True,
                              timeout=600, **options)
        if check is not None and done.returncode != check:
            raise AssertionError(f"radseal {' '.join(map(str, arguments[:3]))} … ended with {done.returncode}, "
                                 f"not {check}: {done.stdout[-500:]}{done.stderr[-1500:]}")
        return done

    def init(self):
        self.run("init", self.home, "--quiet", check=0)

    def seal(self, *paths, check=0, **options):
        return self.run("seal", "--home", self.home, "--json", "--quiet", *paths, check=check, **options)

    def verify(self, *paths, check=None):
        return self.run("verify", "--home", self.home, "--json", *paths, check=check)

    def verdicts(self, *paths):
        return {row["path"]: row["verdict"] for row in json.loads(self.verify(*paths).stdout)}

    def fsck(self, check=None):
        return self.run("fsck", "--home", self.home, check=check)


def write_nifti(path, seed, side=24):
    """A small NIfTI-1 file of random int16 voxels (NIfTI-1 header, 348 bytes, then 4 of no extensions)."""
    generator = random.Random(seed)
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, side, side, side, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 4, 16)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 0, 0, 0, 0)
    struct.pack_into("<f", header, 108, 352)
    struct.pack_into("<h", header, 252, 1)
    header[123] = 2
    header[344:348] = b"n+1\0"
    pathlib.Path(path).write_bytes(bytes(header) + generator.randbytes(side ** 3 * 2))


def files_below(folder):
    return sorted(path for path in pathlib.Path(folder).rglob("*") if path.is_file())


def flip_file(path, generator):
    """Flips one random bit; returns what undoes it and where it was."""
    content = bytearray(path.read_bytes())
    offset, bit = generator.randrange(len(content)), generator.randrange(8)
    mode = path.stat().st_mode & 0o777
    content[offset] ^= 1 << bit
    path.write_bytes(content)

    def undo():
        content[offset] ^= 1 << bit
        path.write_bytes(content)
        os.chmod(path, mode)
    return undo, f"{path.name} byte {offset} bit {bit}"


def cells(connection):
    """(table, column, size in bytes) of every column of every table that holds something."""
    for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%'"):
        for column in connection.execute(f"PRAGMA table_info('{table}')").fetchall():
            size, = connection.execute(f'SELECT sum(length(CAST("{column[1]}" AS BLOB))) FROM "{table}"').fetchone()
            if size:
                yield table, column[1], size


def flipped(value, generator):
    if isinstance(value, int):
        return value ^ (1 << generator.randrange(max(value.bit_length(), 4)))
    is_text = isinstance(value, str)
    content = bytearray(value.encode() if is_text else value)
    content[generator.randrange(len(content))] ^= 1 << generator.randrange(7 if is_text else 8)
    return content.decode() if is_text else bytes(content)


def flip_cell(database, generator):
    """Flips one bit of one value of one row, as SQL sees it, weighted by the bytes of the columns."""
    connection = sqlite3.connect(database, isolation_level=None)
    choices = list(cells(connection))
    table, column, _ = generator.choices(choices, [size for *_, size in choices])[0]
    keys = [row[1] for row in connection.execute(f"PRAGMA table_info('{table}')") if row[5]] or ["rowid"]
    names = ", ".join(f'"{key}"' if key != "rowid" else key for key in keys)
    rows = connection.execute(f'SELECT {names}, "{column}" FROM "{table}" WHERE length("{column}") > 0').fetchall()
    *identity, value = generator.choice(rows)
    where = " AND ".join(f'{key if key == "rowid" else chr(34) + key + chr(34)} IS ?' for key in keys)
    changed = flipped(value, generator)
    connection.execute("PRAGMA ignore_check_constraints=1")
    try:
        connection.execute(f'UPDATE "{table}" SET "{column}"=? WHERE {where}', [changed, *identity])
    except sqlite3.IntegrityError:
        connection.close()
        return None, ""
    moved = [changed if key == column else old for key, old in zip(keys, identity)]

    def undo():
        connection.execute(f'UPDATE "{table}" SET "{column}"=? WHERE {where}', [value, *moved])
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return undo, f"{database.name} {table}.{column}"
