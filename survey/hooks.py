"""Functions that a lower package calls and an upper one implements; ``survey.registration`` connects them."""

from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured


class Hook[**P, R]:
    """A function of an upper package. Calling it before it is registered raises ImproperlyConfigured."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._function: Callable[P, R] | None = None

    def register(self, function: Callable[P, R]) -> None:
        """Set the implementation."""
        self._function = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._function is None:
            raise ImproperlyConfigured(f"no package has registered an implementation of {self.name}")
        return self._function(*args, **kwargs)
