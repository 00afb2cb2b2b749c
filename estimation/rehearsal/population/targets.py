"""The published levels that the population is made to have, and the splits chosen where none is published.

Quantities are in the printed unit. Where printed numbers contradict each other the choice made is written in
`CONFLICTS`, which the truth page shows.
"""

from dataclasses import dataclass

TB_PER_PB = 1024.0
TB_PER_EB = 1024.0**2
TB_PER_ZB = 1024.0**3

# Table 2, sections A to R.
T2_PRODUCTION_ZB = (
    1.49, 0.76, 7.19, 0.58, 0.67, 1.50, 2.64, 0.06, 7.47, 2.89, 0.88, 1.55, 1.96, 1.19, 0.45, 0.31, 1.58, 0.37,
)  # fmt: skip
T2_FLOW_EB = (
    32.08, 18.38, 495.52, 26.68, 40.96, 93.71, 396.72, 3.30, 513.23, 37.88, 41.28, 7.33, 146.42, 7.44, 5.59,
    1.93, 60.36, 1.92,
)  # fmt: skip
T2_FLOW_GROWTH = (
    16.01, 21.98, 34.07, 23.86, 21.63, 18.36, 36.25, 16.49, 36.97, 29.22, 14.95, 25.56, 33.15, 11.98, 14.92,
    18.89, 19.19, 16.58,
)  # fmt: skip
T2_PUBLIC_SHARE = (
    16.03, 15.73, 14.01, 18.04, 15.15, 17.62, 22.55, 10.96, 13.86, 27.82, 9.79, 12.68, 13.51, 13.13, 13.42,
    25.59, 28.80, 10.84,
)  # fmt: skip
T2_DEVELOPMENT = (
    11.52, 27.71, 32.21, 22.70, 10.40, 16.35, 31.00, 12.39, 34.36, 32.61, 10.66, 6.31, 32.88, 10.19, 17.52,
    15.44, 11.90, 11.09,
)  # fmt: skip
T2_AI_SHARE = (
    1.57, 1.67, 9.10, 4.58, 1.53, 3.51, 13.73, 0.18, 14.13, 12.16, 1.22, 1.02, 13.43, 6.07, 4.86, 1.06, 1.38, 3.93,
)  # fmt: skip
T2_AI_GROWTH = (
    14.51, 17.54, 47.55, 48.16, 34.33, 32.21, 49.12, 13.63, 62.95, 46.41, 12.11, 29.59, 50.32, 29.81, 25.43,
    34.13, 30.23, 33.12,
)  # fmt: skip
T2_BUYERS = (
    3.21, 3.94, 10.95, 13.25, 8.18, 5.44, 13.37, 2.15, 30.23, 30.45, 1.36, 4.35, 13.02, 7.87, 2.08, 11.11, 2.78, 6.27,
)  # fmt: skip

# Table 1: head platforms, central enterprises, data enterprises, all enterprises.
T1_DEVELOPMENT = (53.51, 20.36, 34.36, 28.46)
T1_BUYERS = (88.89, 84.95, 30.23, 11.65)
T1_SPENDING_GROWTH = (25.79, 24.49, 22.11, 17.37)
T1_VALUE = (25.00, 26.17, 18.25, 11.14)
BUYERS_2024 = 10.58
VALUE_2024 = 9.72  # not published; chosen


@dataclass(frozen=True, slots=True)
class Split:
    """A published national level as enterprise + public (both from sheets) + outside the survey."""

    published: tuple[float | None, float | None]
    enterprise: tuple[float, float]
    public: tuple[float, float]
    external: tuple[float, float]


