"""Storage of the files of a release: outside the web root, in a folder named by the hash of their content. Pure.

Folders are created atomically: a folder is written beside its target and renamed. The name also has the version
of the renderers, so that a new version writes to a new folder.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from estimation.report.files.bundle import MANIFEST

EDITION = "2"


def folder(root: Path, digest: str) -> Path:
    """The folder of the files of a content."""
    return root / digest[:2] / f"{digest}-{EDITION}"


def manifest_of(root: Path, digest: str) -> dict[str, Any] | None:
    """The manifest, None when the files were not built yet."""
    path = folder(root, digest) / MANIFEST
    if not path.is_file():
        return None
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def write(root: Path, digest: str, files: Mapping[str, bytes]) -> Path:
    """Move all files into the folder of their release at once; existing files are retained."""
    target = folder(root, digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=target.parent, prefix=".building-"))
    try:
        spread(beside, files)
        try:
            os.rename(beside, target)
        except OSError:
            if not (target / MANIFEST).is_file():
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return target


def spread(target: Path, files: Mapping[str, bytes]) -> None:
    """Write files below a folder."""
    for name, data in files.items():
        path = target / PurePosixPath(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def read(root: Path, digest: str, name: str) -> bytes | None:
    """A file that the manifest names; None for any other, so that no address leads outside the folder."""
    manifest = manifest_of(root, digest)
    names = {entry["path"] for entry in manifest["files"]} | {MANIFEST} if manifest else set()
    return (folder(root, digest) / PurePosixPath(name)).read_bytes() if name in names else None
