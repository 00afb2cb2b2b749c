"""The archive package of a round: open formats, every file with its hash, nothing that needs this program. Pure.

A package is a zip of CSV and JSON files and a manifest: SHA-256 and size of each file, and a digest over all of
them. Its bytes depend on its content only (fixed order and times), so the same round gives the same package.
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can tell


class Package:
    """A package as it is written."""

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        self.about, self.files = dict(about), {}  # type: ignore[var-annotated]  # name -> facts
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6)

    def add(self, name: str, content: bytes, words: str) -> None:
        """Put a file in."""
        self._write(name, content)
        self.files[name] = {
            "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "what": words,
        }  # fmt: skip

    def add_json(self, name: str, document: Any, words: str) -> None:
        """A document, in canonical form."""
        text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
        self.add(name, text.encode(), words)

    def add_csv(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]], words: str) -> int:
        """A table in UTF-8; returns its number of rows."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        count = 0
        for row in rows:
            writer.writerow(["" if value is None else value for value in row])
            count += 1
        self.add(name, out.getvalue().encode(), f"{words}; {count} rows")
        return count

    def close(self) -> str:
        """Write the manifest; returns the digest of the package."""
        digest = digest_of(self.files)
        manifest = {**self.about, "files": self.files, "digest": digest}
        self._write(MANIFEST, json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1).encode())
        self._zip.close()
        return digest

    def _write(self, name: str, content: bytes) -> None:
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        self._zip.writestr(info, content)


def digest_of(files: Mapping[str, Mapping[str, Any]]) -> str:
    """SHA-256 over names and hashes in alphabetical order."""
    lines = "".join(f"{files[name]['sha256']}  {name}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def verify_package(path: Path) -> list[str]:
    """Recompute every hash; sentences of what is wrong, none when the package is whole.

    Raises ValueError for what is no package at all.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _faults(archive)
    except (zipfile.BadZipFile, KeyError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"this is no archive package: {error}") from error


def _faults(archive: zipfile.ZipFile) -> list[str]:
    manifest = json.loads(archive.read(MANIFEST))
    files = manifest["files"]
    names = [name for name in archive.namelist() if name != MANIFEST]
    found = [f"{name} stands twice" for name in sorted(set(names)) if names.count(name) > 1]
    found += [f"{name} is missing" for name in sorted(set(files) - set(names))]
    found += [f"{name} is not in the manifest" for name in sorted(set(names) - set(files))]
    for name in sorted(set(names) & set(files)):
        try:
            content = archive.read(name)
        except zipfile.BadZipFile:
            found.append(f"{name} is damaged")
            continue
        if hashlib.sha256(content).hexdigest() != files[name]["sha256"]:
            found.append(f"{name} has changed")
    if digest_of(files) != manifest["digest"]:
        found.append("the manifest has changed")
    found += _release_faults(archive, [name for name in names if name.startswith("releases/")], manifest)
    return found


def _release_faults(archive: zipfile.ZipFile, names: Sequence[str], manifest: Mapping[str, Any]) -> list[str]:
    """The content of each release has the hash under which it was frozen."""
    found = []
    for name in names:
        text = archive.read(name)
        expected = manifest.get("releases", {}).get(name)
        if expected is not None and hashlib.sha256(text).hexdigest() != expected:
            found.append(f"{name} is not the content that was released")
    return found
