"""Regions, sections and categories of the survey with the counts that Tables 3 and 4 print.

Everything here is copied from the published report; what the generator decides itself is marked as such.
"""

from dataclasses import dataclass

from survey.classification import SECTIONS


@dataclass(frozen=True, slots=True)
class Region:
    """One provincial region: code, names, macro-region, units of Table 4, share of the enterprise frame."""

    code: str
    zh: str
    en: str
    macro: str  # east, central, west, northeast
    filed: int
    valid: int
    frame_share: float  # percent of all enterprises; the generator's own plausible figure


def _region(code: str, zh: str, en: str, macro: str, filed: int, valid: int, share: float) -> Region:
    return Region(code, zh, en, macro, filed, valid, share)


REGIONS: tuple[Region, ...] = (
    _region("110000", "北京", "Beijing", "east", 2035, 1956, 4.4),
    _region("120000", "天津", "Tianjin", "east", 526, 336, 1.6),
    _region("130000", "河北", "Hebei", "east", 4078, 3623, 5.4),
    _region("140000", "山西", "Shanxi", "central", 420, 372, 1.9),
    _region("150000", "内蒙古", "Inner Mongolia", "west", 705, 624, 1.4),
    _region("210000", "辽宁", "Liaoning", "northeast", 1047, 825, 2.7),
    _region("220000", "吉林", "Jilin", "northeast", 256, 197, 1.2),
    _region("230000", "黑龙江", "Heilongjiang", "northeast", 975, 864, 1.5),
    _region("310000", "上海", "Shanghai", "east", 521, 495, 4.6),
    _region("320000", "江苏", "Jiangsu", "east", 5265, 4723, 10.2),
    _region("330000", "浙江", "Zhejiang", "east", 4295, 3853, 9.2),
    _region("340000", "安徽", "Anhui", "central", 2012, 1841, 4.1),
    _region("350000", "福建", "Fujian", "east", 2215, 1933, 4.4),
    _region("360000", "江西", "Jiangxi", "central", 2263, 2093, 3.0),
    _region("370000", "山东", "Shandong", "east", 4285, 3887, 8.4),
    _region("410000", "河南", "Henan", "central", 2017, 1786, 5.2),
    _region("420000", "湖北", "Hubei", "central", 3759, 3312, 4.3),
    _region("430000", "湖南", "Hunan", "central", 1351, 1082, 3.4),
    _region("440000", "广东", "Guangdong", "east", 4333, 3937, 13.2),
    _region("450000", "广西", "Guangxi", "west", 285, 261, 1.8),
    _region("460000", "海南", "Hainan", "east", 145, 121, 0.8),
    _region("500000", "重庆", "Chongqing", "west", 555, 476, 2.3),
    _region("510000", "四川", "Sichuan", "west", 2003, 1706, 4.6),
    _region("520000", "贵州", "Guizhou", "west", 381, 302, 1.5),
    _region("530000", "云南", "Yunnan", "west", 425, 385, 1.8),
    _region("540000", "西藏", "Tibet", "west", 10, 7, 0.1),
    _region("610000", "陕西", "Shaanxi", "west", 946, 639, 2.5),
    _region("620000", "甘肃", "Gansu", "west", 753, 457, 1.1),
    _region("630000", "青海", "Qinghai", "west", 154, 88, 0.3),
    _region("640000", "宁夏", "Ningxia", "west", 111, 103, 0.4),
    _region("650000", "新疆", "Xinjiang", "west", 256, 211, 1.0),
    _region("660000", "新疆兵团", "XPCC", "west", 14, 10, 0.1),
)
REGION_INDEX: dict[str, int] = {region.code: index for index, region in enumerate(REGIONS)}
MACRO_CODES: tuple[str, ...] = ("east", "central", "west", "northeast")

# The five cities with separate planning and the province that each is counted in (Table 4).
PLANNED_CITIES: tuple[tuple[str, str, str], ...] = (
    ("210200", "大连", "210000"),
    ("330200", "宁波", "330000"),
    ("350200", "厦门", "350000"),
    ("370200", "青岛", "370000"),
    ("440300", "深圳", "440000"),
)

SECTION_INDEX: dict[str, int] = {letter: index for index, letter in enumerate(SECTIONS)}
NO_SECTION = 18

# Valid units of Table 3; category 13 is the deduced remainder (42,505 minus the rest).
VALID_BY_CATEGORY: tuple[int, ...] = (25, 37, 2722, 1259, 10, 4, 109, 168, 41, 246, 826, 16818, 20184, 56)
VALID_TOTAL = 42_505
FILED_TOTAL = 48_396

# Filed but invalid units by category: not published, chosen here. Small national classes are complete.
INVALID_BY_CATEGORY: tuple[int, ...] = (0, 0, 372, 168, 0, 0, 0, 18, 3, 14, 61, 2310, 2941, 4)
# Drawn but never filed (refused or not reached) by category: chosen here.
UNFILED_BY_CATEGORY: tuple[int, ...] = (0, 0, 150, 70, 0, 0, 0, 12, 0, 4, 21, 1310, 1640, 0)
HEAD_PLATFORMS = 36  # the smallest base for which 88.89 % and 25.00 % are both possible

# Where national bodies have their head office (region code -> weight); plausible, not published.
HEAD_OFFICES: dict[int, dict[str, float]] = {
    1: {"110000": 1},
    5: {"110000": 7, "320000": 1, "440000": 1, "620000": 1},
    6: {"110000": 1},
    7: {
        "110000": 84, "310000": 7, "440000": 5, "420000": 4, "320000": 2, "210000": 2, "230000": 1,
        "220000": 1, "510000": 1, "500000": 1, "120000": 1,
    },
    14: {"110000": 49, "310000": 3, "440000": 2, "320000": 1, "330000": 1},
}  # fmt: skip
PLATFORM_OFFICES: dict[str, float] = {
    "110000": 38, "330000": 24, "440000": 24, "310000": 20, "320000": 16, "370000": 8, "510000": 7, "420000": 6,
    "350000": 6, "340000": 5, "130000": 4, "430000": 3, "500000": 2, "610000": 2, "360000": 2, "410000": 1,
}  # fmt: skip

HUB_REGIONS = (
    "110000",
    "120000",
    "130000",
    "310000",
    "320000",
    "330000",
    "340000",
    "440000",
    "500000",
    "510000",
    "150000",
    "520000",
    "620000",
    "640000",
)  # provinces of the eight national computing hubs
