"""Findings of a sheet: every severity, messages with numbers, fingerprints, explanations."""

import sys

import pytest

from survey.questionnaires.edits import affected, explanation_problem, run_edits
from survey.questionnaires.loader import load_all, load_questionnaire
from survey.questionnaires.messages import PLACEHOLDER, message_with_names
from survey.questionnaires.proof.samples import break_hard_edit, sample_answers, sample_context
from tests.survey.questionnaires.test_routing import quantity, tiny

FORMS = sorted(load_all())


def findings_by_code(form, answers, context, previous=None):
    return {finding.edit: finding for finding in run_edits(form, answers, previous=previous, context=context)}


@pytest.mark.parametrize("category", FORMS)
def test_a_sample_of_every_form_passes_with_and_without_last_year(category):
    form, context = load_questionnaire(category), sample_context(category)
    answers = sample_answers(form, context, 0)
    assert [f.edit for f in run_edits(form, answers, context=context) if f.severity != "notice"] == []
    same = run_edits(form, answers, previous=answers, context=context)
    assert [f.edit for f in same if f.severity == "hard"] == []


@pytest.mark.parametrize("category", FORMS)
def test_every_hard_edit_of_every_form_can_fail(category):
    form, context = load_questionnaire(category), sample_context(category)
    answers = sample_answers(form, context, 0)
    always_computed = {"B01-H1", "B01-H2"} | ({"X06"} if category != "CAT12" else set())
    for edit in form.edits:
        if edit.severity == "hard" and edit.code not in always_computed:
            broken = break_hard_edit(form, answers, edit, context)
            assert broken is not None, edit.code
            finding = findings_by_code(form, broken, context)[edit.code]
            assert "{" not in finding.message.zh + finding.message.en
            assert set(finding.items) <= set(form.items)


def test_blank_required_items_give_hard_findings(cat12, context):
    findings = findings_by_code(cat12, {}, context)
    assert "REQ-P01" in findings and findings["REQ-P01"].severity == "hard"
    assert "请" not in findings["REQ-P01"].message.en and "填 0" in findings["REQ-P01"].message.zh
    assert "REQ-K02" not in findings  # not relevant while K01 is blank
    assert "REQ-B01" not in findings and "REQ-D02" not in findings and "REQ-G07" not in findings
    assert next(iter(findings)) == "REQ-B02"  # form order; B01 is filled by the register


def test_zero_is_an_answer_and_blank_is_not(cat12, clean, context):
    clean["P06"] = quantity("0")
    assert "REQ-P06" not in findings_by_code(cat12, clean, context)
    del clean["P06"]
    assert "REQ-P06" in findings_by_code(cat12, clean, context)


def test_missing_reason_needs_an_explanation(cat12, clean, context):
    clean["P06"] = {"missing": "unknown"}
    findings = findings_by_code(cat12, clean, context)
    assert findings["MIS-P06"].severity == "soft" and "REQ-P06" not in findings
    other = findings_by_code(cat12, clean | {"P06": {"missing": "not_applicable"}}, context)
    assert findings["MIS-P06"].fingerprint != other["MIS-P06"].fingerprint


def test_an_unreadable_cell_is_hard_and_says_why(cat12, clean, context):
    clean["P06"] = {"value": "-5"}
    finding = findings_by_code(cat12, clean, context)["INV-P06"]
    assert (
        finding.severity == "hard"
        and "不能填写负数" in finding.message.zh
        and "negative" in finding.message.en
    )


@pytest.mark.parametrize(
    ("total", "fails"),
    [("100", False), ("100.5", False), ("100.502", False), ("101", True), ("99.49", True), ("0", True)],
)
def test_the_tolerance_of_a_total(cat12, clean, context, total, fails):
    clean |= {"P01": quantity(total), "P02": quantity("50"), "P03": quantity("30"), "P04": quantity("20")}
    for code in ("P05", "P06", "P07", "P08", "P09"):
        clean[code] = quantity("0")
    assert ("P01-H1" in findings_by_code(cat12, clean, context)) is fails


