"""Positions of the tiles of the 32 regions in the tile map. Pure."""

from dataclasses import dataclass

from estimation.releases.content.content import Text


@dataclass(frozen=True, slots=True)
class Tile:
    """Column and row from the upper left, and a name that fits into a tile."""

    column: int
    row: int
    name: Text


def _tile(column: int, row: int, zh: str, en: str) -> Tile:
    return Tile(column, row, Text(zh, en))


TILES: dict[str, Tile] = {
    "230000": _tile(8, 0, "黑龙江", "Heilongjiang"), "220000": _tile(8, 1, "吉林", "Jilin"),
    "650000": _tile(1, 2, "新疆", "Xinjiang"), "660000": _tile(0, 2, "新疆兵团", "XPCC"),
    "150000": _tile(5, 1, "内蒙古", "Inner Mong."), "210000": _tile(8, 2, "辽宁", "Liaoning"),
    "620000": _tile(3, 2, "甘肃", "Gansu"), "640000": _tile(4, 2, "宁夏", "Ningxia"),
    "140000": _tile(5, 2, "山西", "Shanxi"), "130000": _tile(6, 2, "河北", "Hebei"),
    "110000": _tile(6, 1, "北京", "Beijing"), "120000": _tile(7, 2, "天津", "Tianjin"),
    "540000": _tile(1, 4, "西藏", "Xizang"), "630000": _tile(2, 3, "青海", "Qinghai"),
    "510000": _tile(3, 4, "四川", "Sichuan"), "610000": _tile(4, 3, "陕西", "Shaanxi"),
    "410000": _tile(5, 3, "河南", "Henan"), "370000": _tile(6, 3, "山东", "Shandong"),
    "500000": _tile(4, 4, "重庆", "Chongqing"), "420000": _tile(5, 4, "湖北", "Hubei"),
    "340000": _tile(6, 4, "安徽", "Anhui"), "320000": _tile(7, 3, "江苏", "Jiangsu"),
    "310000": _tile(8, 4, "上海", "Shanghai"), "330000": _tile(7, 4, "浙江", "Zhejiang"),
    "530000": _tile(3, 5, "云南", "Yunnan"), "520000": _tile(4, 5, "贵州", "Guizhou"),
    "430000": _tile(5, 5, "湖南", "Hunan"), "360000": _tile(6, 5, "江西", "Jiangxi"),
    "350000": _tile(7, 5, "福建", "Fujian"), "450000": _tile(4, 6, "广西", "Guangxi"),
    "440000": _tile(5, 6, "广东", "Guangdong"), "460000": _tile(5, 7, "海南", "Hainan"),
}  # fmt: skip
