"""Thresholds of the scores, and the province of a region."""

UNUSUAL = 2.0  # robust standard deviations from which a value is unusual

MOVES = 0.01  # share of a total from which a change by a sheet is reported


def province_code(path: str) -> str:
    """Code of the province in the path of a region; "" for the nation itself."""
    codes = path.strip("/").split("/")
    return codes[1] if len(codes) > 1 else ""
