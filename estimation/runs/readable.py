"""Readable units of amounts, such as petabytes instead of terabytes with ten digits. Pure."""

# Units of one dimension from small to large, of those that pages print, with their size. Data units are binary.
_DIMENSIONS: tuple[tuple[tuple[str, float], ...], ...] = (
    (("TB", 1.0), ("PB", 1024.0), ("EB", 1024.0**2), ("ZB", 1024.0**3)),
    (("万元", 1.0), ("亿元", 1e4)),
)
_ENOUGH = 10.0  # minimum of the largest displayed number


def readable_unit(unit: str, largest: float) -> tuple[str, float]:
    """The largest unit of the same dimension in which the largest number is 10 or more, and the factor to it.

    unit : unit of the stored number; largest : the largest number, in that unit. An unknown unit is returned unchanged.
    """
    for dimension in _DIMENSIONS:
        sizes = dict(dimension)
        if unit in sizes:
            fitting = [
                (name, sizes[unit] / size)
                for name, size in dimension
                if size > sizes[unit] and abs(largest) * sizes[unit] / size >= _ENOUGH
            ]
            return fitting[-1] if fitting else (unit, 1.0)
    return unit, 1.0
