"""Runs inside the stack: how every hard edit of a form is broken, in as few rounds as the form allows, as JSON.

Edits with disjoint cells are broken together. After each added edit the engine evaluates the sheet, and the page
must show the findings of the engine.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from survey.questionnaires.definition import Edit, Questionnaire, UnitContext
from survey.questionnaires.edits import Finding, findings_of
from survey.questionnaires.proof.samples import break_hard_edit
from survey.questionnaires.routing import Sheet, evaluate_sheet
from survey.questionnaires.rules.expressions import evaluate
from survey.questionnaires.rules.plan import CompiledEdit, plan_of
from survey.submissions import cells
from survey.submissions.page.remarks import control_of

type Answers = dict[str, Any]


class Breaker:
    """One complete sheet, and the ways in which its hard edits can be broken by typing."""

    def __init__(
        self, form: Questionnaire, answers: Answers, context: UnitContext, previous: Answers | None
    ) -> None:
        self.form, self.answers, self.context, self.previous = form, answers, context, previous
        self.right = flat(answers)

    def routed(self, answers: Answers) -> Sheet:
        """The sheet with these answers."""
        return evaluate_sheet(self.form, answers, self.context, self.previous)

    def patch_of(self, edit: Edit) -> dict[str, Any] | None:
        """Cells to type so that the edit fails (None: to empty), or None when nothing was found."""
        wrong = break_hard_edit(self.form, self.answers, edit, self.context, self.previous)
        if wrong is None:
            return None
        typed = flat(wrong)
        keys = [key for key in {**self.right, **typed} if self.right.get(key) != typed.get(key)]
        return {key: typed.get(key) for key in keys}

    def can_be_typed(self, patch: Mapping[str, Any]) -> bool:
        """Whether every cell is there to be typed into, now and after the others were typed."""
        items = {cells.item_of(key) for key in patch}
        return items <= self.routed(cells.patched(self.answers, patch)).relevant and not any(
            (rows := self.form.items[code].rows) and rows.kind == "open" for code in items
        )

    def leaves_blank(self, patch: Mapping[str, Any]) -> bool:
        """Whether a choice between buttons must be empty: these stories leave it out of a workbook."""
        return any(
            cell is None and control_of(cells.field_of(self.form, key)) == "radio"  # type: ignore[arg-type]  # cells of the form have a field
            for key, cell in patch.items()
        )

    def plan(self) -> dict[str, Any]:
        """All hard edits: broken by typing, by leaving cells out, or with the proof that no answer breaks them."""
        typed: dict[str, dict[str, Any]] = {}
        blank: dict[str, dict[str, Any]] = {}
        unreachable: dict[str, str] = {}
        for compiled in plan_of(self.form).edits:
            code = compiled.edit.code
            if compiled.edit.severity != "hard":
                continue
            patch = self.patch_of(compiled.edit)
            if patch is not None and self.can_be_typed(patch):
                (blank if self.leaves_blank(patch) else typed)[code] = patch
            else:
                unreachable[code] = self.proof(compiled)
        return {
            "rounds": self._rounds(typed),
            "blank_rounds": self._rounds(blank),
            "unreachable": unreachable,
            "hard_edits": sum(1 for edit in self.form.edits if edit.severity == "hard"),
        }

    def proof(self, compiled: CompiledEdit) -> str:
        """Why no answer of this unit breaks the edit. Raises AssertionError when there is no reason."""
        sheet = self.routed(self.answers)
        when, reads = compiled.when, compiled.rule.current_items
        if when is not None and not when.current_items and evaluate(when, sheet.environment) is not True:
            return "its condition reads the register alone, and does not hold for this unit"
        if reads and all(self._is_fixed(code) for code in reads):
            return "it reads only what the register fills in"
        gates = {code: plan_of(self.form).relevance.get(code) for code in reads}
        if any(
            gate is not None and not gate.current_items and code not in sheet.relevant
            for code, gate in gates.items()
        ):
            return "the register routes this unit past an item that it reads"
        raise AssertionError(
            f"{self.form.form_no}: {compiled.edit.code} cannot be broken, for no known reason"
        )

    def _is_fixed(self, code: str) -> bool:
        item = self.form.items[code]
        return item.read_only and bool(item.prefilled)

    def _rounds(self, patches: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        rounds: list[dict[str, Any]] = []
        while patches:
            chosen, patch = self._together(patches)
            for code in chosen:
                del patches[code]
            rounds.append({"edits": chosen, "patch": patch, "findings": self._expected_findings(patch)})
        return rounds

    def _together(self, patches: Mapping[str, dict[str, Any]]) -> tuple[list[str], dict[str, Any]]:
        """As many edits as can be broken at once, the smallest changes first."""
        chosen: list[str] = []
        patch: dict[str, Any] = {}
        for code in sorted(patches, key=lambda finding: (len(patches[finding]), finding)):
            more = patches[code]
            if {cells.item_of(key) for key in more} & {cells.item_of(key) for key in patch}:
                continue
            both = {**patch, **more}
            if chosen and not self.can_be_typed(both):
                continue
            failed = {finding.edit for finding in self._findings(both)}
            if failed >= {*chosen, code}:
                chosen, patch = [*chosen, code], both
        if not chosen:
            raise AssertionError(f"{self.form.form_no}: {sorted(patches)} cannot be broken by typing")
        return chosen, patch

    def _findings(self, patch: Mapping[str, Any]) -> Iterable[Finding]:
        sheet = self.routed(cells.patched(self.answers, patch))
        return [finding for finding in findings_of(sheet) if finding.severity == "hard"]

    def _expected_findings(self, patch: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """The findings that the page must show: items and Chinese message by edit."""
        return {
            finding.edit: {"items": list(finding.items), "message": finding.message.zh}
            for finding in self._findings(patch)
        }


def flat(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Every filled cell by its key on the page."""
    return {
        key: cell for code, answer in answers.items() for key, cell in cells.flatten(code, answer).items()
    }
