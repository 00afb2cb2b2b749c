"""Every (state, action, role) of a release, and each policy of the way to the public."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone, translation

from estimation.releases import services
from estimation.releases.checks import Disclosure, Fault
from estimation.releases.models import Release
from estimation.releases.policies import POLICIES
from estimation.releases.states import PUBLIC, TRANSITIONS, Action, State
from estimation.releases.transitions import transition
from estimation.runs.models import EstimationRun
from survey.access.roles import Role
from survey.audit import AuditEvent
from survey.exceptions import PolicyDenied
from tests.factories import make_unit, make_user


def soon() -> dt.datetime:
    return timezone.now() + dt.timedelta(hours=1)


WAY: dict[State, tuple[Action, ...]] = {
    State.DRAFT: (),
    State.VALIDATED: (Action.VALIDATE,),
    State.SCHEDULED: (Action.VALIDATE, Action.SCHEDULE),
    State.PUBLISHED: (Action.VALIDATE, Action.PUBLISH),
    State.WITHDRAWN: (Action.VALIDATE, Action.PUBLISH, Action.WITHDRAW),
}


def brought_to(state: State, release: Release) -> Release:
    if state is State.CORRECTED:
        published = brought_to(State.PUBLISHED, release)
        brought_to(
            State.PUBLISHED, services.prepare_release(run=release.run, by=None, note_zh="更正", note_en="fix")
        )
        return Release.objects.get(pk=published.pk)
    for action in WAY[state]:
        release = transition(release, action, by=None, reason="演练理由", embargo=soon())
    return release


def test_the_table_covers_every_state_and_policy() -> None:
    assert {state for state, _ in TRANSITIONS} | {State.WITHDRAWN} == set(State)
    assert {move.target for move in TRANSITIONS.values()} == set(State)
    assert {name for move in TRANSITIONS.values() for name in move.policies} == set(POLICIES)
    assert {move.permission for move in TRANSITIONS.values()} == {"publish"}


@pytest.mark.parametrize("state", State)
def test_every_state_action_role(draft: Release, state: State) -> None:
    release = brought_to(state, draft)
    people: dict[Role, Any] = {
        role: make_user(role) for role in Role if role not in (Role.RESPONDENT, Role.PROVINCIAL_ADMINISTRATOR)
    }
    people[Role.RESPONDENT] = make_user(Role.RESPONDENT, unit=make_unit())
    people[Role.PROVINCIAL_ADMINISTRATOR] = make_user(Role.PROVINCIAL_ADMINISTRATOR, "320000")
    for action, (role, person) in product(Action, people.items()):
        move = TRANSITIONS.get((state, action))
        outcome: Any
        try:
            with transaction.atomic():
                outcome = State(
                    transition(release, action, by=person, reason="演练理由", embargo=soon()).state
                )
                transaction.set_rollback(True)
        except (PermissionDenied, PolicyDenied) as refusal:
            outcome = type(refusal)
        if role is not Role.PUBLISHER:
            assert outcome is PermissionDenied, (state, action, role)
        elif move is None or move.system:
            assert outcome is PolicyDenied, (state, action, role)
        else:
            assert outcome is move.target, (state, action, role)


def refused(act: Callable[[], Any], word: str) -> None:
    with translation.override("en"), pytest.raises(PolicyDenied, match=word):
        act()


def test_two_people_prepare_and_validate(run: EstimationRun) -> None:
    first, second = make_user("publisher"), make_user("publisher")
    release = services.prepare_release(run=run, by=first)
    refused(lambda: transition(release, Action.VALIDATE, by=first), "somebody else validates")
    assert transition(release, Action.VALIDATE, by=second).state == "validated"


def test_who_ran_does_not_publish(draft: Release) -> None:
    publisher = make_user("publisher")
    EstimationRun.objects.filter(pk=draft.run_id).update(requested_by=publisher)
    validated = transition(draft, Action.VALIDATE, by=make_user("publisher"))
    for action in (Action.PUBLISH, Action.SCHEDULE):
        refused(
            partial(transition, validated, action, by=publisher, embargo=soon()), "somebody else publishes"
        )
    assert transition(validated, Action.PUBLISH, by=make_user("publisher")).state == "published"


def test_changed_content_cannot_be_validated(draft: Release) -> None:
    draft.content["cells"]["SUP-01.2025"]["printed"] = "99.99"
    draft.save()
    refused(lambda: transition(draft, Action.VALIDATE, by=None), "hash")


@pytest.mark.parametrize(
    ("checks", "word"),
    [
        ({"faults": (Fault("digits", "chapter3", "5"),)}, "faults"),
        ({"disclosure": Disclosure(leaks=1)}, "computed"),
        ({"disclosure": Disclosure()}, "audit"),
    ],
)
def test_faults_and_leaks_stop_a_release(draft: Release, checks: dict[str, Any], word: str) -> None:
    draft.checks = replace(draft.checks, **checks)
    draft.save()
    refused(lambda: transition(draft, Action.VALIDATE, by=None), word)


def test_embargo_holds_to_the_minute(draft: Release) -> None:
    validated = transition(draft, Action.VALIDATE, by=None)
    refused(lambda: transition(validated, Action.SCHEDULE, by=None, embargo=timezone.now()), "future")
    refused(lambda: transition(validated, Action.SCHEDULE, by=None), "future")
    moment = soon()
    scheduled = transition(validated, Action.SCHEDULE, by=make_user("publisher"), embargo=moment)
    refused(lambda: transition(scheduled, Action.PUBLISH, by=None), "embargo")
    assert services.publish_due() == []
    Release.objects.filter(pk=scheduled.pk).update(embargo_until=timezone.now() - dt.timedelta(seconds=1))
    assert services.publish_due() == [scheduled.pk]
    assert services.publish_due() == []
    row = Release.objects.get(pk=scheduled.pk)
    assert (row.state, row.published_by_id) == ("published", scheduled.published_by_id)
    assert row.published_at is not None


def test_a_correction_needs_notes_and_retires_what_it_replaces(draft: Release) -> None:
    published = brought_to(State.PUBLISHED, draft)
    refused(lambda: services.prepare_release(run=draft.run, by=None), "note")
    correction = services.prepare_release(run=draft.run, by=None, note_zh="更正汇总", note_en="sum corrected")
    refused(
        lambda: services.prepare_release(run=draft.run, by=None, note_zh="再次", note_en="again"),
        "already being prepared",
    )
    assert correction.replaces_id == published.pk
    brought_to(State.PUBLISHED, correction)
    assert Release.objects.get(pk=published.pk).state == "corrected"
    assert AuditEvent.objects.filter(action="release_correct", subject_id=str(published.pk)).count() == 1


def test_a_second_release_that_corrects_nothing_is_not_published(draft: Release) -> None:
    second = services.prepare_release(run=draft.run, by=None)
    brought_to(State.PUBLISHED, draft)
    validated = transition(second, Action.VALIDATE, by=None)
    refused(lambda: transition(validated, Action.PUBLISH, by=None), "does not correct")


def test_reasons_are_stored_and_every_transition_is_audited(draft: Release) -> None:
    publisher = make_user("publisher")
    published = brought_to(State.PUBLISHED, draft)
    refused(lambda: transition(published, Action.WITHDRAW, by=publisher, reason=" x "), "reason")
    withdrawn = transition(published, Action.WITHDRAW, by=publisher, reason="汇总口径有误")
    assert (withdrawn.state, withdrawn.reason) == ("withdrawn", "汇总口径有误")
    actions = list(
        AuditEvent.objects.filter(subject_type="release", subject_id=str(draft.pk))
        .order_by("pk")
        .values_list("action", flat=True)
    )
    assert actions == ["prepare_release", "release_validate", "release_publish", "release_withdraw"]


def test_public_states_are_those_that_stay_readable() -> None:
    assert {State.PUBLISHED, State.CORRECTED} == PUBLIC
