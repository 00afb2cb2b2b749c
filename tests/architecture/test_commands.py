"""Commands with wrong arguments answer in one sentence; what they cannot find or may not do is no traceback."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands, load_command_class
from django.core.management.base import CommandError

from estimation.external import catalogue
from estimation.releases.content import reading, registry
from survey.exceptions import DefinitionError
from survey.management.base import SurveyCommand
from survey.questionnaires.loader import assemble, load_dictionary, read_yaml

OURS = sorted(name for name, app in get_commands().items() if app in ("survey", "estimation"))
WRONG = [
    ("archive_round", "--round", "1999", "--out", "{folder}"),
    ("archive_round", "--round", "999999999999", "--out", "{folder}"),
    ("backup", "--to", "{folder}", "--keep", "-1"),
    ("backup", "--to", "{folder}", "--jobs", "0"),
    ("backup", "--to", "{folder}", "--keys-to", "{folder}/keys"),
    ("backup", "--to", "/dev/null/backups"),
    ("benchmark_estimation", "--units", "0"),
    ("benchmark_estimation", "--units", "1000", "--strata", "0"),
    ("benchmark_estimation", "--units", "1000", "--items", "0"),
    ("benchmark_estimation", "--units", "1000", "--repeats", "0"),
    ("benchmark_estimation", "--tasks", "xyz"),
    ("benchmark_load", "--url", "http://192.0.2.1"),
    ("benchmark_pages", "--requests", "1"),
    ("benchmark_public", "--requests", "0"),
    ("benchmark_public", "--url", "ftp://127.0.0.1"),
    ("benchmark_public",),
    ("benchmark_units", "--requests", "1"),
    ("bootstrap_run", "--round", "1999"),
    ("bootstrap_run", "--round", "1999", "--run", "7"),
    ("bootstrap_run", "--round", "1999", "--workers", "0"),
    ("check_questionnaires", "--root", "{folder}/missing"),
    ("check_questionnaires", "--root", "{folder}"),
    ("database_grants", "no role"),
    ("database_grants", "nobody_at_all", "--apply"),
    ("demo", "--scale", "2"),
    ("demo", "--scale", "0"),
    ("export_audit", "--since", "2025-01-02", "--until", "2025-01-01", "--to", "{folder}"),
    ("export_audit", "--since", "1999-01-01", "--until", "1999-01-01", "--to", "{folder}/new"),
    ("import_frame", "{folder}/missing.csv"),
    ("import_frame", "{folder}"),
    ("migrate", "--tries", "0"),
    ("migrate", "nobody"),
    ("prepare_release", "--round", "1999"),
    ("publish_questionnaire", "CAT99", "--year", "2025"),
    ("publish_questionnaire", "CAT01", "--year", "0"),
    ("publish_questionnaire", "CAT01", "--year", "99999"),
    ("record_restore", "--by", "wang", "--reason", " ", "--source", "a copy"),
    ("release_report", "--round", "1999", "--out", "{folder}"),
    ("release_report", "--round", "1999", "--out", "{folder}", "--release", "3"),
    ("restore", "--from", "{folder}", "--by", "wang", "--reason", "the disk broke"),
    ("restore", "--from", "{folder}", "--by", " ", "--reason", "the disk broke"),
    ("run_estimation", "--round", "1999"),
    ("run_estimation", "--round", "1999", "--lower", "2"),
    ("send_test_mail", "nobody"),
    ("set_up", "--no-input", "--check"),
    ("set_up", "--system-account", "same", "--audit-account", "Same", "--no-input"),
    ("set_up", "--system-account", "somebody", "--system-email", "no address", "--no-input"),
    ("simulate", "--samples", "0"),
    ("simulate", "--samples", "2", "--scale", "0"),
    ("simulate", "--samples", "2", "--scale", "0.001", "--workers", "0"),
    ("simulate", "--samples", "2", "--scale", "0.001", "--seed", "-1"),
    ("simulate", "--samples", "2", "--csv", "{folder}/missing/figures.csv"),
    ("verify_archive", "{folder}/missing.zip"),
    ("write_proxy_files", "--out", "{folder}", "--bind", "/run/survey", "--certificate", "chain.pem"),
    ("write_proxy_files", "--out", "{folder}", "--bind", "10.0.0.1:1,10.0.0.1:2"),
    ("write_proxy_files", "--out", "{folder}", "--bind", "/run/survey", "--connections", "0"),
    ("write_proxy_files", "--out", "/dev/null/folder", "--bind", "/run/survey"),
    ("verify_archive", "{folder}"),
    ("verify_backup", "--from", "{folder}"),
    ("verify_backup", "--from", "{folder}/missing"),
    ("verify_audit", "--since", "31.12.2025"),
    ("verify_audit", "--export", "{folder}"),
    ("verify_audit", "--export", "{folder}", "--public-key", "x"),
]


@pytest.mark.parametrize("name", OURS)
def test_every_command_answers_refusals_in_a_sentence(name: str) -> None:
    module = get_commands()[name]
    assert isinstance(load_command_class(module, name), SurveyCommand)


@pytest.mark.django_db
@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_a_wrong_argument_is_a_sentence(arguments: tuple[str, ...], tmp_path: Path) -> None:
    name, *values = (argument.format(folder=tmp_path) for argument in arguments)
    sentence_of(name, *values)


def sentence_of(name: str, *arguments: str) -> str:
    """The message of a command that ends with exit code 1."""
    with pytest.raises(CommandError) as refused:
        call_command(name, *arguments)
    assert refused.value.returncode == 1
    sentence = str(refused.value)
    assert sentence and "\n" not in sentence and "Traceback" not in sentence
    return sentence


# A file of the registry, a text in it, what stands there instead, and what the sentence names.
BROKEN_REGISTRY = [
    ("indicators.yaml", "indicators:", "indicators: [", "indicators.yaml"),
    ("indicators.yaml", "indicators:", "indicator:", "indicators.yaml"),
    ("indicators.yaml", "code: SUP-05", "code: SUP-04", "SUP-04"),
    ("indicators.yaml", "code: SUP-05", "cod: SUP-05", "[malformed]"),
    ("facts.yaml", "{SUP-08} / {SUP-07}", "{SUP-08} ** {SUP-07}", "[formula]"),
    ("facts.yaml", "formula:", "formulae:", "[formula_or_reason]"),
    ("figures.yaml", "\nfigures:", "\n- figures:", "figures.yaml"),
    ("figures.yaml", "\nfigures:", "\nfigure:", "[unknown_part]"),
    ("blocks_foreword.yaml", "blocks:", "block:", "blocks_foreword.yaml"),
    ("blocks_foreword.yaml", "place:", "plaice:", "[malformed]"),
    ("series.yaml", "unit: 万人,", "", "EXT-POP"),
    ("series.yaml", "series:", "series: {", "series.yaml"),
]


@pytest.fixture
def registry_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the registry and of the external series, which the program reads in this test."""
    folder = tmp_path / "registry"
    shutil.copytree(reading.FOLDER, folder)
    shutil.copy(catalogue._FILE, folder)
    monkeypatch.setattr(reading, "FOLDER", folder)
    monkeypatch.setattr(catalogue, "_FILE", folder / "series.yaml")
    caches = (registry.registry, registry.publication_plan, catalogue.all_series)
    for function in caches:
        function.cache_clear()
    yield folder
    for function in caches:
        function.cache_clear()


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "text", "instead", "named"), BROKEN_REGISTRY)
def test_a_fault_of_the_registry_is_a_sentence(
    name: str, text: str, instead: str, named: str, registry_copy: Path
) -> None:
    path = registry_copy / name
    content = path.read_text(encoding="utf-8")
    assert text in content
    path.write_text(content.replace(text, instead, 1), encoding="utf-8")
    assert named in sentence_of("check_registry")


@pytest.mark.parametrize("content", ["- {label: {zh: 甲, en: A}}", "- [P01]", "- 5", "- {code: ["])
def test_a_fault_of_an_item_is_a_sentence(content: str, tmp_path: Path) -> None:
    (tmp_path / "items.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(DefinitionError):
        load_dictionary(tmp_path)
    sentence_of("check_questionnaires", "--root", str(tmp_path))


@pytest.mark.parametrize("content", ["[]", "{category: CAT01, sections: [P01]}", "sections: 5", "{form: ["])
def test_a_fault_of_a_form_is_a_sentence(content: str, tmp_path: Path) -> None:
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms/CAT01.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(DefinitionError):
        assemble(read_yaml(tmp_path / "forms/CAT01.yaml"), load_dictionary(tmp_path))
    sentence_of("check_questionnaires", "--root", str(tmp_path))


def test_every_command_that_takes_arguments_has_a_wrong_one() -> None:
    assert set(OURS) - {name for name, *_ in WRONG} == {
        "check_files",
        "check_registry",
        "print_states",
        "rotate_field_keys",
    }
