"""The static checks: one broken definition per fault, and none in the real files."""

import re
import shutil
from io import StringIO
from pathlib import Path

import pytest

from survey.exceptions import DefinitionError
from survey.questionnaires.document import from_document, to_document
from survey.questionnaires.loader import DEFINITIONS, load_all, load_questionnaire, read_yaml
from survey.questionnaires.proof.checks import check_all, check_definition, check_questionnaire

INVALID = Path(__file__).parent.parent / "definitions" / "invalid"
EXAMPLES = sorted(INVALID.glob("*.yaml"))


def faults_of(path: Path) -> set[str]:
    try:
        return {fault.code for fault in check_definition(read_yaml(path))}
    except DefinitionError as error:
        return {error.code}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_invalid_example_gives_exactly_its_fault(path):
    assert faults_of(path) == {path.stem.split("--")[0]}


RAISED = re.compile(
    r'(?:Fault|DefinitionError|\.fault)\(\s*"(\w+)"|yield "(\w+)", (?!form)|code = "(\w+)" if'
)
# Shown on folders and documents, here and in test_loader: a single example file cannot.
ELSEWHERE = {"file_name", "unplaced_item", "hash_mismatch", "unknown_form", "no_guidance", "same_example"}


def test_there_is_an_example_of_every_fault():
    sources = "".join(path.read_text() for path in DEFINITIONS.parent.rglob("*.py"))
    codes = {code for match in RAISED.findall(sources) for code in match if code}
    examples = {path.stem.split("--")[0] for path in EXAMPLES}
    assert codes - ELSEWHERE == examples


def test_the_real_definitions_have_no_faults():
    assert check_all() == []


def test_an_item_in_no_section_is_reported():
    document = to_document(load_questionnaire("CAT14"))
    document["sections"] = document["sections"][:-1]
    codes = {fault.code for fault in check_questionnaire(from_document(document))}
    assert codes == {"unplaced_item"}


@pytest.fixture
def copied(tmp_path):
    root = tmp_path / "definitions"
    shutil.copytree(DEFINITIONS, root)
    for path in (root / "forms").glob("*.yaml"):
        if path.stem != "CAT14":
            path.unlink()
    return root


def codes_of(root):
    return {fault.code for fault in check_all(root)} - {"unused_item", "unused_edit"}


def test_check_all_reports_a_misspelt_key(copied):
    path = copied / "items" / "P.yaml"
    path.write_text(path.read_text().replace("severity: hard", "serverity: hard", 1))
    faults = check_all(copied)
    assert any(f.code == "schema" and "P.yaml" in f.where and "serverity" in f.message for f in faults)
    assert any(f.code == "malformed" and f.where == "P01-H1" for f in faults)


def test_check_all_reports_a_file_that_defines_another_form(copied):
    shutil.move(copied / "forms" / "CAT14.yaml", copied / "forms" / "CAT12.yaml")
    assert codes_of(copied) == {"file_name"}


def test_check_all_reports_a_file_that_is_not_yaml(copied):
    (copied / "forms" / "CAT13.yaml").write_text("sections: [")
    faults = check_all(copied)
    assert {f.code for f in faults} >= {"unparsable", "schema"}


def without_text(path: Path, code: str, name: str) -> None:
    """Removes the block of one text of an item from an item file."""
    before, item, rest = re.split(rf"(?m)^(- code: {code}\n)", path.read_text())
    rest = re.sub(rf"(?m)^  {name}:\n(?:    .*\n)+", "", rest, count=1)
    path.write_text(before + item + rest)


@pytest.mark.parametrize("name", ["includes", "excludes", "example", "where"])
@pytest.mark.parametrize(("file", "code"), [("P", "P02"), ("F", "F10")])
def test_a_number_without_a_text_that_explains_it_is_reported(copied, file, code, name):
    without_text(copied / "items" / f"{file}.yaml", code, name)
    faults = [fault for fault in check_all(copied) if fault.code == "no_guidance"]
    assert [(fault.where, fault.message) for fault in faults] == [(code, f"{name} is missing")]


def test_an_example_that_is_used_twice_is_reported(copied):
    path = copied / "items" / "P.yaml"
    text = path.read_text()
    given = re.findall(r"(?m)^  example:\n(?:    .*\n)+", text)
    path.write_text(text.replace(given[1], given[0]))
    assert "same_example" in {fault.code for fault in check_all(copied)}


def test_checks_are_the_same_after_a_round_trip_through_the_document():
    for questionnaire in load_all().values():
        again = from_document(to_document(questionnaire))
        assert again.content_hash == questionnaire.content_hash
        assert check_questionnaire(again) == []


def test_command_prints_location_and_code_and_fails(copied):
    from django.core.management import CommandError, call_command

    path = copied / "items" / "P.yaml"
    path.write_text(path.read_text().replace("near(P01, P02 + P03 + P04", "near(P01, P02 + P03 + P98", 1))
    errors = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("check_questionnaires", root=copied, stderr=errors)
    assert caught.value.returncode == 1
    assert "P01-H1" in errors.getvalue() and "[unknown_item]" in errors.getvalue()


def test_command_says_what_it_checked():
    from django.core.management import call_command

    out = StringIO()
    call_command("check_questionnaires", stdout=out)
    assert "14 forms, 179 items" in out.getvalue()
