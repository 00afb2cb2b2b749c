"""Identities of synthetic units: credit codes with right check digits, names that say they are a rehearsal."""

import numpy as np

from estimation.methods.arrays import Ints
from estimation.rehearsal.population.regions import PLANNED_CITIES, REGIONS
from estimation.rehearsal.population.units import Units
from survey.questionnaires.credit_code import ALPHABET, check_character, organisation_check_character

PREFIX = "演练"  # the first word of every synthetic name
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾"
_GIVEN_NAMES = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红建文云海波"
_WORDS_A = "云华中智恒鑫盛瑞博远泰信诚嘉凯联卓宏景安科明浩宇天海新正晟航"
_WORDS_B = "泽达腾创源益汇捷锐通润和丰裕合利德康越翔图维成立业谷桥舟川野"
_TRADES = {
    "A": "农业科技", "B": "矿业", "C": "制造", "D": "能源", "E": "建设工程", "F": "商贸", "G": "物流", "H": "酒店管理",
    "I": "信息技术", "J": "金融服务", "K": "置业", "L": "商务服务", "M": "科技研究", "N": "环境工程", "O": "生活服务",
    "P": "教育科技", "Q": "医疗健康", "R": "文化传媒",
}  # fmt: skip
_KINDS = {
    6: "电信集团有限公司",
    7: "集团有限公司",
    9: "数据交易中心有限公司",
    10: "数据集团有限公司",
    11: "可信数据空间运营有限公司",
}
_FIELDS = ("教育", "人民医院", "气象", "交通", "供水", "文化")
INSTITUTION_TYPES = {1: "30", 2: "30", 3: "20", 4: "20", 5: "20", 14: "40"}
_PREFIXES = {"10": "91", "20": "12", "30": "11", "40": "51"}
_MASK, _STEP = 31**6, 412_345_677  # a step without common factor spreads consecutive numbers over all codes


def credit_code(number: int, institution_type: str, division: str) -> str:
    """A valid code of a body that cannot exist: the organisation code begins with XX."""
    rest, digits = number * _STEP % _MASK, ""
    for _ in range(6):
        rest, digit = divmod(rest, 31)
        digits += ALPHABET[digit]
    organisation = "XX" + digits
    first = (
        f"{_PREFIXES[institution_type]}{division}{organisation}{organisation_check_character(organisation)}"
    )
    return first + check_character(first)


def institution_type(category: int) -> str:
    """Two-digit code of the kind of institution that a category consists of."""
    return INSTITUTION_TYPES.get(category, "10")


def division_of(units: Units, index: int) -> str:
    """Division code of a unit: its province, or the planned city whose bureau it is."""
    city = int(units.city[index])
    return PLANNED_CITIES[city][0] if city >= 0 else REGIONS[int(units.region[index])].code


def unit_names(units: Units, chosen: Ints, rng: np.random.Generator) -> list[str]:
    """Names of the chosen units, each beginning with the mark of the rehearsal."""
    words = rng.integers(0, (len(_WORDS_A), len(_WORDS_B), len(_WORDS_A)), size=(len(chosen), 3)).tolist()
    names = []
    serials: dict[int, int] = {}
    for index, (a, b, c) in zip(chosen.tolist(), words, strict=True):
        category, region_name = int(units.category[index]), REGIONS[int(units.region[index])].zh
        serial = serials[category] = serials.get(category, 0) + 1
        word = _WORDS_A[a] + _WORDS_B[b] + (_WORDS_A[c] if category >= 12 else "")
        names.append(f"{PREFIX}·{_body(category, region_name, word, serial, units, index)}")
    return names


def _body(category: int, region_name: str, word: str, serial: int, units: Units, index: int) -> str:
    if category == 1:
        return f"国家行业主管部门第{serial:02d}号"
    if category == 2:
        city = int(units.city[index])
        return f"{PLANNED_CITIES[city][1] if city >= 0 else region_name}数据管理局"
    if category == 3:
        return f"{region_name}{word}{_FIELDS[serial % len(_FIELDS)]}中心"
    if category == 4:
        return f"{region_name}{word}研究所"
    if category == 5:
        return f"国家{word}科学数据中心"
    if category == 14:
        return f"中国{word}行业协会"
    if category in _KINDS:
        return f"{'' if category in (6, 7) else region_name}{word}{_KINDS[category]}"
    section = int(units.section[index])
    trade = _TRADES["ABCDEFGHIJKLMNOPQR"[section]] if section < 18 else ""
    if category == 8:
        return f"{region_name}{word}平台{trade}有限公司"
    return f"{region_name}{word}{'数据' if category == 12 else ''}{trade}有限公司"


def person_names(count: int, rng: np.random.Generator) -> list[str]:
    """Invented names of people."""
    picks = rng.integers(
        0, (len(_SURNAMES), len(_GIVEN_NAMES), len(_GIVEN_NAMES) + 12), size=(count, 3)
    ).tolist()
    return [
        _SURNAMES[a] + _GIVEN_NAMES[b] + (_GIVEN_NAMES[c] if c < len(_GIVEN_NAMES) else "")
        for a, b, c in picks
    ]
