"""Sentences that are stored as a code with parameters and shown in the active language. Pure.

A worker has no active language of a user, so it must not store translated text. A package defines its stored
sentences in ``messages.py``::

    OUT_OF_MEMORY = define("run_out_of_memory", _("The computation ran out of memory."))
    LOST = define("run_lost", _("The worker stopped %(count)s times."))

``LOST(count=3)`` is a ``Sentence``. A ``SentenceField`` (records.py) stores it as
``{"code": "run_lost", "params": {"count": 3}}`` and gives it back; ``str()`` and templates render it in the active
language. A parameter may be another ``Sentence`` (the name of a state) or a list.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

_TEXTS: dict[str, object] = {}  # lazily translated texts by code


@dataclass(frozen=True)
class Sentence:
    """A code and its parameters (JSON values). Without a code it is empty and false."""

    code: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.code)

    def __str__(self) -> str:
        """The sentence in the active language; the code and its parameters when nothing defines it."""
        if not self.code:
            return ""
        if self.code not in _TEXTS:
            return " ".join([self.code, *(f"{name}={value}" for name, value in self.params.items())])
        text = str(_TEXTS[self.code])
        return text % {name: _shown(value) for name, value in self.params.items()} if self.params else text

    def to_document(self) -> dict[str, Any]:
        """The stored form."""
        return {"code": self.code, "params": dict(self.params)} if self.code else {}

    @classmethod
    def from_document(cls, document: Mapping[str, Any], /) -> "Sentence":
        """The sentence of a stored form."""
        return cls(document["code"], document.get("params", {})) if document else cls()


def define(code: str, text: object) -> Callable[..., Sentence]:
    """Define the sentence of a code and return a function that creates it from its parameters.

    ``text`` is lazily translated and has its parameters as ``%(name)s``. Raises ValueError when the code is
    taken; the returned function raises TypeError for a translated parameter.
    """
    if code in _TEXTS:
        raise ValueError(f"the code {code} is taken")
    _TEXTS[code] = text

    def make(**params: Any) -> Sentence:
        return Sentence(code, {name: _storable(value) for name, value in params.items()})

    return make


def defined() -> Mapping[str, object]:
    """Every code with its sentence."""
    return dict(_TEXTS)


def load_messages(app: str, folder: str) -> None:
    """Import every ``messages`` module of an app, so that each process can render each stored code."""
    root = Path(folder)
    for path in sorted(root.rglob("messages.py")):
        import_module(".".join((app, *path.relative_to(root).with_suffix("").parts)))


def _storable(value: Any) -> Any:
    """A parameter as a JSON value."""
    if hasattr(value, "_proxy____cast"):  # a proxy of Django's lazy translation
        raise TypeError("a parameter of a stored sentence must not be translated")
    if isinstance(value, Sentence):
        return value.to_document()
    if isinstance(value, list | tuple):
        return [_storable(part) for part in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return str(Sentence.from_document(value))
    return ", ".join(str(_shown(part)) for part in value) if isinstance(value, list) else value


# A sentence that was stored before codes were introduced, or free text of a user; shown as it is.
as_written = define("as_written", "%(text)s")
