"""Sheets into the database: filings, observations, submissions, events, reasons."""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from estimation.methods.arrays import Bools, Ints
from estimation.rehearsal.country import Country
from estimation.rehearsal.population.regions import REGIONS
from estimation.rehearsal.population.sizes import SIZE_CODES
from estimation.rehearsal.population.units import INVALID, VALID
from estimation.rehearsal.sheets.filing_rows import (
    FILING_COLUMNS,
    SIGNATORIES,
    Filed,
    RoundFacts,
    draw_times,
    filing_line,
    observation_hashes,
    stamp,
)
from estimation.rehearsal.sheets.reasons import may_need_reason, reason_for
from estimation.rehearsal.sheets.sheets import Layout, SheetBatch, build_sheets
from estimation.rehearsal.storage import outcomes
from estimation.rehearsal.storage.bulk import binary_rows, copy_binary, copy_lines
from estimation.rehearsal.storage.members import Members
from estimation.rehearsal.storage.register import Register
from survey.classification import SECTIONS
from survey.collection.models import CollectionRound
from survey.encrypted_fields import stored_form
from survey.microdata.models import MicrodataLayout
from survey.microdata.variables import Variable
from survey.questionnaires.definition import Questionnaire, UnitContext
from survey.questionnaires.edits import REQUIRED, Finding, run_edits
from survey.questionnaires.models import QuestionnaireVersion
from survey.submissions.models import Filing

EXPLANATION_COLUMNS = (
    "submission_id",
    "edit",
    "fingerprint",
    "reason_code",
    "text",
    "by_id",
    "at",
    "verdict",
    "verdict_by_id",
)
TRACE_COLUMNS = (
    "submission_id",
    "round_id",
    "category",
    "edit",
    "severity",
    "first_shown",
    "cleared_at",
    "times",
)
_OBSERVATION_COLUMNS = (
    "filing_id",
    "layout_id",
    "unit_id",
    "round_id",
    "category",
    "region",
    "section",
    "size_class",
    "is_head_platform",
    "is_pilot_space",
    "edited",
    "imputed",
    "values_hash",
    "reasons",
    "collected",
)


@dataclass(frozen=True, slots=True)
class Counts:
    """Findings of a sheet, as its row keeps them."""

    hard: int = 0
    soft: int = 0
    unexplained: int = 0


@dataclass(slots=True)
class SheetWriter:
    """What the steps of writing share."""

    country: Country
    members: Members
    register: Register
    forms: dict[str, Questionnaire]
    variables: tuple[Variable, ...]
    layout: MicrodataLayout
    rounds: dict[int, CollectionRound]
    versions: dict[tuple[int, str], QuestionnaireVersion]
    # Key of the submission of each unit of the members, (2, d); 0 where it has none.
    keys: Ints
    facts: dict[int, RoundFacts]
    truth: list[str]
    filed_at: dict[int, int] = field(default_factory=dict)
    decided_at: dict[int, int] = field(default_factory=dict)
    counts: dict[int, Counts] = field(default_factory=dict)  # of submissions with findings
    explanations: list[str] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    partial: dict[int, str] = field(default_factory=dict)  # answers of sheets that are not filed

    def trace(self, key: int, year: int, category: int, findings: Iterable[Finding], at: int) -> None:
        """Remember which hard and soft rules are violated on a sheet. No answer of the rehearsal is changed.

        Notices are left out: only sheets that may need a reason go through the rules, so that the share of
        sheets with a notice is not known.
        """
        self.traces += [
            f"{key}\t{self.facts[year].key}\tCAT{category:02d}\t{finding.edit}\t{finding.severity}\t{stamp(at)}\t\\N\t1"
            for finding in findings
            if finding.severity != "notice" and not finding.edit.startswith(REQUIRED)
        ]

    @property
    def category(self) -> Ints:
        """Category of each unit of the members."""
        return np.asarray(self.country.units.category[self.members.row])

    def batch(self, positions: Ints, year: int, category: int) -> SheetBatch:
        """Complete sheets of some units of one category."""
        layout = Layout(
            tuple(variable.code for variable in self.variables),
            tuple(variable.kind for variable in self.variables),
            tuple(variable.required for variable in self.variables),
        )
        rows, people = self.members.row[positions], self.register.people(positions)
        return build_sheets(self.country, self.forms[f"CAT{category:02d}"], layout, rows, year, people)

    def context(self, position: int, year: int) -> UnitContext:
        """The register's facts as the rules see them."""
        units, row = self.country.units, int(self.members.row[position])
        section = int(units.section[row])
        return UnitContext(
            category=f"CAT{int(units.category[row]):02d}",
            year=2024 + year,
            uscc=self.register.uscc[position],
            name=self.register.name[position],
            region=REGIONS[int(units.region[row])].code,
            division_code=self.register.division[position],
            industry=f"{int(units.industry[row]):04d}" if section < 18 else "",
            section=SECTIONS[section] if section < 18 else "",
            institution_type=self.register.institution_type[position],
            is_head_platform=bool(units.group[row] == 0),
            is_pilot_space=bool(units.pilot[row]),
            reference_date=dt.date(2024 + year, 12, 31),
        )


def filed_mask(members: Members, year: int) -> Bools:
    """Units (d,) whose sheet of the year was decided on: the filed sheets of Tables 3 and 4."""
    decided = (
        np.isin(members.last, (VALID, INVALID))
        if year == 0
        else np.isin(members.outcome, (outcomes.ACCEPTED, outcomes.INVALIDATED))
    )
    filed: Bools = decided & members.asked[year]
    return filed


def accepted_mask(members: Members, year: int) -> Bools:
    """Units (d,) with a valid sheet."""
    result: Bools = (
        (members.last == VALID) & members.asked[0] if year == 0 else members.outcome == outcomes.ACCEPTED
    )
    return result


