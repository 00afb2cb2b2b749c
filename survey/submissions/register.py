"""What the register says about a unit, in the shape that the rules read."""

from survey.collection.models import CollectionRound
from survey.frame.models import ReportingUnit
from survey.questionnaires.definition import UnitContext


def unit_context(unit: ReportingUnit, round_: CollectionRound) -> UnitContext:
    """The register's facts as the rules see them. ``unit.region`` must be loaded."""
    codes = unit.region.path.strip("/").split("/")
    return UnitContext(
        category=unit.category,
        year=round_.year,
        uscc=unit.uscc,
        name=unit.name,
        region=codes[1] if len(codes) > 1 else codes[0],
        division_code=unit.division_code,
        industry=unit.industry,
        section=unit.section,
        institution_type=unit.institution_type,
        is_head_platform=unit.is_head_platform,
        is_pilot_space=unit.is_pilot_space,
        reference_date=round_.reference_date,
    )
