"""Files of others that our pages load, exactly as their makers packed them.

`vendor.toml` lists each package with version, licence and the digest of its archive, and each file
taken from it with its own. Without a word: fetch the archives with npm, which knows its registry,
check them and write the files. With `--check`: only tell whether what is there is what the list
says; needs no network. Exit code 1 when it is not.
"""

import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

FOLDER: Final = Path(__file__).parent.parent / "src" / "tongcheng" / "web" / "static" / "vendor"
LOCK: Final = "vendor.toml"
OURS: Final = frozenset({LOCK, "README.md"})

Pack = Callable[[str, Path], Path]
"""`name@version` and a folder → the archive that was put there."""


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: its path in the package, its name here, its digest ("sha512-…")."""

    path: str
    name: str
    integrity: str


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One package; a file named LICENSE stands among its files. `licence` is its SPDX id."""

    name: str
    version: str
    licence: str
    integrity: str
    files: list[File]


class Wrong(Exception):
    """An archive is not what the list says: nothing of it is written."""


def read_lock(folder: Path) -> list[Package]:
    """Return the packages that a folder's list names."""
    table = tomllib.loads((folder / LOCK).read_text("utf-8"))
    return msgspec.convert(table["packages"], list[Package])


def integrity_of(content: bytes) -> str:
    """Return the digest as npm writes it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def faults_in(folder: Path, packages: Sequence[Package]) -> list[str]:
    """Return a sentence for every file that is not as listed, and for every one not listed."""
    listed = {file.name: file for package in packages for file in package.files}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    faults = [f"{name} is not in {LOCK}" for name in sorted(there - set(listed) - OURS)]
    faults += [f"{name} is missing" for name in sorted(set(listed) - there)]
    faults += [
        f"{name} is not what {LOCK} says"
        for name in sorted(there & set(listed))
        if integrity_of((folder / name).read_bytes()) != listed[name].integrity
    ]
    return faults + [
        f"{package.name} comes without its licence"
        for package in packages
        if not any(file.name.endswith("LICENSE") for file in package.files)
    ]


def taken_from(archive: bytes, package: Package) -> dict[str, bytes]:
    """Return the listed files of a package's archive by their name here; raises Wrong."""
    if integrity_of(archive) != package.integrity:
        message = f"{package.name} {package.version}: the archive is another one"
        raise Wrong(message)
    found = {}
    with tempfile.TemporaryFile() as file:
        file.write(archive)
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r:gz") as members:
            for each in package.files:
                member = members.extractfile(f"package/{each.path}")
                content = b"" if member is None else member.read()
                if integrity_of(content) != each.integrity:
                    message = f"{package.name} {package.version}: {each.path} is another file"
                    raise Wrong(message)
                found[each.name] = content
    return found


def npm_pack(package: str, folder: Path) -> Path:
    """Let npm fetch a package's archive, from the registry that its own configuration names."""
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), package]
    said = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return folder / said.stdout.split()[-1]


def fetch(folder: Path, packages: Sequence[Package], pack: Pack = npm_pack) -> None:
    """Write every listed file anew; all archives are checked before the first file is written."""
    files: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as name:
        for package in packages:
            archive = pack(f"{package.name}@{package.version}", Path(name))
            files |= taken_from(archive.read_bytes(), package)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def main(words: Sequence[str], folder: Path = FOLDER) -> int:
    """Fetch and check, or check alone; return the exit code."""
    packages = read_lock(folder)
    if "--check" not in words:
        fetch(folder, packages)
    faults = faults_in(folder, packages)
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(packages)} packages, {'as listed' if not faults else 'NOT as listed'}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
