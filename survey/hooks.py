"""Functions that a lower package calls and an upper one provides; ``survey.registration`` joins them."""

from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured


class Hook[**P, R]:
    """A question of a lower package. Until a function is registered, asking raises ImproperlyConfigured."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._function: Callable[P, R] | None = None

    def register(self, function: Callable[P, R]) -> None:
        """Say which function answers."""
        self._function = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._function is None:
            raise ImproperlyConfigured(f"no package has registered an answer to {self.name}")
        return self._function(*args, **kwargs)
