"""Functions that are already loaded run the changed source: no module is imported again."""

import gc
import inspect
from functools import _lru_cache_wrapper
from pathlib import Path
from types import CodeType, FunctionType


def replace_functions(path: Path, before: str, after: str) -> bool:
    """Give the loaded functions of a file the code of its changed source.

    False, and nothing is replaced, when the change is in what runs during the import of the file, or when no loaded
    function has the code: then the file must be imported anew.
    """
    old, new = (compile(text, str(path), "exec", dont_inherit=True) for text in (before, after))
    replacements = changed_functions(old, new)
    if not replacements:
        return False
    replaced = False
    for loaded in gc.get_objects():
        # isinstance would ask a lazy object for the class of what it stands for, and so build it.
        if type(loaded) is FunctionType and loaded.__code__.co_filename == str(path):
            code = replacements.get(loaded.__code__)
            if code is not None:
                loaded.__code__ = code
                replaced = True
        elif type(loaded) is _lru_cache_wrapper:
            function = inspect.unwrap(loaded)
            if isinstance(function, FunctionType) and function.__code__.co_filename == str(path):
                loaded.cache_clear()
    return replaced


def changed_functions(old: CodeType, new: CodeType) -> dict[CodeType, CodeType]:
    """Code of each changed function with its new one, inner functions too; empty when more than functions changed."""
    if old == new:
        return {}
    inner_old, inner_new = _inner(old), _inner(new)
    same_places = [code.co_qualname for code in inner_old] == [code.co_qualname for code in inner_new]
    result: dict[CodeType, CodeType] = {}
    if same_places:
        for before, after in zip(inner_old, inner_new, strict=True):
            if before != after:
                inside = changed_functions(before, after)
                if not inside:
                    return {}
                result |= inside
    if old.co_flags & inspect.CO_OPTIMIZED:
        return result | {old: new} if old.co_freevars == new.co_freevars else {}
    return result if same_places and _without_inner(old) == _without_inner(new) else {}


def _inner(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _without_inner(code: CodeType) -> CodeType:
    constants = tuple(None if isinstance(constant, CodeType) else constant for constant in code.co_consts)
    # A function that ends in another column has other positions in the code around it.
    return code.replace(co_consts=constants, co_linetable=b"")
