"""The style of all figures: one accent, one counter-colour that colour-blind readers can distinguish, no frame. Pure."""

from typing import Any

FONT = "Noto Sans SC"
INK, SOFT, LINE, PALE = "#1b2733", "#4f5f6f", "#d9dfe6", "#e9edf1"
ACCENT, SECOND, THIRD = "#12467f", "#d97706", "#6b8cae"
# Dark to light in one hue: reads as more to less also in print without colour.
SEQUENCE = ["#e3ecf5", "#b9cfe4", "#86abd0", "#4f82b6", "#12467f"]
WIDTH = 640

CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "white",
    "padding": {"left": 4, "right": 16, "top": 8, "bottom": 4},
    "view": {"stroke": None},
    "axis": {
        "labelFont": FONT, "titleFont": FONT, "labelFontSize": 12, "titleFontSize": 12, "labelColor": SOFT,
        "titleColor": SOFT, "titleFontWeight": "normal", "gridColor": PALE, "domainColor": LINE,
        "tickColor": LINE, "labelPadding": 6, "titlePadding": 10, "labelLimit": 260,
    },
    "legend": {
        "labelFont": FONT, "titleFont": FONT, "labelFontSize": 12, "labelColor": INK, "orient": "top",
        "title": None, "symbolType": "square", "symbolSize": 110, "offset": 6,
    },
    "text": {"font": FONT, "fontSize": 12, "color": INK},
    "bar": {"color": ACCENT},
}  # fmt: skip
