"""What became of everything that was acknowledged, read from the database after the drill."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.drills.people import Person

type Ask = Callable[..., list[tuple[Any, ...]]]


@dataclass(slots=True)
class Line:
    """One row of the table. ``examples`` names what is wrong."""

    kind: str
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    stuck: int = 0
    repeats: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Nothing lost, doubled or stuck, and something was acknowledged at all."""
        return not (self.lost or self.doubled or self.stuck) and self.acknowledged > 0

    def count(self, name: Any, times: int) -> None:
        """Count how often something acknowledged is found."""
        self.lost += times == 0
        self.doubled += times > 1
        if times != 1:
            self.examples.append(f"{name}: {times}")


def connect(address: Mapping[str, Any]) -> Ask:
    """A function that asks one statement."""

    def ask(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(**address, autocommit=True) as connection:
            return connection.execute(statement, values or None).fetchall()

    return ask


def lines(people: Iterable[Person], mails: Iterable[tuple[str, str]], ask: Ask) -> list[Line]:
    """The table. ``mails`` are (recipient, Message-ID) as the SMTP server has received them."""
    by_kind: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        by_kind[person.kind].append(person)
    table = []
    for kind, group in by_kind.items():
        line = Line(kind)
        line.acknowledged = sum(len(person.acknowledged) for person in group)
        line.repeats = sum(person.client.repeats for person in group)
        for person in group:
            _LOOK_UP[kind](line, person, ask, list(mails))
        table.append(line)
    table.append(_jobs(ask))
    return table


def _saves(line: Line, person: Any, ask: Ask, _mails: Any) -> None:
    where = "submission_id = %s AND item = %s"
    rows = ask(
        f"SELECT new->>'value' FROM survey_submissionevent WHERE {where} ORDER BY id",
        person.sheet,
        person.key,
    )
    counted = Counter(value for (value,) in rows)
    for value in person.acknowledged:
        line.count(f"sheet {person.sheet} {person.key} {value}", counted[value])
    stored = ask(
        "SELECT answers->%s->>'value' FROM survey_submission WHERE id = %s", person.key, person.sheet
    )
    if person.acknowledged and int(stored[0][0]) < int(person.acknowledged[-1]):
        line.lost += 1
        line.examples.append(f"sheet {person.sheet} {person.key} holds {stored[0][0]}")


def _decisions(line: Line, person: Any, ask: Ask, _mails: Any) -> None:
    rows = ask(
        "SELECT submission_id, count(*) FROM survey_submissionevent WHERE action = 'accept' GROUP BY 1"
    )
    counted: dict[Any, Any] = dict(rows)
    states: dict[Any, Any] = dict(ask("SELECT id, state FROM survey_submission"))
    for sheet in person.acknowledged:
        times = counted.get(sheet, 0) if states[sheet] in {"national_review", "accepted"} else 0
        line.count(f"decision of sheet {sheet}", times)


def _notes(line: Line, person: Any, ask: Ask, _mails: Any) -> None:
    counted: dict[Any, Any] = dict(ask("SELECT text, count(*) FROM survey_contactnote GROUP BY 1"))
    for text in person.acknowledged:
        line.count(text, counted.get(text, 0))


def _exports(line: Line, person: Any, ask: Ask, _mails: Any) -> None:
    rows = ask(
        "SELECT j.state, count(*) FROM survey_deskjob d JOIN survey_job j ON j.id = d.job_id WHERE d.by_id = %s"
        " GROUP BY 1",
        person.user,
    )
    ordered, acknowledged = sum(count for _state, count in rows), len(person.acknowledged)
    line.lost += max(0, acknowledged - ordered)
    line.doubled += max(0, ordered - acknowledged - person.unanswered)
    line.stuck += sum(count for state, count in rows if state != "done")
    line.examples += [f"{count} files of {person.user} {state}" for state, count in rows if state != "done"]


def _runs(line: Line, person: Any, ask: Ask, _mails: Any) -> None:
    states: dict[Any, Any] = dict(ask("SELECT id, state FROM estimation_estimationrun"))
    rows = ask("SELECT subject_id, count(*) FROM survey_auditevent WHERE action = 'finish_run' GROUP BY 1")
    ends: dict[Any, Any] = dict(rows)
    for run in person.acknowledged:
        if run in states and states[run] != "finished":
            line.stuck += 1
            line.examples.append(f"run {run} is {states[run]}")
        else:
            line.count(f"run {run}", ends.get(str(run), 0))


def _mails(line: Line, person: Any, ask: Ask, mails: Any) -> None:
    messages: dict[str, set[str]] = defaultdict(set)
    for recipient, identity in mails:
        messages[recipient].add(identity)
    for _sheet, address in person.acknowledged:
        line.count(f"mail to {address}", len(messages[address]))
    # Addresses are encrypted in the database: invitations are counted by sheet.
    for sheet, sent in Counter(sheet for sheet, _address in person.acknowledged).items():
        rows = ask("SELECT count(*) FROM survey_sectioninvitation WHERE submission_id = %s", sheet)[0][0]
        line.lost += max(0, sent - rows)
        line.doubled += max(0, rows - sent - person.unanswered)
        if rows != sent:
            line.examples.append(f"sheet {sheet}: {rows} invitations, {sent} acknowledged")


def _jobs(ask: Ask) -> Line:
    """All jobs of all kinds. A cancelled or superseded one has ended as well."""
    line = Line("all jobs")
    for kind, state, count in ask("SELECT kind, state, count(*) FROM survey_job GROUP BY 1, 2"):
        line.acknowledged += count
        if state in {"waiting", "running", "failed"}:
            line.stuck += count
            line.examples.append(f"{count} of {kind} {state}")
    return line


_LOOK_UP: dict[str, Callable[[Line, Any, Ask, Any], None]] = {
    "saves": _saves,
    "decisions": _decisions,
    "notes": _notes,
    "exports": _exports,
    "runs": _runs,
    "mails": _mails,
}
