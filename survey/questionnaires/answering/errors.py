"""Errors of answers that cannot be stored, with messages in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survey.questionnaires.definition import Text

MESSAGES: dict[str, Text] = {
    "not_a_number": Text(
        "“{text}”不能作为数值。请只填写一个数，可带计量单位，例如 1234.5。",
        "“{text}” is not a number. Enter one number, with its unit if you like, for example 1234.5.",
    ),
    "separator": Text(
        "“{text}”中的分隔符位置不对。小数点请用“.”，千位分隔符每三位一个。",
        "A separator in “{text}” is misplaced. Use “.” for decimals and commas only between thousands.",
    ),
    "decimal_comma": Text(
        "“{text}”中的逗号是小数点吗？如果是，请填写 {meant}；如果不是，请去掉逗号。",
        "Is the comma in “{text}” a decimal point? If so, enter {meant}; if not, leave it out.",
    ),
    "blanks": Text(
        "“{text}”中有空格，看不出是一个数还是几个数。请去掉空格后重填。",
        "“{text}” holds blanks: it may be one number or several. Enter one number without blanks.",
    ),
    "several_values": Text(
        "“{text}”包含多个单元格的内容。每格只填一个数；粘贴多个单元格时请从第一格开始粘贴。",
        "“{text}” holds several cells. Enter one number here; paste a block of cells at its first cell.",
    ),
    "numerals": Text(
        "“{text}”可以有不同读法。请用阿拉伯数字填写，例如 35000。",
        "“{text}” can be read in several ways. Enter it in digits, for example 35000.",
    ),
    "currency": Text(
        "“{text}”带有货币符号，看不出是元还是万元。请去掉符号，填写数字和计量单位。",
        "“{text}” has a currency sign, which does not say yuan or 10,000 yuan. Enter the number and its unit.",
    ),
    "nothing": Text(
        "“{text}”含义不明：确实没有发生的请填 0；不适用或不掌握的请选择相应选项。",
        "“{text}” may mean different things. Enter 0 if there was none; choose “not applicable” or “not known” otherwise.",
    ),
    "two_units": Text(
        "“{text}”中的计量单位与所选的“{unit}”不一致。请保留其中一个。",
        "The unit in “{text}” is not the chosen one, “{unit}”. Keep one of them.",
    ),
    "small_unit": Text(
        "“{text}”的计量单位过小，不能保存。约合 {meant}，请按此填写或改用其他单位。可用单位：{allowed}。",
        "The unit of “{text}” is too small to be kept. It is about {meant}: enter that, or use another unit. "
        "Possible units: {allowed}.",
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
    "not_in_list_near": Text(
        "“{code}”不在代码表内。相近的有：{candidates}。",
        "“{code}” is not in the code list. Near to it: {candidates}.",
    ),
    "ambiguous_name": Text(
        "“{code}”对应多个条目：{candidates}。请填写其中一个的代码，或加上上级名称。",
        "“{code}” is the name of several entries: {candidates}. Enter the code of one, or add the name above it.",
    ),
    "retired_code": Text(
        "代码“{code}”已不再使用，现由下列代码代替：{candidates}。请改填现行代码。",
        "The code “{code}” is no longer in use. In its place: {candidates}. Enter a current code.",
    ),
    "code_and_name": Text(
        "“{code}”中的代码与名称不一致：{candidates}。请只填写代码或只填写名称。",
        "In “{code}” the code and the name do not agree: {candidates}. Enter only the code or only the name.",
    ),
    "not_yes_no": Text("请选择“是”或“否”。", "Choose yes or no."),
    "bad_date": Text("请填写年月，年份写四位，例如 2019-05。", "Enter year and month, the year with four digits: 2019-05."),
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

    def stored_params(self) -> dict[str, Any]:
        """The parameters as JSON."""
        return {
            name: {"zh": value.zh, "en": value.en} if isinstance(value, Text) else value
            for name, value in self.params.items()
        }

    @classmethod
    def restored(cls, code: str, params: Mapping[str, Any]) -> AnswerError:
        """The error of a code and parameters from ``stored_params``."""
        filled: dict[str, Any] = {
            name: Text(**value) if isinstance(value, Mapping) else value for name, value in params.items()
        }
        return cls(code, **filled)

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
