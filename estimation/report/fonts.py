"""Fonts of documents and figures, out of packages. Pure.

``manimgx-fonts-cjk`` brings Noto Sans CJK in all weights, ``pylopdf-fonts-zh-cn`` Noto Sans SC and Noto Serif SC.
The typesetter takes all three; the chart renderer cannot use variable fonts and takes the static pair only.
Fonts of the machine are never looked at, so that the same content gives the same bytes on every machine.
"""

from pathlib import Path

import manimgx_fonts_cjk
import pylopdf_fonts_zh_cn

SANS = "Noto Sans CJK SC"
SERIF = "Noto Serif SC"
STATIC = Path(pylopdf_fonts_zh_cn.__file__).parent
VARIABLE = Path(manimgx_fonts_cjk.__file__).parent


def directories() -> list[Path]:
    """Folders with the fonts of the document."""
    return [STATIC, VARIABLE]
