"""Commands with wrong arguments answer in one sentence; what they cannot find or may not do is no traceback."""

from pathlib import Path

import pytest
from django.core.management import call_command, get_commands, load_command_class
from django.core.management.base import CommandError

from survey.management.base import SurveyCommand

OURS = sorted(name for name, app in get_commands().items() if app in ("survey", "estimation"))
WRONG = [
    ("archive_round", "--round", "1999", "--out", "{folder}"),
    ("archive_round", "--round", "999999999999", "--out", "{folder}"),
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
    ("demo", "--scale", "2"),
    ("demo", "--scale", "0"),
    ("import_frame", "{folder}/missing.csv"),
    ("import_frame", "{folder}"),
    ("prepare_release", "--round", "1999"),
    ("publish_questionnaire", "CAT99", "--year", "2025"),
    ("publish_questionnaire", "CAT01", "--year", "0"),
    ("publish_questionnaire", "CAT01", "--year", "99999"),
    ("release_report", "--round", "1999", "--out", "{folder}"),
    ("release_report", "--round", "1999", "--out", "{folder}", "--release", "3"),
    ("run_estimation", "--round", "1999"),
    ("run_estimation", "--round", "1999", "--lower", "2"),
    ("simulate", "--samples", "0"),
    ("simulate", "--samples", "1", "--scale", "0"),
    ("simulate", "--samples", "1", "--scale", "0.001", "--workers", "0"),
    ("simulate", "--samples", "1", "--scale", "0.001", "--seed", "-1"),
    ("simulate", "--samples", "1", "--csv", "{folder}/missing/figures.csv"),
    ("verify_archive", "{folder}/missing.zip"),
    ("verify_archive", "{folder}"),
]


@pytest.mark.parametrize("name", OURS)
def test_every_command_answers_refusals_in_a_sentence(name: str) -> None:
    module = get_commands()[name]
    assert isinstance(load_command_class(module, name), SurveyCommand)


@pytest.mark.django_db
@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_a_wrong_argument_is_a_sentence(arguments: tuple[str, ...], tmp_path: Path) -> None:
    name, *given = (one.format(folder=tmp_path) for one in arguments)
    with pytest.raises(CommandError) as refused:
        call_command(name, *given)
    assert refused.value.returncode == 1
    sentence = str(refused.value)
    assert sentence and "\n" not in sentence and "Traceback" not in sentence


def test_every_command_that_takes_arguments_has_a_wrong_one() -> None:
    assert set(OURS) - {name for name, *_ in WRONG} == {"check_registry", "print_states"}
