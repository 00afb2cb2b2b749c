"""Fonts of documents and figures, out of packages. Pure.

``pylopdf-fonts-zh-cn`` brings Noto Sans SC and Noto Serif SC; ``survey.fonts`` has the others. The typesetter takes all
of them; the chart renderer cannot use variable fonts and takes the static pair only.
Fonts of the machine are never looked at, so that the same content gives the same bytes on every machine.
"""

from pathlib import Path

import pylopdf_fonts_zh_cn

from survey.fonts import SANS

__all__ = ["SANS", "SERIF", "STATIC"]

SERIF = "Noto Serif SC"
STATIC = Path(pylopdf_fonts_zh_cn.__file__).parent
