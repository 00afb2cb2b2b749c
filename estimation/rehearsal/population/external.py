"""External series: numbers from outside the survey, with source; synthetic parts are labelled."""

from dataclasses import dataclass

from estimation.rehearsal.population.targets import (
    CROSS_PROVINCE_EB,
    FLOW_ADJUSTMENT_EB,
    LEVELS,
    TB_PER_EB,
    TB_PER_ZB,
)

_REPORT = "《全国数据资源调查报告（2025年）》"
_CHOSEN = "rehearsal: published level less the parts that sheets cover (synthetic split)"
_CHOSEN_HUBS = "rehearsal: a value above the published 80 % (synthetic)"


@dataclass(frozen=True, slots=True)
class ExternalValue:
    """One value of an external series."""

    code: str
    year: int
    value: float
    unit: str
    label_zh: str
    label_en: str
    source: str
    synthetic: bool


def external_values() -> list[ExternalValue]:
    """All series of the rehearsal, 2024 and 2025."""
    bureau = "国家统计局"
    rows = [
        ExternalValue(
            "EXT-POP", 2024, 140828, "万人", "年末全国人口", "Population at year end", bureau, False
        ),
        ExternalValue(
            "EXT-POP", 2025, 140489, "万人", "年末全国人口", "Population at year end", bureau, False
        ),
        ExternalValue(
            "EXT-WORLD",
            2025,
            190.45,
            "ZB",
            "全球数据生产总量",
            "World data production",
            f"{_REPORT}，由占比27.44%反推",
            False,
        ),
        ExternalValue(
            "EXT-HUB",
            2024,
            5400,
            "亿次",
            "政务数据共享枢纽累计调用次数",
            "Calls of the sharing hub",
            f"{_REPORT}，超5400",
            False,
        ),
        ExternalValue(
            "EXT-HUB",
            2025,
            5500,
            "亿次",
            "政务数据共享枢纽累计调用次数",
            "Calls of the sharing hub",
            f"{_REPORT}，超5500",
            False,
        ),
        ExternalValue(
            "EXT-TOKEN",
            2024,
            0.1,
            "万亿个/日",
            "日均词元调用量（年初）",
            "Tokens per day, start of year",
            "国家数据局新闻发布会",
            False,
        ),
        ExternalValue(
            "EXT-TOKEN",
            2025,
            100,
            "万亿个/日",
            "日均词元调用量（年末）",
            "Tokens per day, end of year",
            f"{_REPORT} 图3说明",
            False,
        ),
        ExternalValue(
            "EXT-TOKEN-START",
            2025,
            1,
            "万亿个/日",
            "日均词元调用量（年初）",
            "Tokens per day, start of year",
            f"{_REPORT} 图3说明，超1",
            False,
        ),
        ExternalValue(
            "EXT-TOKEN-MID",
            2025,
            30,
            "万亿个/日",
            "日均词元调用量（年中）",
            "Tokens per day, mid-year",
            "国家数据局新闻发布会，超30",
            False,
        ),
        ExternalValue(
            "EXT-P01-TOTAL",
            2022,
            26.83,
            "ZB",
            "全国年度数据生产总量",
            "National data production",
            "《全国数据资源调查报告（2023年）》，由32.85与增速22.44%推算",
            False,
        ),
        ExternalValue(
            "EXT-P01-TOTAL",
            2023,
            32.85,
            "ZB",
            "全国年度数据生产总量",
            "National data production",
            "《全国数据资源调查报告（2023年）》",
            False,
        ),
        ExternalValue(
            "EXT-P01-GROWTH",
            2024,
            25,
            "%",
            "全国年度数据生产总量增速",
            "Growth of national data production",
            "《全国数据资源调查报告（2024年）》",
            False,
        ),
        ExternalValue(
            "EXT-S02-TOTAL",
            2023,
            1.73,
            "ZB",
            "全国数据存储总量",
            "Data stored",
            "《全国数据资源调查报告（2023年）》",
            False,
        ),
        ExternalValue(
            "EXT-COMP-HUBS",
            2025,
            1280000,
            "PFLOPS(FP16)",
            "八大国家算力枢纽智能算力规模",
            "Intelligent computing in the eight hubs",
            _CHOSEN_HUBS,
            True,
        ),
    ]
    for index, year in enumerate((2024, 2025)):
        rows += [
            ExternalValue(
                "EXT-NET-PROVINCE",
                year,
                CROSS_PROVINCE_EB[index],
                "EB",
                "跨省网络流量",
                "Inter-province traffic",
                _REPORT,
                False,
            ),
            ExternalValue(
                "EXT-P01-OUTSIDE",
                year,
                LEVELS["P01"].external[index] * TB_PER_ZB,
                "TB",
                "个人与家庭数据生产量",
                "Data produced by individuals and households",
                _CHOSEN,
                True,
            ),
            ExternalValue(
                "EXT-P02-OUTSIDE",
                year,
                LEVELS["P02"].external[index] * TB_PER_ZB,
                "TB",
                "个人与家庭物联网感知数据",
                "IoT data of individuals and households",
                _CHOSEN,
                True,
            ),
            ExternalValue(
                "EXT-F06-OUTSIDE",
                year,
                LEVELS["F06"].external[index] * TB_PER_EB,
                "TB",
                "调查以外主体跨境流通量",
                "Cross-border flow outside the survey",
                _CHOSEN,
                True,
            ),
            ExternalValue(
                "EXT-FLOW-ADJUST",
                year,
                FLOW_ADJUSTMENT_EB[index] * TB_PER_EB,
                "TB",
                "企业流通总量与分行业合计之差",
                "Enterprise flow less the sum of sections",
                f"{_REPORT}：1935.36 − 1930.73",
                False,
            ),
        ]
    return rows
