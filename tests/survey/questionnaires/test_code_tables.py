"""The long code lists: complete, consistent, stored as text; versions with the older open rule stay readable."""

from pathlib import Path
from typing import Any

import pytest

from survey.exceptions import DefinitionError
from survey.questionnaires.document import from_document, to_document
from survey.questionnaires.lists.documents import codelist_document, codelist_from
from survey.questionnaires.lists.tables import completed, entries_from, entries_text, romanised
from survey.questionnaires.loader import DEFINITIONS, load_codelist, load_questionnaire

# A version as it was stored while the list held provinces only and took every code below them.
OLDER_HASH = "5d0b37c45cfa403a444658fcca7de26ead1d7c910f500f049aecb7286e42e92d"
OLDER: dict[str, Any] = {
    "format": 1,
    "category": "CAT13",
    "form_no": "X",
    "title": {"zh": "表", "en": "Form"},
    "header": {},
    "sections": [{"code": "B", "title": {"zh": "单位", "en": "Unit"}, "items": ["B04"]}],
    "items": [
        {
            "code": "B04",
            "label": {"zh": "所在地", "en": "Location"},
            "type": "choice",
            "codelist": "divisions",
            "period": "none",
        }
    ],
    "edits": [],
    "codelists": {
        "divisions": {
            "title": {"zh": "所在地区划", "en": "Location"},
            "source": "GB/T 2260",
            "open_prefix": 2,
            "code_length": 6,
            "entries": [
                {"code": "320000", "label": {"zh": "江苏", "en": "Jiangsu"}},
                {"code": "440300", "label": {"zh": "深圳", "en": "Shenzhen"}, "parent": "440000"},
            ],
        }
    },
}


def test_a_version_with_the_open_rule_keeps_its_hash_and_its_answers() -> None:
    older = from_document(OLDER)
    assert older.content_hash == OLDER_HASH
    divisions = older.codelists["divisions"]
    assert divisions.accepts("320199") and divisions.label("320199", "zh") == "320199 (江苏)"
    assert not divisions.accepts("110101")
    assert codelist_document(divisions) == OLDER["codelists"]["divisions"]


def test_the_lists_are_complete() -> None:
    divisions, groups = load_codelist("divisions"), load_codelist("industry_groups")
    industries = load_codelist("industries")
    assert (len(industries.entries), len(groups.entries)) == (1382, 473)
    levels = [len(divisions.above(entry)) for entry in divisions.entries if entry.code != "660000"]
    provinces = levels.count(0)
    prefectures = sum(e.code.endswith("00") for e in divisions.entries) - provinces - 1
    assert (provinces, prefectures, len(levels)) == (31, 333, 31 + 333 + 2846)


@pytest.mark.parametrize("code", ["0199", "6510", "9999", "A", "01", "011"])
def test_only_classes_of_the_standard_are_industries(code: str) -> None:
    assert not load_codelist("industries").accepts(code)


@pytest.mark.parametrize("code", ["329999", "320684", "710000", "000000"])
def test_only_divisions_of_the_edition_are_accepted(code: str) -> None:
    assert not load_codelist("divisions").accepts(code)


def test_every_class_stands_under_group_division_and_section() -> None:
    industries = load_codelist("industries")
    for entry in industries.entries:
        above = [heading.code for heading in industries.above(entry)]
        assert above[1:] == [entry.code[:2], entry.code[:3]] and above[0].isalpha(), entry
    assert {entry.code[:3] for entry in industries.entries} == {
        entry.code for entry in load_codelist("industry_groups").entries
    }


def test_every_division_stands_under_its_prefecture_and_province() -> None:
    divisions = load_codelist("divisions")
    assert divisions.label("320106", "zh") == "江苏省南京市鼓楼区"
    assert divisions.label("320106", "en") == "Gulou Qu, Nanjing Shi, Jiangsu"
    assert divisions.label("659001", "zh") == "新疆维吾尔自治区石河子市"
    assert divisions.label("411102", "zh") == "河南省漯河市源汇区"
    for entry in divisions.entries:
        assert all(above.code[:2] == entry.code[:2] for above in divisions.above(entry)), entry


@pytest.mark.parametrize("name", ["divisions", "industries", "industry_groups"])
def test_a_long_list_says_where_it_comes_from_and_names_its_successors(name: str) -> None:
    codelist = load_codelist(name)
    assert codelist.source and codelist.edition and codelist.valid_from and codelist.licence
    for old in codelist.retired:
        assert old.now and all(codelist.get(code) for code in old.now), old
    for entry in codelist.entries:
        assert entry.pinyin and entry.label.get("en"), entry


def test_a_class_without_an_english_name_is_shown_in_chinese() -> None:
    assert load_codelist("industries").label("0112", "en") == "小麦种植"


def test_a_list_comes_back_from_its_document_and_is_shared() -> None:
    for name in ("divisions", "industries"):
        document = codelist_document(load_codelist(name))
        again = codelist_from(name, document)
        assert again.entries == load_codelist(name).entries and again.retired == load_codelist(name).retired
        assert codelist_document(again) == document
        assert codelist_from(name, dict(document)) is again
    form = load_questionnaire("CAT13")
    assert from_document(to_document(form)).content_hash == form.content_hash


def test_a_changed_name_changes_the_hash_of_the_version() -> None:
    document = to_document(load_questionnaire("CAT14"))
    lists = document["codelists"]
    table = lists["divisions"]["table"].replace("鼓楼区", "古楼区", 1)
    changed = document | {"codelists": lists | {"divisions": lists["divisions"] | {"table": table}}}
    assert from_document(changed).content_hash != load_questionnaire("CAT14").content_hash


def test_the_romanised_name() -> None:
    assert romanised("xi-an shi") == "Xi'an Shi" and romanised("gu-lou qu") == "Gulou Qu"


def test_a_table_leaves_out_what_follows() -> None:
    text = "code\tname\tenglish\tpinyin\tparent\n320000\t江苏省\n320100\t南京市\t\tnan-jing shi\n"
    entries = completed(entries_from(text, "x"), romanise=True)
    assert [entry.parent for entry in entries] == [None, "320000"]
    assert entries[1].label.en == "Nanjing Shi"
    assert entries_text(entries, romanise=True) == text


@pytest.mark.parametrize(
    "text", ["", "a\tb\n1\tx\n", "code\tname\n1\n", "code\tname\n\tx\n", "code\tname\n" + "1\t" * 6 + "\n"]
)
def test_a_table_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError):
        entries_from(text, "x")


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "codelists"
    folder.mkdir()
    (folder / "towns.yaml").write_text("name: towns\ntable: towns.tsv\n", encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"towns\.tsv"):
        load_codelist("towns", tmp_path)


def test_the_tables_are_sorted_and_without_stray_blanks() -> None:
    for path in (DEFINITIONS / "codelists").glob("*.tsv"):
        lines = path.read_text(encoding="utf-8").splitlines()[1:]
        codes = [line.split("\t")[0] for line in lines]
        assert codes == sorted(set(codes)), path.name
        assert all(cell == cell.strip() for line in lines for cell in line.split("\t")), path.name
