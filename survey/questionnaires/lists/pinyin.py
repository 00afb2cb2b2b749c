"""Pinyin of Chinese names in words: syllables joined by hyphens, words apart ("kuan-cheng man-zu zi-zhi-xian"). Pure.

Syllables come from a table of readings; only the division into words is made here.
"""

from collections.abc import Sequence

# What kind of division a name says at its end; longer ones come first.
GENERICS = (
    "自治区", "自治州", "自治县", "自治旗", "矿区", "林区", "特区", "地区", "新区", "前旗", "后旗", "中旗", "左旗", "右旗",
    "盟", "旗", "县", "市", "区", "省",
)  # fmt: skip
# Peoples in the names of autonomous divisions.
PEOPLES = (
    "蒙古", "回", "藏", "维吾尔", "苗", "彝", "壮", "布依", "朝鲜", "满", "侗", "瑶", "白", "土家", "哈尼", "哈萨克",
    "傣", "黎", "傈僳", "佤", "畲", "拉祜", "水", "东乡", "纳西", "景颇", "柯尔克孜", "土", "达斡尔", "仫佬", "羌",
    "布朗", "撒拉", "毛南", "仡佬", "锡伯", "普米", "塔吉克", "怒", "鄂温克", "德昂", "保安", "裕固", "独龙",
    "鄂伦春", "各",
)  # fmt: skip
# Autonomous divisions that leave out 族 after the people.
WITHOUT_ZU = ("蒙古", "哈萨克", "柯尔克孜", "塔吉克", "锡伯", "维吾尔")


def generic_of(name: str) -> str:
    """What kind of division a name says at its end (市, 区, 自治县); empty for none."""
    return next((end for end in GENERICS if name.endswith(end) and len(name) > len(end)), "")


def stem_of(name: str) -> str:
    """The name without its kind and without the peoples: 南京市 -> 南京, 宽城满族自治县 -> 宽城."""
    generic = generic_of(name)
    stem = name[: len(name) - len(generic)]
    return stem[: len(stem) - len("".join(_peoples(stem)))] if generic.startswith("自治") else stem


def in_words(name: str, syllables: Sequence[str]) -> str:
    """The pinyin of the name of a division in words. `syllables` are one for each character."""
    generic = generic_of(name)
    stem = name[: len(name) - len(generic)]
    peoples = _peoples(stem) if generic.startswith("自治") else []
    lengths = [len(stem) - len("".join(peoples)), *map(len, peoples), len(generic)]
    words, position = [], 0
    for length in lengths:
        if length:
            words.append("-".join(syllables[position : position + length]))
            position += length
    return " ".join(words)


def _peoples(stem: str) -> list[str]:
    """The peoples at the end of a name, in order; at least one character is left for the name itself."""
    peoples: list[str] = []
    while True:
        ends = [f"{people}族" for people in PEOPLES] + (list(WITHOUT_ZU) if not peoples else [])
        end = max((e for e in ends if stem.endswith(e) and len(stem) > len(e)), key=len, default="")
        if not end:
            return peoples
        peoples.insert(0, end)
        stem = stem[: -len(end)]
