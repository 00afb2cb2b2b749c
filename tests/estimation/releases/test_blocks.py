"""Text with numbers as fields: what is filled in, what is left out, what is refused."""

from typing import Any

import pytest

from estimation.releases.content.content import CellStatus, FrozenCell, Text
from estimation.releases.content.passages import (
    Passage,
    UnknownField,
    default_passages,
    faults,
    fill,
    typed_digits,
)


def cell(key: str, printed: str, value: float | None, **more: Any) -> FrozenCell:
    return FrozenCell(key, Text(key, key), Text("%", "%"), printed, value=value, **more)


CELLS = {
    entry.key: entry
    for entry in (
        cell("SUP-01.2025", "52.26", 52.26), cell("SUP-01.2024", "41.06", 41.06),
        cell("SUP-01.2025.growth", "27.28", 27.28), cell("CIR-01.2025.growth", "-3.10", -3.1),
        cell("CIR-02.2025.growth", "0.00", 0.001), cell("TXT-017.2025", "11.44", 11.44, words=Text("超11", "over 11")),
        cell("T2.C.flow_eb", "495.52", 495.52), cell("FC-01.2026", "64.31", 64.31),
        cell("RK-01.2025", "广东、浙江", None, estimator="ranking", words=Text("广东、浙江", "Guangdong, Zhejiang")),
        cell("TXT-031.2025", "—", None, status=CellStatus.ABSENT, reason="not_collected"),
        cell("T2.A.flow_eb", "×", None, status=CellStatus.WITHHELD, reason="withheld"),
    )
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("{{ SUP-01 }}", "52.26", "52.26"),
        ("{{ SUP-01.2024 }}", "41.06", "41.06"),
        ("{{SUP-01.previous}}", "41.06", "41.06"),
        ("{{ SUP-01.growth }}", "27.28", "27.28"),
        ("{{ SUP-01.growth|change }}", "增长27.28%", "up 27.28 %"),
        ("{{ CIR-01.growth | change }}", "下降3.10%", "down 3.10 %"),
        ("{{ CIR-02.growth|change }}", "持平", "unchanged"),
        ("{{ SUP-01.growth|points }}", "提升27.28个百分点", "up 27.28 percentage points"),
        ("{{ TXT-017|about }}", "超11", "over 11"),
        ("{{ TXT-017 }}", "11.44", "11.44"),
        ("{{ T2.C.flow_eb }}", "495.52", "495.52"),
        ("{{ FC-01 }}", "64.31", "64.31"),
        ("{{ RK-01 }}", "广东、浙江", "Guangdong, Zhejiang"),
        ("{{ year }}/{{ previous }}/{{ next }}", "2025/2024/2026", "2025/2024/2026"),
        ("{{ 'GB/T 4754' }}", "GB/T 4754", "GB/T 4754"),
        ("{{ TXT-031 }}", "—", "—"),
        ("{{ T2.A.flow_eb }}", "×", "×"),
    ],
)
def test_fields(text: str, zh: str, en: str) -> None:
    assert fill(text, "zh", CELLS, 2025).text == zh
    assert fill(text, "en", CELLS, 2025).text == en


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("甲[[，乙{{ TXT-031 }}]]。", "甲。"),
        ("甲[[，乙{{ SUP-01 }}]]。", "甲，乙52.26。"),
        ("[[甲{{ SUP-01 }}[[，乙{{ T2.A.flow_eb }}]]。]]", "甲52.26。"),
        ("[[甲{{ TXT-031 }}[[，乙{{ SUP-01 }}]]。]]", ""),
        ("第一段[[{{ TXT-031 }}]]\n\n[[{{ TXT-031 }}]]\n\n第三段", "第一段\n\n第三段"),
    ],
)
def test_passages_without_their_numbers_are_omitted(text: str, shown: str) -> None:
    assert fill(text, "zh", CELLS, 2025).text == shown


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("SUP-99", "SUP-99"),
        ("SUP-01.1999", "SUP-01.1999"),
        ("SUP-01|upper", "SUP-01|upper"),
        ("SUP-01.__class__", "SUP-01.__class__"),
        ("request.user", "request.user"),
        ("'a'|safe", "'a'|safe"),
        ("", ""),
        ("SUP-01 + SUP-01", "SUP-01 + SUP-01"),
    ],
)
def test_an_unknown_field_is_refused_by_its_name(field: str, name: str) -> None:
    with pytest.raises(UnknownField) as caught:
        fill(f"x {{{{ {field} }}}}", "zh", CELLS, 2025)
    assert caught.value.name == name


def test_template_tags_and_markup_are_plain_text() -> None:
    text = "{% include 'x' %}<script>alert({{ SUP-01 }})</script>{# no #}"
    assert fill(text, "zh", CELLS, 2025).text == "{% include 'x' %}<script>alert(52.26)</script>{# no #}"


def test_typed_digits_are_reported_and_fields_are_not() -> None:
    assert list(typed_digits("{{ SUP-01.2025 }}与{{ 'FP16' }}")) == []
    for text in ("总量52.26泽字节", "二〇２５年", "about 30 %"):
        assert len(list(typed_digits(text))) == 1, text


def test_faults_of_a_passage() -> None:
    passage = Passage("x", "x", Text("题", "Title"), Text("共12个 {{ SUP-98 }}", " "))
    assert [kind for kind, _ in faults(passage, CELLS, 2025)] == ["digits", "unknown", "empty"]
    unshown = Passage("x", "x", Text("题", "Title"), Text("{{ TXT-031 }}", "ok"))
    assert faults(unshown, CELLS, 2025) == [("unshown", "TXT-031.2025")]


def test_standard_texts_cover_the_report_and_hold_no_typed_digit() -> None:
    passages = default_passages()
    positions = [entry.place for entry in passages]
    assert len(set(positions)) == len(positions)
    sections = {"1.1", "1.2", "1.3", "2.1", "2.2", "3.1", "3.2", "3.3", "4.1", "4.2", "4.3", "4.4"}
    assert {f"chapter2.{entry}" for entry in sections} <= set(positions)
    assert {
        "foreword",
        "chapter1.supply",
        "chapter1.circulation",
        "chapter1.use",
        "chapter3.1",
        "annex.quality",
    } <= set(positions)
    for entry in passages:
        for text in (entry.heading.zh, entry.heading.en, entry.body.zh, entry.body.en):
            assert text.strip() and list(typed_digits(text)) == [], entry.code
