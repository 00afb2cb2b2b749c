"""What respondents read about an item: references by form, worked examples, formulas, headings, changes in words."""

from decimal import Decimal

import pytest

from survey.questionnaires.definition import Example, Item, Text
from survey.questionnaires.document import from_document, to_document
from survey.questionnaires.edits import run_edits
from survey.questionnaires.guidance.formulas import formula_in_words
from survey.questionnaires.guidance.paragraphs import heading_before, paragraphs
from survey.questionnaires.guidance.references import resolve
from survey.questionnaires.guidance.worked_examples import ExampleError, example_fault, sentence, worth
from survey.questionnaires.loader import load_all
from survey.questionnaires.messages import change_in_words
from survey.questionnaires.proof.texts import CODE, NO_ITEMS

FORMS = load_all()


def every_text(form):
    for item in form.items.values():
        for language in ("zh-hans", "en"):
            yield from ((item.code, p.text) for p in paragraphs(form, item, language))


def test_a_reference_is_the_name_of_the_item_where_the_form_has_it():
    here, elsewhere = (dict(paragraphs_of(form, "S02")) for form in ("CAT06", "CAT12"))
    assert "（填 MO09“云存储服务承载数据量”）" in here["不包括"]
    assert elsewhere["不包括"] == "云服务商承载的客户数据；已分配、未写入的空闲容量。"


def paragraphs_of(category, code, language="zh-hans"):
    form = FORMS[category]
    return [(p.heading, p.text) for p in paragraphs(form, form.item(code), language)]


def test_an_option_is_quoted_as_the_code_list_calls_it():
    form = FORMS["CAT12"]
    assert "选“无出境”" in form.item("G06").definition.zh
    assert 'Choose "No outbound data"' in form.item("G06").definition.en
    assert "G06 数据出境合规方式选了“无出境”" in form.edit("F07-S1").message.zh


def test_references_of_messages_leave_the_answers_of_items():
    text = resolve(Text("{T01} 选{T01=true}", "{T01} is {T01=true}"), FORMS["CAT12"].items, plain=False)
    assert text == Text("{T01} 选“是”", '{T01} is "Yes"')


@pytest.mark.parametrize("category", sorted(FORMS))
def test_respondents_read_no_code_of_a_published_indicator_and_no_expression(category):
    for code, text in every_text(FORMS[category]):
        assert not any(fed in text for fed in ("TXT-", "SUP-", "CIR-", "USE-", "T1-", "T2-")), code
        assert "{" not in text and "?" not in text and "==" not in text, code
        assert set(CODE.findall(text)) <= FORMS[category].items.keys() | NO_ITEMS, code


def test_uses_are_shown_by_name():
    used = dict(paragraphs_of("CAT12", "F01"))["用于"]
    assert used == "企业数据流通总量；表2：数据流通量；头部平台企业数据流通规模均值倍数"


def test_uses_without_a_name_are_not_shown():
    document = to_document(FORMS["CAT12"])
    del document["uses"]
    before = from_document(document)
    assert before.uses_of(before.item("F01")) == []


@pytest.mark.parametrize(
    ("expression", "amount"),
    [
        ("1.2 PB + 820 TB + 40 TB", "2088.8 TB"),
        ("200 * 365 * 16 GB", "1140.625 TB"),
        ("(3 亿元 - 1000 万元) / 2", "14500 万元"),
        ("6.2 万亿个 / 31", "2000 亿个"),
        ("12 * 450 万次", "5400 万次"),
    ],
)
def test_expressions_are_computed_with_their_units(expression, amount):
    assert worth(expression) == worth(amount)


@pytest.mark.parametrize(
    "expression", ["1 TB + 1 万元", "1 TB * 1 TB", "(1 TB", "1 TB 2 TB", "TB", "1 TB +", "1 / 0"]
)
def test_expressions_that_mean_nothing_are_refused(expression):
    with pytest.raises(ExampleError):
        worth(expression)


def share(working, answer):
    example = Example(Text("甲", "A"), answer, working)
    return example_fault(Item("K04", Text("占比", "Share"), "ratio", "%", example=example))


def test_a_share_is_a_quotient_in_percent():
    assert share("20 TB / 25 TB", "80 %") == ""
    assert share("20 TB / 25 TB", "0.8 %") == "20 TB / 25 TB is not 0.8 %"


def test_a_worked_example_is_a_sentence_in_both_languages():
    example = Example(Text("云存储和本地存储", "Cloud and local storage"), "2528 TB", "480 TB + 2 PB")
    assert sentence(example, "zh-hans") == "云存储和本地存储：480 TB + 2 PB = 2,528 TB。"
    assert sentence(example, "en") == "Cloud and local storage: 480 TB + 2 PB = 2,528 TB."
    assert sentence(Example(Text("共", "In all"), "3 %"), "en") == "In all: enter 3%."


def test_formulas_are_words():
    form = FORMS["CAT12"]
    rate, size = form.item("D02"), form.item("B12")
    assert formula_in_words(form, rate, "zh-hans") == (
        "D01 经加工、开发和复用的数据规模 ÷ S02 数据存储总量 × 100（S02 数据存储总量大于 0 时；否则为 0）"
    )
    assert formula_in_words(form, rate, "en").endswith(
        "× 100 (if S02 Total data stored is above 0; otherwise 0)"
    )
    assert formula_in_words(form, size, "en").startswith("worked out from B05 Industry code, B09 ")
    assert formula_in_words(form, form.item("P01"), "en") == ""


def test_two_breakdowns_of_one_total_have_their_own_headings():
    form = FORMS["CAT12"]
    heads = {code: heading_before(form, form.item(code), form.items, "zh-hans") for code in form.items}
    assert heads["P02"] == "按来源分，三项之和等于 P01“年度数据生产总量”"
    assert heads["P05"] == "P01“年度数据生产总量”按领域另行分组，可重叠，不相加"
    assert {heads[code] for code in ("P01", "P03", "P04", "P06", "P09", "P10")} == {""}
    # P05 is asked in mining, manufacturing and utilities only: elsewhere the heading stands above P06.
    others = form.items.keys() - {"P05"}
    assert heading_before(form, form.item("P06"), others, "zh-hans") == heads["P05"]


@pytest.mark.parametrize(
    ("now", "before", "zh", "en"),
    [
        ("3.2", "1", "是上年的 3.2 倍", "3.2 times last year's"),
        ("1", "4", "为上年的 25%", "25% of last year's"),
        ("1", "1024", "约为上年的 1/1,024", "about 1/1,024 of last year's"),
        ("0", "5", "降为 0", "down to 0"),
        ("5", "0", "—", "—"),
        ("5", None, "—", "—"),
    ],
)
def test_a_change_has_its_direction_in_words(now, before, zh, en):
    numbers = Decimal(now), None if before is None else Decimal(before)
    assert (change_in_words(*numbers, "zh-hans"), change_in_words(*numbers, "en")) == (zh, en)


def test_a_unit_slip_down_is_a_fraction_of_last_year(cat12, clean, context):
    last_year = clean | {"P02": {"value": "102400", "unit": "TB"}}
    now = clean | {"P02": {"value": "100", "unit": "TB"}}
    findings = {f.edit: f for f in run_edits(cat12, now, context=context, previous=last_year)}
    assert "约为上年的 1/1,024，" in findings["X05-P02"].message.zh
    assert "0.000977" not in findings["X05-P02"].message.zh
