"""Forecasts of short series, differences between releases, and the archive package."""

import hashlib
import io
import json
import math
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from estimation.archive.package import Package, digest_of, verify_package
from estimation.archive.tables import parquet_bytes
from estimation.releases import services
from estimation.releases.content.content import CellStatus, FrozenCell, Text
from estimation.releases.content.forecasts import DAMPING, damped_trend
from estimation.releases.differences import compare_cells
from estimation.releases.states import Action
from tests.estimation.releases.stage import finished_run


def test_constant_growth_is_damped() -> None:
    built = damped_trend([100.0, 110.0, 121.0, 133.1])
    assert built.growth[1] == pytest.approx(1.1**DAMPING - 1)
    assert built.level[1] == pytest.approx(133.1 * 1.1**DAMPING)
    assert built.level[0] < built.level[1] < built.level[2]


def test_backtest_is_the_rule_applied_to_the_years_before() -> None:
    levels = [26.83, 32.85, 41.06, 52.26]
    built = damped_trend(levels)
    forecasts = [damped_trend(levels[:index]).level[1] for index in (2, 3)]
    assert [year.forecast for year in built.backtest] == pytest.approx(forecasts)
    worst = max(abs(year.error) for year in built.backtest)
    # The upper end is the largest known rate, widened by what the rule has missed.
    assert math.log1p(built.growth[2]) == pytest.approx(math.log(52.26 / 41.06) + worst)


def test_two_years_give_no_backtest() -> None:
    built = damped_trend([1.3, 1.67])
    assert built.backtest == () and "backtest" in built.words().en
    assert built.growth[2] == pytest.approx(1.67 / 1.3 - 1)


def test_falling_series_keep_their_order() -> None:
    low, central, high = damped_trend([100.0, 90.0, 85.0]).level
    assert low <= central <= high and central < 85.0


@pytest.mark.parametrize("levels", [[5.0], [], [1.0, 0.0], [-1.0, 2.0]])
def test_too_little_is_refused(levels: list[float]) -> None:
    with pytest.raises(ValueError):
        damped_trend(levels)


def cell(key: str, printed: str, **more: Any) -> FrozenCell:
    value = None if printed in "×—" else float(printed)
    return FrozenCell(key, Text(key, key), Text("", ""), printed, value=value, **more)


def test_differences_between_two_releases() -> None:
    before = {
        difference.key: difference
        for difference in (
            cell("a", "1.00"),
            cell("b", "2.00"),
            cell("c", "3.00"),
            cell("d", "4.00"),
            cell("e", "5.00"),
        )
    }
    hidden = replace(before["c"], printed="×", value=None, status=CellStatus.WITHHELD)
    after = {
        "a": before["a"],
        "b": cell("b", "2.50"),
        "c": hidden,
        "d": replace(before["d"], se=0.1),
        "f": cell("f", "6.00"),
    }
    result = {
        difference.key: (difference.kind, difference.change) for difference in compare_cells(before, after)
    }
    assert result == {
        "b": ("changed", 0.25),
        "c": ("withheld", None),
        "d": ("quality", 0.0),
        "e": ("gone", None),
        "f": ("new", None),
    }


