"""Writes of the comparison: the table of a release, created once."""

from dataclasses import asdict

from django.conf import settings
from django.db import transaction

from estimation.peers.compute import FEWEST, Guard, peer_groups, variables
from estimation.peers.models import PeerTable
from estimation.releases.models import Release
from estimation.runs.compute.spec import RunSpec, digest
from estimation.runs.extraction.selectors import read_year
from survey import audit
from survey.jobs.services import Work


def do_peers(work: Work) -> None:
    """Create the table of the release that is the key of a job."""
    build_peers(Release.objects.get(pk=int(work.job.key)))


@transaction.atomic
def build_peers(release: Release) -> PeerTable:
    """The quartiles of the release's own run, frozen under their hash. A second call returns the existing table."""
    row = Release.objects.select_for_update(of=("self",)).get(pk=release.pk)
    existing = PeerTable.objects.filter(release=row).first()
    if existing is not None:
        return existing
    run = row.run
    spec = RunSpec.from_json(run.spec)
    layout = {entry["code"] for entry in run.microdata.layout.variables}
    year = read_year(
        run.microdata,
        run.design,
        variables=[code for code in variables() if code in layout],
        use_edited=spec.use_edited,
        use_imputed=spec.use_imputed,
    )
    guard = Guard(max(FEWEST, settings.DISCLOSURE_MINIMUM), settings.DISCLOSURE_ONE, settings.DISCLOSURE_TWO)
    groups, rules = peer_groups(year, spec, guard), asdict(guard)
    table = PeerTable.objects.create(
        release=row, groups=groups, rules=rules, content_hash=digest({"groups": groups, "rules": rules})
    )
    audit.record(
        by=None,
        action="peers_frozen",
        subject=table,
        round=row.round.year,
        number=row.number,
        content_hash=table.content_hash,
    )
    return table
