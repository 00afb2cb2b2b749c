"""Units of measurement with their dimension, so that a formula that adds terabytes to yuan is refused. Pure."""

from dataclasses import dataclass

from survey.questionnaires.answering.units import unit_label

# Size of every unit in the base unit of its dimension. Data units are binary: 1 ZB = 1024 EB.
_UNITS: dict[str, tuple[str, float]] = {
    "GB": ("data", 1 / 1024), "TB": ("data", 1.0), "PB": ("data", 1024.0), "EB": ("data", 1024.0**2),
    "ZB": ("data", 1024.0**3),
    "人": ("person", 1.0), "万人": ("person", 1e4), "万户": ("household", 1e4),
    "万元": ("money", 1.0), "亿元": ("money", 1e4),
    "个": ("count", 1.0), "家": ("count", 1.0), "项": ("count", 1.0), "万个": ("count", 1e4),
    "标准机架": ("rack", 1.0), "万次": ("call", 1e4), "亿次": ("call", 1e8), "万亿个": ("token", 1.0),
    "日": ("day", 1.0), "亿个": ("token", 1e-4), "PFLOPS": ("flops", 1.0), "PFLOPS(FP16)": ("flops", 1.0),
    "%": ("", 0.01), "百分点": ("", 0.01), "倍": ("", 1.0), "": ("", 1.0), "—": ("", 1.0),
}  # fmt: skip
# English names of units that no questionnaire uses.
_ENGLISH = {
    "万人": "ten thousand people",
    "百分点": "percentage points",
    "倍": "times",
    "万亿个/日": "trillion per day",
}


@dataclass(frozen=True, slots=True)
class Unit:
    """A product of dimensions and its size in their base units. ``dims`` : sorted pairs (dimension, power)."""

    dims: tuple[tuple[str, int], ...] = ()
    factor: float = 1.0

    def times(self, other: "Unit", sign: int = 1) -> "Unit":
        """The product, or with ``sign`` -1 the quotient."""
        powers = dict(self.dims)
        for name, power in other.dims:
            powers[name] = powers.get(name, 0) + sign * power
        dims = tuple(sorted((name, power) for name, power in powers.items() if power))
        return Unit(dims, self.factor * other.factor**sign)

    def fits(self, other: "Unit") -> bool:
        """Whether values in the two units can be added."""
        return self.dims == other.dims

    def __str__(self) -> str:
        return "·".join(f"{name}^{power}" if power != 1 else name for name, power in self.dims) or "1"


PURE = Unit()


def unit_of(text: str) -> Unit:
    """The unit written as ``TB``, ``TB/人`` or ``%``. Raises ValueError for an unknown one."""
    head, *rest = text.split("/")
    result = _single(head)
    for name in rest:
        result = result.times(_single(name), -1)
    return result


def _single(name: str) -> Unit:
    if name not in _UNITS:
        raise ValueError(f"unknown unit: {name}")
    dimension, factor = _UNITS[name]
    return Unit(((dimension, 1),) if dimension else (), factor)


def english(text: str) -> str:
    """The unit as English pages print it."""
    return _ENGLISH.get(text) or unit_label(text, "en")
