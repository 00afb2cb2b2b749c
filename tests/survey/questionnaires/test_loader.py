"""From YAML to questionnaires, documents and hashes."""

import json
from typing import Any

import pytest

from survey.exceptions import DefinitionError
from survey.questionnaires.answering.units import FAMILIES
from survey.questionnaires.definition import Text
from survey.questionnaires.loader import (
    definition_of,
    from_document,
    load_all,
    load_codelist,
    load_items,
    load_questionnaire,
    to_document,
)
from tests.survey.questionnaires.test_routing import tiny

# Items per form, as the first questionnaire (2025) has them.
SIZES = {
    "CAT01": 60,
    "CAT02": 68,
    "CAT03": 63,
    "CAT04": 70,
    "CAT05": 63,
    "CAT06": 111,
    "CAT07": 100,
    "CAT08": 104,
    "CAT09": 102,
    "CAT10": 99,
    "CAT11": 100,
    "CAT12": 95,
    "CAT13": 82,
    "CAT14": 28,
}


def test_the_forms_have_the_items_of_the_reference():
    assert {category: len(form.items) for category, form in load_all().items()} == SIZES
    assert len(load_items()) == 179


def test_every_document_is_json_and_gives_the_same_questionnaire_back():
    for form in load_all().values():
        document = json.loads(json.dumps(to_document(form)))
        again = from_document(document)
        assert again == form and again.content_hash == form.content_hash
        assert to_document(again) == to_document(form)
        assert dict(again.items) == dict(form.items) and again.edits == form.edits


def test_the_hash_does_not_depend_on_the_order_of_keys():
    # JSONB does not keep the order of keys.
    document = to_document(load_questionnaire("CAT06"))
    shuffled = json.loads(json.dumps(document, sort_keys=True))
    assert from_document(shuffled).content_hash == load_questionnaire("CAT06").content_hash


def test_the_hash_changes_with_every_part():
    document = to_document(load_questionnaire("CAT14"))
    original = from_document(document).content_hash
    changes = [
        lambda d: d["items"][0]["label"].update(zh="改"),
        lambda d: d["edits"][0].update(severity="notice"),
        lambda d: d["sections"][0]["items"].reverse(),
        lambda d: d["header"].update(approval_no="1"),
        lambda d: next(iter(d["codelists"].values()))["entries"][0]["label"].update(en="x"),
    ]
    hashes = {original}
    for change in changes:
        copy = json.loads(json.dumps(document))
        change(copy)
        hashes.add(from_document(copy).content_hash)
    assert len(hashes) == len(changes) + 1


def test_definition_of_is_shared_and_refuses_a_wrong_hash():
    form = load_questionnaire("CAT14")
    document = to_document(form)
    assert definition_of(form.content_hash, document) is definition_of(form.content_hash, document)
    with pytest.raises(DefinitionError) as caught:
        definition_of("0" * 64, document)
    assert caught.value.code == "hash_mismatch"


def test_a_questionnaire_cannot_be_changed():
    form: Any = load_questionnaire("CAT14")
    with pytest.raises(TypeError):
        form.items["P01"] = None
    with pytest.raises(AttributeError):
        form.item("P01").unit = "GB"


def test_lookups():
    form = load_questionnaire("CAT12")
    assert form.section_of("S02").code == "S" and form.section("S").title.zh == "数据存储"
    assert form.item("P01").units == FAMILIES["data"].codes
    assert form.edit("P01-H1").severity == "hard"
    for call in (form.item, form.section, form.section_of, form.edit):
        with pytest.raises(KeyError):
            call("nothing")


@pytest.mark.parametrize("name", ["nothing", "../forms/CAT01", ""])
def test_unknown_code_lists_and_forms(name):
    with pytest.raises(DefinitionError):
        load_codelist(name)
    with pytest.raises(DefinitionError):
        load_questionnaire(name)


def test_code_list_labels():
    regions = load_codelist("provinces")
    assert regions.label("110000", "zh-hans") == "北京" and regions.label("110000", "en") == "Beijing"
    assert regions.label("999999", "en") == "999999"
    industries = load_codelist("industries")
    assert industries.accepts("3919") and not industries.accepts("9800")


def test_for_each_writes_one_edit_per_item():
    message = {"zh": "{item_label}为 {item}", "en": "The item {item_label} is {item}"}
    edits = [
        {
            "code": "X1",
            "severity": "soft",
            "for_each": ["A", "B"],
            "rule": "item <= previous('item')",
            "items": ["item"],
            "message": message,
        }
    ]
    form = tiny([{"code": "A"}, {"code": "B"}], edits)
    assert [edit.code for edit in form.edits] == ["X1-A", "X1-B"]
    assert form.edit("X1-B").expression == "B <= previous('B')" and form.edit("X1-B").items == ("B",)
    assert form.edit("X1-A").message == Text("A 指标为 {A}", "The item A Item is {A}")
