"""Storage of the files of a release, below a name made of the hash of their content.

The manifest is written last and nothing is read without it, so a reader sees all files or none. The name also has the
version of the renderers, so that a new version writes beside the old one.
"""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from estimation.report.files.names import MANIFEST
from survey import files
from survey.exceptions import FileMissing
from survey.files import Store

EDITION = "2"


def folder(digest: str) -> str:
    """What the names of the files of a content begin with."""
    return f"{digest[:2]}/{digest}-{EDITION}"


def manifest_of(digest: str) -> dict[str, Any] | None:
    """The manifest, None when the files were not built yet."""
    try:
        document: dict[str, Any] = json.loads(files.read(Store.REPORTS, f"{folder(digest)}/{MANIFEST}"))
    except FileMissing:
        return None
    return document


def write(digest: str, content: Mapping[str, bytes]) -> None:
    """Store all files of a release. Whoever builds the same content at the same time writes the same files."""
    for name in sorted(content, key=lambda name: name == MANIFEST):
        files.write(Store.REPORTS, f"{folder(digest)}/{name}", content[name])


def spread(target: Path, content: Mapping[str, bytes]) -> None:
    """Write files below a folder of this machine."""
    for name, data in content.items():
        path = target / PurePosixPath(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def read(digest: str, name: str) -> bytes | None:
    """A file that the manifest names; None for any other, so that no name leads elsewhere. Raises FileMissing."""
    manifest = manifest_of(digest)
    names = {entry["path"] for entry in manifest["files"]} | {MANIFEST} if manifest else set()
    return files.read(Store.REPORTS, f"{folder(digest)}/{name}") if name in names else None
