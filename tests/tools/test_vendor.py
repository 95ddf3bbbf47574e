"""What others wrote is here as they packed it, and nothing comes in unlisted."""

import io
import tarfile
from pathlib import Path

import msgspec
import pytest

from tools.vendor import (
    FOLDER,
    File,
    Package,
    Wrong,
    faults_in,
    fetch,
    integrity_of,
    main,
    read_lock,
    taken_from,
)

SCRIPT = b"var example = 1;\n"
LICENCE = b"Do as you like.\n"


def archive(**files: bytes) -> bytes:
    """Return a package's archive with these files, by name with "_" for "/"."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as members:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name.replace('_', '/')}")
            member.size = len(content)
            members.addfile(member, io.BytesIO(content))
    return packed.getvalue()


ARCHIVE = archive(dist_example=SCRIPT, LICENSE=LICENCE)
PACKAGE = Package(
    name="example",
    version="1.0.0",
    licence="0BSD",
    integrity=integrity_of(ARCHIVE),
    files=[
        File("dist/example", "example.min.js", integrity_of(SCRIPT)),
        File("LICENSE", "example.LICENSE", integrity_of(LICENCE)),
    ],
)


def pack(package: str, folder: Path) -> Path:
    """Stand in for npm: put the archive there."""
    assert package == "example@1.0.0"
    path = folder / "example-1.0.0.tgz"
    path.write_bytes(ARCHIVE)
    return path


def test_what_is_committed_is_what_the_list_says() -> None:
    """Offline: the digests of the files in the tree, their licences, and no file besides."""
    packages = read_lock(FOLDER)

    assert packages, "no package is listed: the check would pass on nothing"
    assert faults_in(FOLDER, packages) == []
    assert main(["--check"]) == 0


def test_listed_files_are_written_as_they_were_packed(tmp_path: Path) -> None:
    """What is fetched is complete, its licence with it."""
    fetch(tmp_path, [PACKAGE], pack)

    assert (tmp_path / "example.min.js").read_bytes() == SCRIPT
    assert faults_in(tmp_path, [PACKAGE]) == []


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            archive(dist_example=SCRIPT + b"evil();", LICENSE=LICENCE), id="other archive"
        ),
        pytest.param(b"", id="nothing"),
    ],
)
def test_an_archive_that_is_another_one_is_refused(content: bytes) -> None:
    """A registry that hands out something else under the same version is found out."""
    with pytest.raises(Wrong, match="the archive is another one"):
        taken_from(content, PACKAGE)


def test_a_file_that_is_another_one_is_refused() -> None:
    """The list says of each file what it is, not of the archive alone."""
    other = msgspec.structs.replace(PACKAGE.files[0], integrity=integrity_of(b"else"))
    package = msgspec.structs.replace(PACKAGE, files=[other])

    with pytest.raises(Wrong, match="dist/example is another file"):
        taken_from(ARCHIVE, package)


def test_what_is_changed_missing_or_unlisted_is_told(tmp_path: Path) -> None:
    """Each by its name; a package without its licence is told, too."""
    (tmp_path / "example.min.js").write_bytes(SCRIPT + b"evil();")
    (tmp_path / "more.js").write_bytes(b"")
    bare = msgspec.structs.replace(PACKAGE, name="bare", files=[])

    assert faults_in(tmp_path, [PACKAGE, bare]) == [
        "more.js is not in vendor.toml",
        "example.LICENSE is missing",
        "example.min.js is not what vendor.toml says",
        "bare comes without its licence",
    ]
