"""Limits from which a score says something, and the code of a province."""

UNUSUAL = 2.0  # robust standard deviations from which a value is called unusual


MOVES = 0.01  # share of a total from which a sheet is said to move it


def province_code(path: str) -> str:
    """Code of the province in the path of a region; "" for the nation itself."""
    codes = path.strip("/").split("/")
    return codes[1] if len(codes) > 1 else ""
