"""Fixed words of the printed editions in both languages. Pure.

Editions are written in one language each, whatever the language of the page, so these words do not go
through the catalogue of the interface.
"""

from estimation.releases.content.content import Text

LANGUAGES = ("zh", "en")
HTML_LANGUAGES = {"zh": "zh-CN", "en": "en"}

WORDS: dict[str, Text] = {
    "contents": Text("目录", "Contents"),
    "table": Text("表", "Table"),
    "annex_table": Text("附表", "Annex table"),
    "figure": Text("图", "Figure"),
    "note": Text("注：", "Note: "),
    "unit": Text("单位：", "Unit: "),
    "key_figures": Text("数据一览", "At a glance"),
    "growth": Text("比上年", "on the year before"),
    "footnotes": Text("脚注", "Footnotes"),
    "footnote": Text("脚注", "Footnote"),
    "back": Text("返回正文中的脚注", "Back to the call of footnote"),
    "data_table": Text("图中数据", "Data of the figure"),
    "synthetic": Text("合成数据 · 非正式统计结果", "Synthetic data · not official statistics"),
    "synthetic_long": Text(
        "本文由演练用的合成数据生成，其中的数不描述任何真实的单位、行业或地区，不得引用。",
        "This document was made from synthetic rehearsal data. Its numbers describe no real unit, industry or "
        "region and must not be quoted.",
    ),
    "symbols": Text(
        "符号说明：“×”依统计保密要求不公布；“—”无此项或无法计算；“0”数值为零。数据单位为二进制，1 ZB = 1024 EB = 1024² PB。",
        "Symbols: × not published for confidentiality; — not applicable or not computable; 0 exactly zero. "
        "Data units are binary: 1 ZB = 1,024 EB = 1,024² PB.",
    ),
    "about": Text("关于本报告", "About this report"),
    "cite": Text("引用时请注明：《{title}》。", "Please cite as: {title}."),
    "frozen": Text(
        "本报告的文字、图、表和各种数据文件取自同一份冻结的结果，不再作任何计算。该结果的校验码（SHA-256）：",
        "Text, figures, tables and all data files are taken from one frozen result; nothing is computed again. "
        "SHA-256 of that result:",
    ),
    "code_version": Text("程序版本", "Program version"),
    "cover_art": Text(
        "封面图：每一方格代表1泽字节（ZB）的年度数据生产总量", "Cover: each square is one zettabyte of data produced in the year"
    ),
    "quality_table": Text("主要指标的抽样误差", "Sampling errors of the chief indicators"),
    "quality_lede": Text(
        "抽样误差以变异系数和95%置信区间表示，只反映抽样和无应答的影响，不含计量误差。来自普查、行政记录或外部监测的数没有抽样误差。",
        "Errors are given as coefficient of variation and 95% confidence interval. They cover sampling and "
        "non-response, not measurement. Numbers from censuses, records or monitoring have no sampling error.",
    ),
    "indicator": Text("指标", "Indicator"),
    "value": Text("数值", "Value"),
    "cv": Text("变异系数 (%)", "CV (%)"),
    "interval": Text("95%置信区间", "95% interval"),
    "lower": Text("下限", "Lower"),
    "upper": Text("上限", "Upper"),
    "sample": Text("样本数", "Sample"),
    "grade": Text("等级", "Grade"),
    "identity_table": Text("恒等关系核对", "Checks of the arithmetic"),
    "identity": Text("关系", "Identity"),
    "result": Text("结果", "Result"),
    "difference": Text("差", "Difference"),
    "holds": Text("相符", "Holds"),
    "differs": Text("不符", "Does not hold"),
    "unchecked": Text("无法核对", "Cannot be checked"),
    "item": Text("项目", "Item"),
}  # fmt: skip


def word(name: str, language: str) -> str:
    """A fixed word. Raises KeyError for an unknown name."""
    return WORDS[name].get(language)


SYMBOLS = {"withheld": "×", "absent": "—"}
