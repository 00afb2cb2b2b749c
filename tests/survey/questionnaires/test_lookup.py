"""Which entry of a code list a text means, and which entries a search finds."""

import pytest

from survey.questionnaires.answering.answers import AnswerError, parse
from survey.questionnaires.definition import CodeEntry, Codelist, Text
from survey.questionnaires.lists.lookup import lookup_in
from survey.questionnaires.lists.pinyin import in_words, stem_of
from survey.questionnaires.loader import load_codelist
from tests.survey.questionnaires.conftest import make_item


def resolve(name: str, text: str):
    return lookup_in(load_codelist(name)).resolve(text)


def search(name: str, text: str) -> list[str]:
    return [entry.code for entry in lookup_in(load_codelist(name)).search(text, 8)]


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("industries", "0111", "0111"),
        ("industries", "稻谷种植", "0111"),
        ("industries", "0111 稻谷种植", "0111"),
        ("industries", "0111 Rice growing", "0111"),
        ("industries", "rice  growing", "0111"),
        ("industries", "羽毛(绒)加工", "1941"),
        ("industries", "3919", "3919"),
        ("divisions", "南京", "320100"),
        ("divisions", "南京市", "320100"),
        ("divisions", "江苏省南京市", "320100"),
        ("divisions", "南京市鼓楼区", "320106"),
        ("divisions", "江苏 南京 鼓楼", "320106"),
        ("divisions", "Gulou Qu, Nanjing Shi, Jiangsu", "320106"),
        ("divisions", "320106 鼓楼区", "320106"),
        ("divisions", "西藏", "540000"),
        ("divisions", "３２０１００", "320100"),
        ("divisions", "660000", "660000"),
    ],
)
def test_code_name_or_both_mean_an_entry(name: str, text: str, code: str) -> None:
    assert resolve(name, text).code == code


@pytest.mark.parametrize(
    ("name", "text", "reason", "candidate"),
    [
        ("industries", "0199", "unknown", "0190"),
        ("industries", "6510", "unknown", "6511"),
        ("industries", "0111 小麦种植", "differs", "0111"),
        ("divisions", "329999", "unknown", "320000"),
        ("divisions", "吉林", "ambiguous", "220200"),
        ("divisions", "鼓楼区", "ambiguous", "350102"),
        ("divisions", "徐州市玄武区", "unknown", None),
        ("divisions", "320684", "retired", "320614"),
        ("divisions", "没有这个地方", "unknown", None),
    ],
)
def test_what_is_not_clear_has_no_code(name: str, text: str, reason: str, candidate: str | None) -> None:
    resolution = resolve(name, text)
    assert (resolution.code, resolution.reason) == ("", reason)
    assert candidate in resolution.candidates if candidate else not resolution.candidates


@pytest.mark.parametrize(
    ("name", "text", "first"),
    [
        ("divisions", "nj", "320100"),
        ("divisions", "nanjing", "320100"),
        ("divisions", "xian", "610100"),
        ("divisions", "beijing hd", "110108"),
        ("divisions", "nj gl", "320106"),
        ("divisions", "南京 鼓", "320106"),
        ("divisions", "320106", "320106"),
        ("industries", "dgzz", "0111"),
        ("industries", "shuju", "6450"),
        ("industries", "651", "6511"),
        ("industries", "种植 稻", "0111"),
        ("industries", "crop farming", "0111"),
    ],
)
def test_search_ranks_what_is_meant_first(name: str, text: str, first: str) -> None:
    assert search(name, text)[0] == first


def test_search_finds_by_the_names_above_and_nothing_for_nothing() -> None:
    assert {"0111", "0112"} <= set(search("industries", "谷物"))
    assert search("divisions", " ") == search("divisions", "(") == []
    assert search("divisions", "vvvv") == []


def test_a_refusal_names_the_candidates_in_both_languages() -> None:
    item = make_item("choice", codelist="divisions", choices=load_codelist("divisions"))
    assert parse(item, "南京") == {"value": "320100"}
    with pytest.raises(AnswerError) as caught:
        parse(item, "吉林")
    assert caught.value.code == "ambiguous_name"
    assert "220200 吉林省吉林市" in caught.value.message("zh")
    assert "220200 Jilin Shi, Jilin" in caught.value.message("en")
    for text, code in (
        ("329999", "not_in_list_near"),
        ("320684", "retired_code"),
        ("没有这里", "not_in_list"),
    ):
        with pytest.raises(AnswerError) as caught:
            parse(item, text)
        assert caught.value.code == code and text in caught.value.message("zh")


def test_a_short_list_accepts_names_but_no_shortened_ones() -> None:
    entries = (CodeEntry("1", Text("南京市", "Nanjing")), CodeEntry("2", Text("其他", "Other")))
    lookup = lookup_in(Codelist("short", entries))
    assert lookup.resolve("其他").code == "2" and lookup.resolve("NANJING").code == "1"
    assert lookup.resolve("南京").code == ""


def test_pinyin_in_words() -> None:
    assert in_words("鼓楼区", ["gu", "lou", "qu"]) == "gu-lou qu"
    words = ["wei", "chang", "man", "zu", "meng", "gu", "zu", "zi", "zhi", "xian"]
    assert in_words("围场满族蒙古族自治县", words) == "wei-chang man-zu meng-gu-zu zi-zhi-xian"
    assert in_words("城区", ["cheng", "qu"]) == "cheng qu"
    assert [stem_of(name) for name in ("南京市", "单县", "广西壮族自治区", "新疆维吾尔自治区", "市")] == [
        "南京", "单", "广西", "新疆", "市",
    ]  # fmt: skip
