"""Errors of answers that cannot be stored, with messages in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survey.questionnaires.definition import Text

MESSAGES: dict[str, Text] = {
    "not_a_number": Text(
        "“{text}”不是数字。请只填写数字，例如 1234.5。",
        "“{text}” is not a number. Enter digits only, for example 1234.5.",
    ),
    "separator": Text(
        "“{text}”中的逗号位置不对。小数点请用“.”，千位分隔符每三位一个。",
        "The comma in “{text}” is ambiguous. Use “.” for decimals and commas only between thousands.",
    ),
    "not_an_integer": Text("请填写整数。", "Enter a whole number."),
    "negative": Text("不能填写负数。", "The number must not be negative."),
    "too_large": Text(
        "数值过大，请检查数字和计量单位。",
        "The number is too large. Check the digits and the unit.",
    ),
    "too_many_decimals": Text(
        "小数位过多：换算成入库单位后最多保留 {decimals} 位小数。",
        "Too many decimal places: at most {decimals} are kept in the stored unit.",
    ),
    "unknown_unit": Text(
        "不能使用计量单位“{unit}”。可用单位：{allowed}。",
        "The unit “{unit}” cannot be used here. Possible units: {allowed}.",
    ),
    "not_in_list": Text(
        "“{code}”不在代码表内，请重新选择。",
        "“{code}” is not in the code list. Choose again.",
    ),
    "not_yes_no": Text("请选择“是”或“否”。", "Choose yes or no."),
    "bad_date": Text("请填写年月，例如 2019-05。", "Enter year and month, for example 2019-05."),
    "too_long": Text("文字过长，最多 {limit} 字。", "The text is too long: at most {limit} characters."),
    "control_characters": Text("文字中有不可见的控制字符，请删除后重填。",
                               "The text contains invisible control characters. Remove them."),
    "mark_not_allowed": Text(
        "本指标须填写，不能标为“{mark}”。", "This item needs an answer; it cannot be marked “{mark}”."
    ),
    "unknown_missing_reason": Text("不认识的缺失原因“{reason}”。", "Unknown missing reason “{reason}”."),
    "inconsistent": Text(
        "数值与录入的 {entered} {unit} 不一致。", "The value does not equal the entered {entered} {unit}."
    ),
    "too_many_rows": Text("行数过多，最多 {limit} 行。", "Too many rows: at most {limit}."),
    "unknown_row": Text("表中没有“{row}”这一行。", "The table has no row “{row}”."),
    "unknown_column": Text("表中没有“{column}”这一列。", "The table has no column “{column}”."),
    "table": Text("表内有 {count} 个单元格填写有误。", "{count} cells of the table are not valid."),
    "malformed": Text("数据格式不正确。", "The data has the wrong form."),
}  # fmt: skip


class AnswerError(ValueError):
    """An answer that cannot be stored.

    `code` is a key of MESSAGES, `params` fill the sentence; for a table, `children` holds the error
    of each faulty cell by (row id, column code).
    """

    def __init__(
        self, code: str, /, *, children: Mapping[tuple[str, str], AnswerError] | None = None, **params: Any
    ) -> None:
        self.code = code
        self.params = params
        self.children = dict(children or {})
        super().__init__(self.message("en"))

    @property
    def text(self) -> Text:
        """The sentence in both languages."""
        template = MESSAGES[self.code]
        return Text(template.zh.format(**self._in("zh")), template.en.format(**self._in("en")))

    def _in(self, language: str) -> dict[str, Any]:
        """The parameters; those that are texts themselves in one language."""
        return {k: v.get(language) if isinstance(v, Text) else v for k, v in self.params.items()}

    def message(self, language: str) -> str:
        """The sentence in one language."""
        return self.text.get(language)