def rewritten(path: Path, out: Path, change: Any) -> Path:
    """The package with its files changed, as somebody would who forges it."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        files = {name: old.read(name) for name in old.namelist()}
        change(files)
        for name, content in files.items():
            new.writestr(name, content)
    return out


def small_package(path: Path) -> Path:
    package = Package(path, {"round": 2025, "releases": {}})
    kinds = {"code": "text", "value": "number"}
    package.add_csv("values.csv", ["code", "value"], [("P01", 1.5), ("P02", None)], "values", kinds)
    package.add_json("round.json", {"year": 2025}, "the round")
    package.close()
    return path


def test_a_package_is_the_same_bytes_for_the_same_content(tmp_path: Path) -> None:
    first, second = (small_package(tmp_path / name).read_bytes() for name in ("a.zip", "b.zip"))
    assert first == second


def test_parquet_equals_the_csv_and_is_described_in_the_readme(tmp_path: Path) -> None:
    with zipfile.ZipFile(small_package(tmp_path / "a.zip")) as archive:
        table = pq.read_table(io.BytesIO(archive.read("values.parquet")))
        readme = archive.read("README.md").decode()
    assert table.to_pydict() == {"code": ["P01", "P02"], "value": [1.5, None]}
    assert [str(entry) for entry in table.schema.types] == ["string", "double"]
    assert "- `values.csv`: values; 2 rows" in readme and "- number: value" in readme


def test_a_parquet_that_differs_from_the_csv_is_a_fault_even_with_recomputed_hashes(tmp_path: Path) -> None:
    def forge(files: dict[str, bytes]) -> None:
        other = parquet_bytes(b"code,value\nP01,9.5\nP02,\n", {"code": "text", "value": "number"})
        files["values.parquet"] = other
        stored = json.loads(files["manifest.json"])
        stored["files"]["values.parquet"]["sha256"] = hashlib.sha256(other).hexdigest()
        stored["digest"] = digest_of(stored["files"])
        files["manifest.json"] = json.dumps(stored).encode()

    forged = rewritten(small_package(tmp_path / "a.zip"), tmp_path / "b.zip", forge)
    assert verify_package(forged) == ["values.parquet holds other values than its CSV"]


def _other_digest(manifest: bytes) -> bytes:
    return manifest.replace(b'"digest": "', b'"digest": "0')


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda files: files.update({"values.csv": files["values.csv"].replace(b"1.5", b"1.6")}),
            "values.csv has changed",
        ),
        (lambda files: files.pop("round.json"), "round.json is missing"),
        (lambda files: files.update({"more.csv": b"x"}), "more.csv is not in the manifest"),
        (
            lambda files: files.update({"manifest.json": _other_digest(files["manifest.json"])}),
            "the manifest has changed",
        ),
    ],
)
def test_tampering_is_reported(tmp_path: Path, change: Any, message: str) -> None:
    path = small_package(tmp_path / "a.zip")
    assert verify_package(path) == []
    assert message in verify_package(rewritten(path, tmp_path / "b.zip", change))


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"nothing")
    with pytest.raises(ValueError):
        verify_package(tmp_path / "x.zip")


def test_a_round_is_archived_and_a_forged_release_is_detected(world: Any, tmp_path: Path) -> None:
    release = services.prepare_release(run=finished_run(), by=None)
    for action in (Action.VALIDATE, Action.PUBLISH):
        release = services.transition(release, action, by=None)
    call_command("archive_round", round=2025, out=tmp_path)
    path = tmp_path / "round-2025.zip"
    call_command("verify_archive", path)
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))
        values = archive.read("microdata/v1/values.csv").decode().splitlines()
    assert {
        "round.json",
        "sheets/CAT13.csv",
        "sheets/events.csv",
        "design/strata.csv",
        "external.csv",
        "releases/1.json",
        "README.md",
        "microdata/v1/values.parquet",
        "design/strata.parquet",
    } <= names
    assert any(name.startswith("questionnaires/CAT13-") for name in names)
    assert manifest["releases"] == {"releases/1.json": release.content_hash} and len(values) == 1 + 5
    heads, first = (line.split(",") for line in values[:2])
    index = heads.index("reasons")
    assert len(first[index]) == len(heads) - index - 1  # one digit per variable

    def forge(files: dict[str, bytes]) -> None:
        # A forger who also mends the manifest's hash and digest is still detected by the hash of the release.
        text = files["releases/1.json"].replace(b'"68.75"', b'"78.75"')
        assert text != files["releases/1.json"]
        files["releases/1.json"] = text
        stored = json.loads(files["manifest.json"])
        stored["files"]["releases/1.json"]["sha256"] = hashlib.sha256(text).hexdigest()
        stored["digest"] = digest_of(stored["files"])
        files["manifest.json"] = json.dumps(stored).encode()

    forged = rewritten(path, tmp_path / "forged.zip", forge)
    assert verify_package(forged) == ["releases/1.json is not the content that was released"]
    with pytest.raises(CommandError):
        call_command("verify_archive", forged)
