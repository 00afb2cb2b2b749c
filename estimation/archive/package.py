"""The archive package of a round: open formats, every file with its hash, readable without this program. Pure.

A package is a zip of CSV, Parquet and JSON files, a README that says what each is, and a manifest: SHA-256 and size
of each file, and a digest over all of them. Its bytes depend on its content only (fixed order and times), so the same
round gives the same package.
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from estimation.archive.tables import fault, parquet_bytes, schema_lines

MANIFEST, README = "manifest.json", "README.md"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can store


class Package:
    """Writer of a package."""

    def __init__(self, path: Path, about: Mapping[str, Any]) -> None:
        self.about, self.files = dict(about), {}  # type: ignore[var-annotated]  # name -> facts
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6)

    def add(self, name: str, content: bytes, words: str) -> None:
        """Add a file."""
        self._write(name, content)
        self.files[name] = {
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "what": words,
        }

    def add_json(self, name: str, document: Any, words: str) -> None:
        """Add a document, as canonical JSON."""
        text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
        self.add(name, text.encode(), words)

    def add_csv(
        self,
        name: str,
        header: Sequence[str],
        rows: Iterable[Sequence[Any]],
        words: str,
        kinds: Mapping[str, str] | None = None,
    ) -> int:
        """A table in UTF-8; returns its number of rows. With the kinds of its columns also as Parquet beside it."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        count = 0
        for row in rows:
            writer.writerow(["" if value is None else value for value in row])
            count += 1
        text = out.getvalue().encode()
        self.add(name, text, f"{words}; {count} rows")
        if kinds is not None:
            typed = f"{name.removesuffix('.csv')}.parquet"
            self.add(typed, parquet_bytes(text, kinds), f"{words}; {count} rows, typed")
            self.files[typed] |= {"of": name, "columns": dict(kinds)}
        return count

    def close(self) -> str:
        """Write the README and the manifest; returns the digest of the package."""
        self.add(README, readme(self.about, self.files).encode(), "what is in this package, for people")
        digest = digest_of(self.files)
        manifest = {**self.about, "files": self.files, "digest": digest}
        self._write(MANIFEST, json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1).encode())
        self._zip.close()
        return digest

    def _write(self, name: str, content: bytes) -> None:
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        self._zip.writestr(info, content)


def readme(about: Mapping[str, Any], files: Mapping[str, Mapping[str, Any]]) -> str:
    """The README of a package: its content and how to read it without this program. Markdown."""
    synthetic = (
        "\n**Synthetic rehearsal data: nothing here describes a real unit.**\n"
        if about.get("is_synthetic")
        else ""
    )
    lines = [
        f"# Archive of the survey round {about.get('round', '')}",
        synthetic,
        "CSV: UTF-8, comma, first line names the columns, an empty place is a missing value, decimal point.",
        "Parquet: the same rows typed; text is UTF-8, integer is int64, number is float64, missing is null.",
        f"JSON: UTF-8, sorted keys. `{MANIFEST}` holds SHA-256 and size of every file; the digest is the SHA-256 of",
        "the lines `sha256  name` of all files in alphabetical order. With `sha256sum` anybody can check a file.",
        "",
        "## Files",
        "",
        *(f"- `{name}`: {fact['what']}" for name, fact in sorted(files.items())),
        "",
        "## Columns of the Parquet files",
        "",
    ]
    for name, fact in sorted(files.items()):
        if "columns" in fact:
            lines += [f"### `{name}`", "", *(f"- {line}" for line in schema_lines(fact["columns"])), ""]
    return "\n".join(lines)


def digest_of(files: Mapping[str, Mapping[str, Any]]) -> str:
    """SHA-256 over names and hashes in alphabetical order."""
    lines = "".join(f"{files[name]['sha256']}  {name}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def verify_package(path: Path) -> list[str]:
    """Recompute every hash; returns the faults as sentences, none when the package is intact.

    Raises ValueError for a file that is not a package.
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
    faults = [f"{name} stands twice" for name in sorted(set(names)) if names.count(name) > 1]
    faults += [f"{name} is missing" for name in sorted(set(files) - set(names))]
    faults += [f"{name} is not in the manifest" for name in sorted(set(names) - set(files))]
    for name in sorted(set(names) & set(files)):
        try:
            content = archive.read(name)
        except zipfile.BadZipFile:
            faults.append(f"{name} is damaged")
            continue
        if hashlib.sha256(content).hexdigest() != files[name]["sha256"]:
            faults.append(f"{name} has changed")
    if digest_of(files) != manifest["digest"]:
        faults.append("the manifest has changed")
    for name in sorted(set(names) & set(files)):
        source = files[name].get("of", "")
        if source in names and (
            why := fault(archive.read(source), archive.read(name), files[name]["columns"])
        ):
            faults.append(f"{name} {why}")
    faults += _release_faults(archive, [name for name in names if name.startswith("releases/")], manifest)
    return faults


def _release_faults(archive: zipfile.ZipFile, names: Sequence[str], manifest: Mapping[str, Any]) -> list[str]:
    """Releases whose content differs from the hash under which it was frozen."""
    faults = []
    for name in names:
        text = archive.read(name)
        expected = manifest.get("releases", {}).get(name)
        if expected is not None and hashlib.sha256(text).hexdigest() != expected:
            faults.append(f"{name} is not the content that was released")
    return faults
