"""A small population to draw from: three provinces, two sections, sizes, institutions, platforms; and a planned round."""

import datetime as dt
import random
from typing import Any

from django.utils import timezone

from estimation.design.approval.services import approve_design
from estimation.design.models import SampleDesign
from estimation.design.services import build_design, draw_sample, hand_over
from estimation.design.stratify import Rules
from survey.access.models import User
from survey.collection.models import CollectionRound
from survey.frame.models import FrameCount
from survey.microdata.services import freeze_version
from survey.questionnaires.models import QuestionnaireVersion
from tests.estimation.runs.country import Country, cells, file_accepted
from tests.factories import make_unit, make_user

REGIONS = ("320000", "330000", "440000")


class Population:
    """The frame, last year's accepted sheets and design, a planned round of 2026, two people who may draw."""

    def __init__(self, *, history: bool = True) -> None:
        rng = random.Random(7)
        self.first: User = make_user("designer")
        self.second: User = make_user("methodologist")
        self.country = Country() if history else None
        self.units = []
        for region in REGIONS:
            for section, industry in (("C", "1311"), ("I", "6513")):
                for size in ("large", "medium", "small", "micro"):
                    for _ in range(4):
                        fields: dict[str, Any] = {
                            "size_class": size,
                            "section": section,
                            "industry": industry,
                            "employees": 50,
                            "random_number": rng.random(),
                        }
                        self.units.append(make_unit("CAT13", region, **fields))
                    FrameCount.objects.create(region=region, section=section, size_class=size, units=100)
            self.units += [
                make_unit("CAT03", region, random_number=rng.random(), section="", industry="")
                for _ in range(5)
            ]
        self.units.append(make_unit("CAT07", "110000", random_number=rng.random()))
        self.units.append(make_unit("CAT13", "320000", employees=5000, random_number=rng.random()))
        if history:
            for unit in self.units[::2]:
                amount = rng.uniform(10, 1000)
                answers = cells(P01=amount, S02=amount / 2, F01=amount / 3, D01=amount / 4, T02=amount)
                file_accepted(unit, 2025, answers)
            freeze_version(round=CollectionRound.objects.get(year=2025), by=None)
        self.round = self.plan()

    def plan(self, year: int = 2026) -> CollectionRound:
        """A round that begins in a month, with the questionnaires of 2025."""
        start = timezone.now() + dt.timedelta(days=30)
        for version in QuestionnaireVersion.objects.filter(year=2025):
            version.pk, version.year = None, year
            version.save(force_insert=True)
        return CollectionRound.objects.create(
            year=year,
            reference_date=dt.date(year, 12, 31),
            opens_at=start,
            due_at=start + dt.timedelta(days=30),
            closes_at=start + dt.timedelta(days=40),
        )

    def draft(self, rules: Rules | None = None) -> SampleDesign:
        """Strata under some rules."""
        return build_design(round=self.round, by=self.first, rules=rules or Rules())

    def drawn(self, **options: Any) -> SampleDesign:
        """A drawn design."""
        from estimation.design.allocation import Request

        draft = self.draft()
        request = options.pop("request", Request("proportional", n=60))
        return draw_sample(
            draft, by=self.first, request=request, response=options.pop("response", 0.9), **options
        )

    def approved(self) -> SampleDesign:
        """Signed by the second person."""
        row = self.drawn()
        return approve_design(row, by=self.second, content_hash=row.content_hash)

    def handed_over(self) -> SampleDesign:
        """In the round."""
        return hand_over(self.approved(), by=self.first)[0]
