"""The error of every reader of this package."""

from typing import Any


class NotationError(ValueError):
    """A text that cannot be read without a guess. ``code`` names the fault, ``parameters`` fill its sentence."""

    def __init__(self, code: str, /, **parameters: Any) -> None:
        super().__init__(code)
        self.code, self.parameters = code, parameters