def test_message_formats_numbers_with_a_single_unit(cat12, clean, context):
    clean |= {
        "P01": {"value": "3276.8", "entered": "3.2", "unit": "PB"},
        "P02": quantity("1000"),
        "P03": quantity("1000.5"),
        "P04": quantity("0"),
    }
    message = findings_by_code(cat12, clean, context)["P01-H1"].message
    assert "3,276.8 TB" in message.zh and "2,000.5 TB" in message.zh and "1,276.3" in message.zh
    assert "3,276.8 TB" in message.en and "TB TB" not in message.zh + message.en


def test_placeholders_of_every_kind():
    edits = [
        {
            "code": "X1",
            "severity": "soft",
            "rule": "A <= previous('A')",
            "items": ["A", "Q"],
            "values": {"ratio": "A / previous('A')", "gone": "A / (A - A)"},
            "message": {
                "zh": "{A}，上年{previous:A}，{ratio}倍，{gone}，{Q}，{unit_name}，{expr:A * 2.0}，{B}",
                "en": "{A} TB, last {previous:A}, {ratio}, {gone}, {Q}, {unit_name}, {expr:A * 2.0}, {B}",
            },
        }
    ]
    form = tiny(
        [
            {"code": "A"},
            {"code": "B", "required": False},
            {"code": "Q", "type": "yesno", "unit": "", "units": "none"},
        ],
        edits,
    )
    answers = {"A": quantity("1234.5"), "Q": {"value": True}}
    finding = findings_by_code(
        form, answers, sample_context("CAT12", name="甲公司"), {"A": quantity("1000")}
    )["X1"]
    assert finding.message.zh == "1,234.5 TB，上年1,000 TB，1.2345倍，—，是，甲公司，2,469，—"
    assert finding.message.en == "1,234.5 TB, last 1,000 TB, 1.2345, —, Yes, 甲公司, 2,469, —"


def test_comparisons_with_last_year_need_last_year(cat12, clean, context):
    before = clean | {"P01": quantity("1"), "S02": quantity("1")}
    assert not {code for code in findings_by_code(cat12, clean, context) if code.startswith("X05")}
    clean |= {"P01": quantity("1024"), "P02": quantity("1024"), "P03": quantity("0"), "P04": quantity("0")}
    findings = findings_by_code(cat12, clean, context, before)
    assert findings["X05-P01"].severity == "soft" and findings["P01-S1"].items == ("P01",)
    assert "1,024" in findings["X05-P01"].message.zh


def test_parked_answers_of_last_year_do_not_count(cat12, clean, context):
    before = dict(clean) | {"A01": {"value": False}, "A02": quantity("0.0001")}
    assert "X02-A02" not in findings_by_code(cat12, clean, context, before)
    before["A01"] = {"value": True}
    assert "X02-A02" in findings_by_code(cat12, clean, context, before)


def test_all_zero_is_a_notice(cat12, clean, context):
    for code, item in cat12.items.items():
        if item.type in {"quantity", "money"} and code[0] != "B":
            clean[code] = quantity("0") if item.type == "quantity" else {"value": "0"}
    assert findings_by_code(cat12, clean, context)["X10"].severity == "notice"
    clean["P06"] = quantity("1")
    assert "X10" not in findings_by_code(cat12, clean, context)


# -- fingerprints --------------------------------------------------------------------


def test_fingerprint_is_of_the_values_and_not_of_the_way_they_were_entered(cat12, clean, context):
    clean |= {
        "G05": {"value": "3276.8", "entered": "3.2", "unit": "PB"},
        "S02": quantity("1"),
        "S03": quantity("1"),
        "S04": quantity("0"),
    }
    first = findings_by_code(cat12, clean, context).get("G05-S1")
    if first is None:
        pytest.skip("G05 is not on this form")
    same = findings_by_code(cat12, clean | {"G05": quantity("3276.8")}, context)["G05-S1"]
    other = findings_by_code(cat12, clean | {"G05": quantity("3276.9")}, context)["G05-S1"]
    unrelated = findings_by_code(cat12, clean | {"B17": {"value": "0"}}, context)["G05-S1"]
    assert same.fingerprint == first.fingerprint == unrelated.fingerprint != other.fingerprint


