"""The skeleton of the report: chapters and sections in order, and the positions of tables and figures. Pure.

The order is that of the published report of 2025; passages fill it, sections without passages are omitted.
"""

import re
from dataclasses import dataclass

from estimation.releases.content.content import Text


@dataclass(frozen=True, slots=True)
class StandardSection:
    """``level`` 1 chapter, 2 section, 3 subsection."""

    code: str
    level: int
    heading: Text


SECTIONS: tuple[StandardSection, ...] = (
    StandardSection("foreword", 1, Text("前言", "Foreword")),
    StandardSection("chapter1", 1, Text("重点指标", "Chief indicators")),
    StandardSection("chapter1.1", 2, Text("数据资源供给主要指标", "Supply of data resources")),
    StandardSection("chapter1.2", 2, Text("数据要素流通主要指标", "Circulation of data")),
    StandardSection("chapter1.3", 2, Text("数据资源开发利用主要指标", "Development and use of data")),
    StandardSection("chapter2", 1, Text("调查分析", "Findings")),
    StandardSection("chapter2.1", 2, Text("数据资源供给规模持续扩大", "The supply of data keeps growing")),
    StandardSection("chapter2.1.1", 3, Text("数据生产规模保持高速增长", "Production keeps growing fast")),
    StandardSection("chapter2.1.2", 3, Text("存储数据可用性提高", "Stored data are easier to use")),
    StandardSection("chapter2.1.3", 3, Text("智能算力持续保持高速扩张", "Intelligent computing keeps growing")),
    StandardSection("chapter2.2", 2, Text("数据流通交易效果初显", "Circulation and trade show first results")),
    StandardSection("chapter2.2.1", 3, Text("数据流通活跃度不断提高", "Data circulate more actively")),
    StandardSection("chapter2.2.2", 3, Text("数据付费意愿不断提升", "More enterprises pay for data")),
    StandardSection("chapter2.3", 2, Text("数据资源开发利用更加高效", "Data are developed and used more efficiently")),
    StandardSection("chapter2.3.1", 3, Text("数据赋能人工智能创新发展", "Data drive artificial intelligence")),
    StandardSection("chapter2.3.2", 3, Text("公共数据资源开发利用不断深化", "Public data are used more deeply")),
    StandardSection("chapter2.3.3", 3, Text("企业用数活力加速释放", "Enterprises use data with more vigour")),
    StandardSection("chapter2.4", 2, Text("数据加快赋能千行百业", "Data across industries")),
    StandardSection("chapter2.4.1", 3, Text("农业数据助力智慧农业建设", "Agriculture")),
    StandardSection("chapter2.4.2", 3, Text("工业供数用数动力逐渐提升", "Industry")),
    StandardSection("chapter2.4.3", 3, Text("服务业数据流通利用成效显著", "Services")),
    StandardSection("chapter2.4.4", 3, Text("科学数据引领创新应用与转化", "Science data")),
    StandardSection("chapter3", 1, Text("发展趋势", "Outlook")),
    StandardSection("chapter3.1", 2, Text("人工智能将变革数据生产利用方式", "AI changes how data are made and used")),
    StandardSection("chapter3.2", 2, Text("词元成为数据价值释放的新路径", "Tokens as a new way to value")),
    StandardSection("chapter3.3", 2, Text("数据资源流通效率加快提升", "Data circulate more efficiently")),
    StandardSection("chapter3.4", 2, Text("数据产业专业化分工体系不断深化", "Division of labour in the data industry")),
    StandardSection("appendix", 1, Text("调查方法", "Survey methods")),
    StandardSection("appendix.sources", 2, Text("数据来源", "Sources")),
    StandardSection("appendix.distribution", 2, Text("样本分布", "Distribution of the sample")),
    StandardSection("appendix.methods", 2, Text("统计方法", "Statistical methods")),
    StandardSection("annex.tables", 1, Text("更多表格", "Further tables")),
    StandardSection("annex.quality", 1, Text("数据质量说明", "Quality of the results")),
)  # fmt: skip

# Other names that passages may use for a section.
ALIASES = {
    "chapter1.supply": "chapter1.1",
    "chapter1.circulation": "chapter1.2",
    "chapter1.use": "chapter1.3",
    "appendix.sample": "appendix.distribution",
    "annex": "annex.quality",
    "quality": "annex.quality",
}

TABLE_SECTIONS = {
    "C1.supply": "chapter1.1",
    "C1.circulation": "chapter1.2",
    "C1.use": "chapter1.3",
    "T1": "chapter2.3.3",
    "T3": "appendix.sources",
    "T4": "appendix.distribution",
}
# Wide tables are at the end of the section that refers to them.
CLOSING_TABLES = {"T2": "chapter2.4"}

FIGURE_SECTIONS = {
    "FIG1": "chapter2.1.1", "FIG2": "chapter2.1.2", "storage": "chapter2.1.2", "flows": "chapter2.2.1",
    "FIG3": "chapter2.3.1", "sections": "chapter2.4", "growth_size": "chapter2.4",
    "regions": "appendix.distribution", "quality": "annex.quality",
}  # fmt: skip

_CHINESE = "一二三四五六七八九十"
_NUMERALS = re.compile(
    r"^\s*(?:第[一二三四五六七八九十]+章|[（(][一二三四五六七八九十]+[)）]|[一二三四五六七八九十]+、|\d+(?:\.\d+)+|附录[:：]?)\s*"
)


def numeral(level: int, number: int, chapter: str, parent: str, language: str) -> str:
    """The printed number of a heading: 第一章, 一、, （一） or Chapter 1, 1.1, 1.1.1."""
    if language == "en":
        return f"Chapter {number}" if level == 1 else f"{parent or chapter}.{number}"
    numeral = _CHINESE[number - 1] if number <= len(_CHINESE) else str(number)
    return {1: f"第{numeral}章", 2: f"{numeral}、"}.get(level, f"（{numeral}）")


def unnumbered(heading: str) -> str:
    """A heading without a typed numeral."""
    return _NUMERALS.sub("", heading).strip()