def write_filed(writer: SheetWriter, year: int) -> int:
    """Filings and observations of all decided sheets of a year. Returns the number of filings."""
    mask = filed_mask(writer.members, year)
    observed: list[bytes] = []
    count = copy_lines("survey_filing", FILING_COLUMNS, _filings(writer, year, mask, observed))
    copy_binary("survey_observation", _OBSERVATION_COLUMNS, observed)
    return count


def _filings(writer: SheetWriter, year: int, mask: Bools, observed: list[bytes]) -> Iterator[str]:
    for category in range(1, 15):
        positions = np.flatnonzero(mask & (writer.category == category))
        if len(positions) == 0:
            continue
        batch = writer.batch(positions, year, category)
        valid = accepted_mask(writer.members, year)[positions]
        observed.append(_observations(writer, batch, positions, valid, year, category))
        yield from file_batch(writer, batch, positions, year, category)


def file_batch(
    writer: SheetWriter,
    batch: SheetBatch,
    positions: Ints,
    year: int,
    category: int,
    *,
    certain: Bools | None = None,
) -> Iterator[str]:
    """Lines of the filings of a batch; remembers times and reasons for the submissions.

    `certain` (n,) marks sheets that have soft findings although their true values call for none.
    """
    facts = writer.facts[year]
    filed, decided = draw_times(
        len(positions), facts, writer.country.streams(f"times {year} {category} {len(positions)}")
    )
    previous = accepted_mask(writer.members, 0)[positions] if year else np.zeros(len(positions), bool)
    odd = may_need_reason(writer.country, batch.rows, year, previous) | batch.unknown
    if certain is not None:
        odd |= certain
    before = _previous_texts(writer, positions, odd & previous, category) if year else {}
    version = writer.versions[(2024 + year, f"CAT{category:02d}")]
    signatories = stored_form(Filing, "signatories", SIGNATORIES)
    for k, position in enumerate(positions.tolist()):
        key = int(writer.keys[year, position])
        sheet = Filed(key, position, batch.texts[k], int(filed[k]), int(decided[k]))
        if odd[k]:
            sheet.explanations = explain(writer, sheet, year, category, before.get(position))
        writer.filed_at[key], writer.decided_at[key] = sheet.filed_at, sheet.decided_at
        yield filing_line(
            sheet,
            version.pk,
            version.form_no,
            version.content_hash,
            2024 + year,
            writer.register.uscc[position],
            20 + key % 90,
            signatories,
        )


def _previous_texts(writer: SheetWriter, positions: Ints, selected: Bools, category: int) -> dict[int, str]:
    chosen = positions[selected]
    if len(chosen) == 0:
        return {}
    return dict(zip(chosen.tolist(), writer.batch(chosen, 0, category).texts, strict=True))


def explain(
    writer: SheetWriter, sheet: Filed, year: int, category: int, previous: str | None
) -> list[dict[str, str]]:
    """Reasons for the soft findings of a sheet, found by the same rules as on every other way in."""
    findings = run_edits(
        writer.forms[f"CAT{category:02d}"],
        json.loads(sheet.answers),
        previous=json.loads(previous) if previous else None,
        context=writer.context(sheet.position, year),
    )
    writer.trace(sheet.key, year, category, findings, sheet.filed_at)
    reasons = []
    for finding in findings:
        if finding.severity != "soft":
            continue
        code, text = reason_for(finding.edit, sheet.key)
        reasons.append(
            {
                "edit": finding.edit,
                "fingerprint": finding.fingerprint,
                "reason_code": code,
                "text": text,
            }
        )
        writer.explanations.append(
            f"{sheet.key}\t{finding.edit}\t{finding.fingerprint}\t{code}\t{text}\t\\N\t{stamp(sheet.filed_at)}\t\t\\N"
        )
    writer.counts[sheet.key] = Counts(soft=len(reasons))
    return reasons


def _observations(
    writer: SheetWriter, batch: SheetBatch, positions: Ints, valid: Bools, year: int, category: int
) -> bytes:
    """Binary rows of the accepted sheets, grouped so that texts in a block have one length."""
    units = writer.country.units
    rows = batch.rows
    section = np.array([*SECTIONS, ""])[units.section[rows]]
    size = np.array([*SIZE_CODES, ""])[units.size[rows]]
    region = np.array([r.code for r in REGIONS])[units.region[rows]]
    head, pilot = units.group[rows] == 0, units.pilot[rows]
    facts = [
        f"CAT{category:02d}|{r}|{s}|{z}|{bool(h)}|{bool(p)}"
        for r, s, z, h, p in zip(region, section, size, head, pilot, strict=True)
    ]
    hashes = np.array(observation_hashes(facts, batch.numbers), "S64")
    packed = np.ascontiguousarray(batch.reasons).view(f"S{batch.reasons.shape[1]}").ravel()
    blocks = []
    for without_section in np.unique(section == ""):
        for size_code in np.unique(size):
            index = np.flatnonzero(valid & ((section == "") == without_section) & (size == size_code))
            if len(index) == 0:
                continue
            n = len(index)
            columns = [
                writer.keys[year, positions[index]],
                np.full(n, writer.layout.pk),
                positions[index] + 1,
                np.full(n, writer.facts[year].key),
                np.full(n, f"CAT{category:02d}", "S5"),
                region[index].astype("S6"),
                section[index].astype("S1") if not without_section else "",
                size[index].astype(f"S{len(size_code)}") if size_code else "",
                head[index],
                pilot[index],
                None,
                None,
                hashes[index],
                packed[index],
            ]
            blocks.append(binary_rows(columns, batch.numbers[index]))
    return b"".join(blocks)