def test_fingerprint_changes_with_last_year():
    form = tiny(
        [{"code": "A"}],
        [
            {
                "code": "X1",
                "severity": "soft",
                "rule": "A <= previous('A')",
                "items": ["A"],
                "message": {"zh": "x", "en": "x"},
            }
        ],
    )
    context = sample_context("CAT12")
    prints = {
        findings_by_code(form, {"A": quantity("5")}, context, {"A": quantity(last)})["X1"].fingerprint
        for last in ("1", "2", "2.0")
    }
    assert len(prints) == 2


# -- affected --------------------------------------------------------------------------


def test_affected_follows_computed_items_and_relevance(cat12):
    codes = affected(cat12, ["S02"])
    assert {"S02-H1", "D01-H1", "D02-H1", "REQ-S02", "X10"} <= codes
    assert "T07-H1" not in codes and "T07-H1" in affected(cat12, ["B10"])
    assert {"A02-H1", "REQ-A05", "A05-H1"} <= affected(cat12, ["A01"])


def test_changed_findings_are_among_the_affected(cat12, clean, context):
    before = findings_by_code(cat12, clean, context)
    for code, item in cat12.items.items():
        changed = dict(clean)
        changed.pop(code, None)
        after = findings_by_code(cat12, changed, context)
        moved = set(before.keys() ^ after.keys())
        assert moved <= affected(cat12, [code]), (code, item.label.zh)


# -- explanations ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "核实无误",
        "情况属实",
        "无误",
        "checked, correct",
        "情况属实，核实无误，数据真实。",
        "经核实，本单位数据准确无误！",
        "The data have been checked and are correct.",
        "aaaaaaaaaaaaaaa",
        "。。。。。。。。。。。。",
        "1111111111",
        "Checked and confirmed, all OK",
        "数据属实 数据属实 数据属实",
        "ｃｈｅｃｋｅｄ，ｃｏｒｒｅｃｔ",
        "扩容了",
        "与实际相符，符合实际情况",
    ],
)
def test_an_empty_explanation_is_refused_in_both_languages(text):
    problem = explanation_problem(text, "other")
    assert problem is not None and problem.zh and problem.en


@pytest.mark.parametrize(
    "text",
    [
        "本年新建数据中心于6月投产，存储量相应增加",
        "New data centre opened in May",
        "经核实，因更换云服务商，备份数据一次性迁入",
        "2025年并购子公司两家，营业收入翻倍",
    ],
)
def test_a_real_explanation_is_accepted(text):
    assert explanation_problem(text, "business") is None


def test_an_explanation_needs_a_kind_of_reason():
    assert explanation_problem("本年新建数据中心于6月投产，存储量相应增加", None) is not None


# -- amount of work -----------------------------------------------------------------------


def test_the_largest_form_is_checked_in_one_pass():
    """Calls are counted, not seconds: a machine's load does not change them, a second pass doubles them."""
    form, context = load_questionnaire("CAT06"), sample_context("CAT06")
    answers, previous = sample_answers(form, context, 0), sample_answers(form, context, 1)
    run_edits(form, answers, previous=previous, context=context)
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        run_edits(form, answers, previous=previous, context=context)
    finally:
        sys.setprofile(before)
    assert len(form.items) == 111
    assert 0 < calls < 9000, calls  # 5963 today


@pytest.mark.parametrize("category", FORMS)
def test_message_with_names_fills_every_placeholder(category):
    form = load_questionnaire(category)
    for edit in form.edits:
        filled = message_with_names(form, edit)
        for language, template in (("zh", edit.message.zh), ("en", edit.message.en)):
            text = filled.get(language)
            assert "{" not in text and "}" not in text, edit.code
            assert text.count("[") - template.count("[") == len(PLACEHOLDER.findall(template)), edit.code


def test_message_with_names_shows_labels_formulas_and_last_year(cat12):
    filled = {edit.code: message_with_names(cat12, edit) for edit in cat12.edits}
    assert (
        "[P02 + P03 + P04] TB" in filled["P01-H1"].en and "[|P01 - (P02 + P03 + P04)|]" in filled["P01-H1"].en
    )
    assert "[change on last year]" in filled["X05-P02"].en and "[上年 P02]" in filled["X05-P02"].zh
    assert "[S02 Total data stored]" in filled["S09-S1"].en  # the sentence gives the code alone
    assert "[S02]" in filled["S03-H1"].en  # the sentence contains the label