# (2024, 2025). The sum of the parts is the published level; the parts are chosen.
LEVELS: dict[str, Split] = {
    "P01": Split((41.06, 52.26), (23.94, 33.54), (3.30, 3.80), (13.82, 14.92)),
    "P02": Split((21.17, 25.34), (11.05, 14.60), (2.20, 2.45), (7.92, 8.29)),
    "S01": Split((3.42, 3.94), (2.78, 3.23), (0.64, 0.71), (0, 0)),
    "S02": Split((2.09, 2.53), (1.70, 2.08), (0.39, 0.45), (0, 0)),
    "S03": Split((0.64, 0.98), (0.54, 0.83), (0.10, 0.15), (0, 0)),
    "S05": Split((0.39, 0.56), (0.31, 0.44), (0.08, 0.12), (0, 0)),
    "S06": Split((1.30, 1.67), (1.06, 1.38), (0.24, 0.29), (0, 0)),
    "F06": Split((123.90, 142.34), (75.77, 88.06), (6.20, 7.40), (41.93, 46.88)),
    "A02": Split((139.63, 199.48), (129.43, 186.18), (8.80, 11.30), (0, 0)),  # the rest is MG15
    "A04": Split((None, 101.34), (54.20, 96.00), (3.60, 5.34), (0, 0)),
    "A06": Split((7.10, 11.44), (5.80, 9.30), (1.30, 2.14), (0, 0)),
    "A07": Split((374.43, 908.30), (290.00, 690.00), (84.43, 218.30), (0, 0)),
}
MG15_EB = (1.40, 2.00)
FLOW_2024_EB = 1546.24
FLOW_2025_EB = 1935.36
FLOW_ADJUSTMENT_EB = (0.0, 4.63)  # CIR-05 minus the sum of Table 2
CROSS_PROVINCE_EB = (2478.08, 2949.12)
PUBLIC_FLOW_EB = (352.00, 440.32)  # 2024 is not published; chosen
PUBLIC_FLOW_GOVERNMENT_EB = (262.00, 325.00)  # part of the ministries and bureaus; chosen
OPEN_DATA_PB = (28.73, 37.84)
AUTHORISED_PB = (4.93, 7.59)
INTELLIGENT_PFLOPS = (958_000.0, 1_590_000.0)  # 2024 is not published; chosen
TOKENS_TRILLION = (2_900.0, 21_100.0)  # 2024 is not published; chosen
EXTERNAL_TRAINING_HEADS = (54.25, 74.36)
ACTIVE_SHARE = {"G": 76.19, "J": 68.92}
CENTRAL_ACTIVE_PB = (56.2 / 1.4198, 56.2)
EQUIPMENT_SHARE = (30.2, 31.6)
HEAD_MULTIPLES = {"F01": 147.0, "T02": 60.4, "T03": 115.0}
# Growth of the fixed panel where only a rate is published, percent.
PANEL_GROWTH = {"T02": 22.36, "V01": 17.37, "V08": 34.63, "T06": 29.29, "T07": 39.80}
SPENDING_GROWTH_AGRICULTURE = 26.0
# Production of new fields, EB in 2024 and 2025, so that the growth rates are the printed ones.
NEW_FIELDS_EB = {
    "P06": (310.0, 310.0 * 1.51),
    "P07": (204.0, 204.0 * 1.75),
    "P08": (9.0, 52.0),
    "P09": (820.0, 1_180.0),
}
# Growth 2024 to 2025 of the sections whose increase in ZB is printed; the rest shares what remains.
SECTION_INCREASE_ZB = {"C": 1.27, "G": 1.22, "I": 0.92}

CONFLICTS: tuple[tuple[str, str], ...] = (
    (
        "CIR-05",
        "Table 2 sums to 1930.73 EB, CIR-05 prints 1935.36: sections hold, 4.63 EB is an external adjustment",
    ),
    (
        "T2-F growth",
        "panel growth per section holds (32.07 % in all); the level growth 25.17 % holds because units "
        "that left carried more volume than units that came",
    ),
    (
        "T2-AI growth",
        "read as panel growth of the data volume, like the text on agriculture; not of the ratio",
    ),
    (
        "T1-BUY",
        "11.65 % is the share weighted by the frame; the frame's section mix is tilted until it holds",
    ),
    (
        "T1 central",
        "84.95 % and 26.17 % have the bases 93 and 107: 20 and 6 central enterprises answer 'unknown'",
    ),
    ("T1 data enterprises", "categories 8 to 12 and section I both have 34.36 and 30.23"),
    ("TXT-004", "enterprise share of growth is 85.7 % from the levels; 'nine tenths' is rounding up"),
    ("TXT-013/014", "140 and 60 times hold for head platforms alone and together with central enterprises"),
    (
        "USE-04",
        "21100 holds as the yearly sum; the monthly path reaches 100 in December and is far above 30 in June",
    ),
    (
        "SUP-11",
        "no comparable 2024 level is printed; 958 thousand is chosen from the growth of central enterprises",
    ),
    ("CIR-03", "measured by the operators' network (MO02); larger than enterprise and public flows together"),
)
