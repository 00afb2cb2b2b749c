"""The compiled expressions of a questionnaire, shared by all sheets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from survey.exceptions import DefinitionError
from survey.questionnaires.definition import Edit, Questionnaire
from survey.questionnaires.rules.expressions import Compiled, compile_expression


@dataclass(frozen=True, slots=True)
class CompiledEdit:
    """An edit with its expressions compiled; `reads` are the codes its result and message depend on."""

    edit: Edit
    rule: Compiled
    when: Compiled | None
    values: tuple[tuple[str, Compiled], ...]
    reads: frozenset[str]
    reads_current: frozenset[str]
    reads_previous: frozenset[str]
    reads_unit: frozenset[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """Compiled expressions of one questionnaire and their evaluation order.

    `order`: items with relevance or a computation, each after everything that it reads.
    `previous_codes`: what must be read of last year's sheet, and what decides whether that applied.
    """

    relevance: dict[str, Compiled]
    computed: dict[str, Compiled]
    order: tuple[str, ...]
    edits: tuple[CompiledEdit, ...]
    previous_codes: frozenset[str]
    section_of: dict[str, str]

    def dependants(self, changed: Iterable[str]) -> frozenset[str]:
        """The changed items and all that follow from them through computation and relevance."""
        reached = set(changed)
        for code in self.order:
            rules = (self.relevance.get(code), self.computed.get(code))
            if any(rule is not None and (rule.current_items & reached or rule.reads_sheet) for rule in rules):
                reached.add(code)
        return frozenset(reached)


@lru_cache(maxsize=64)
def plan_of(questionnaire: Questionnaire) -> Plan:
    """Compile a questionnaire. Raises DefinitionError (syntax, circular)."""
    items = questionnaire.items.values()
    relevance = {item.code: compile_expression(item.relevance) for item in items if item.relevance}
    computed = {item.code: compile_expression(item.computed) for item in items if item.computed}
    edits = tuple(compile_edit(edit) for edit in questionnaire.edits)
    rules = (*relevance.values(), *computed.values())
    before = {code for edit in edits for code in edit.reads_previous}
    before.update(
        code for rule in rules for code in rule.previous | rule.previous_tables | rule.previous_guarded
    )
    return Plan(
        relevance=relevance,
        computed=computed,
        order=evaluation_order(relevance, computed, questionnaire.category),
        edits=edits,
        previous_codes=_with_inputs(before, relevance, computed),
        section_of={code: section.code for section in questionnaire.sections for code in section.items},
    )


def _with_inputs(
    codes: set[str], relevance: dict[str, Compiled], computed: dict[str, Compiled]
) -> frozenset[str]:
    """The codes and everything that decides whether they apply or gives their value."""
    reached: set[str] = set()
    waiting = list(codes)
    while waiting:
        code = waiting.pop()
        if code not in reached:
            reached.add(code)
            for rules in (relevance, computed):
                waiting.extend(rules[code].current_items if code in rules else ())
    return frozenset(reached)


def compile_edit(edit: Edit) -> CompiledEdit:
    """Compile one edit. Raises DefinitionError("syntax")."""
    rule = compile_expression(edit.expression)
    when = compile_expression(edit.when) if edit.when else None
    values = tuple((name, compile_expression(text)) for name, text in edit.values)
    parts = [rule, *([when] if when else []), *(compiled for _, compiled in values)]
    names = frozenset().union(*(part.variables for part in parts))
    return CompiledEdit(
        edit=edit,
        rule=rule,
        when=when,
        values=values,
        reads=frozenset().union(*(part.items for part in parts)),
        reads_current=frozenset().union(*(part.current_items for part in parts)),
        reads_previous=_previous_in_message(edit).union(
            *(part.previous | part.previous_tables | part.previous_guarded for part in parts)
        ),
        reads_unit=frozenset(name for name in names if name.startswith("unit_")),
    )


def _previous_in_message(edit: Edit) -> frozenset[str]:
    text = edit.message.zh + edit.message.en
    return frozenset(re.findall(r"\{previous:(\w+)\}", text))


def evaluation_order(
    relevance: dict[str, Compiled], computed: dict[str, Compiled], where: str
) -> tuple[str, ...]:
    """Items with relevance or computation, inputs first. Raises DefinitionError("circular")."""
    waiting = {
        code: frozenset().union(
            *(rules[code].current_items for rules in (relevance, computed) if code in rules)
        )
        for code in (*relevance, *(code for code in computed if code not in relevance))
    }
    order: list[str] = []
    while waiting:
        ready = [code for code, reads in waiting.items() if not (reads & waiting.keys())]
        if not ready:
            names = ", ".join(sorted(_in_cycle(waiting)))
            raise DefinitionError("circular", where, f"items depend on themselves: {names}")
        order.extend(ready)
        for code in ready:
            del waiting[code]
    return tuple(order)


def _in_cycle(waiting: dict[str, frozenset[str]]) -> set[str]:
    """The members of cycles, without the items that only depend on them."""

    def reaches_itself(start: str) -> bool:
        seen: set[str] = set()
        stack = [code for code in waiting[start] if code in waiting]
        while stack:
            code = stack.pop()
            if code == start:
                return True
            if code not in seen:
                seen.add(code)
                stack.extend(inner for inner in waiting[code] if inner in waiting)
        return False

    return {code for code in waiting if reaches_itself(code)}
