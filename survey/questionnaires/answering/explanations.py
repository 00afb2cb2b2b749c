"""Checks whether an explanation of a soft finding is specific enough to be filed."""

from __future__ import annotations

import re
import unicodedata

from survey.questionnaires.definition import Text

SHORTEST = 10
# Phrases without information. They are removed from the text; the remainder must have a minimum length.
BOILERPLATE = (
    "核实无误", "核对无误", "检查无误", "审核无误", "确认无误", "情况属实", "数据属实", "数据真实",
    "数据无误", "数据准确", "填报无误", "填报准确", "填报真实", "没有问题", "没问题", "实际情况",
    "实际如此", "据实填报", "如实填报", "真实有效", "真实准确", "真实可靠", "准确无误", "与实际相符",
    "符合实际", "确实如此", "属实", "无误", "已核实", "经核实", "已核对", "经核对", "已确认", "经确认",
    "以上", "情况", "数据", "本单位", "我单位",
)  # fmt: skip
EMPTY_WORDS = frozenset((
    "a", "all", "accurate", "and", "are", "as", "been", "checked", "confirmed", "correct", "data",
    "error", "errors", "fine", "figure", "figures", "has", "have", "is", "it", "no", "number", "numbers",
    "ok", "okay", "our", "problem", "problems", "real", "reported", "right", "that", "the", "these",
    "this", "those", "true", "value", "values", "verified", "was", "we", "were",
))  # fmt: skip
_LEAST_LENGTH = 5
_LEAST_DISTINCT = 4

TOO_SHORT = Text(
    f"说明过短，请用至少 {SHORTEST} 个字写明原因。",
    f"Please give the reason in at least {SHORTEST} characters.",
)
NO_REASON = Text(
    "请写明数据变化或差异的具体原因，不能只写“核实无误”“情况属实”一类的话。",
    "Please state the actual reason. “Checked, correct” does not explain the figure.",
)
NO_CODE = Text("请选择原因类别。", "Please choose a kind of reason.")


def explanation_problem(text: str, reason_code: str | None) -> Text | None:
    """Why an explanation cannot be accepted; None when it can.

    `reason_code` is the chosen kind of reason; it classifies the text and never replaces it.
    """
    if not reason_code:
        return NO_CODE
    folded = unicodedata.normalize("NFKC", text).casefold()
    if len(" ".join(folded.split())) < SHORTEST:
        return TOO_SHORT
    words = re.sub(r"[a-z]+", lambda match: f" {match[0]} ", folded)
    remainder = _without_boilerplate(re.sub(r"[\W_]+", " ", words))
    if len(remainder) < _LEAST_LENGTH or len(set(remainder)) < _LEAST_DISTINCT:
        return NO_REASON
    return None


def _without_boilerplate(text: str) -> str:
    remainder = "".join(word for word in text.split() if word not in EMPTY_WORDS)
    for phrase in BOILERPLATE:
        remainder = remainder.replace(phrase, "")
    return remainder
