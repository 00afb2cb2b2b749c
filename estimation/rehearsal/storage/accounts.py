"""Accounts of the rehearsal: a respondent of every category, the provinces, central staff."""

from dataclasses import dataclass

import numpy as np
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from estimation.rehearsal.population.regions import REGION_INDEX, REGIONS
from estimation.rehearsal.population.sizes import SIZE_CODES
from estimation.rehearsal.storage.outcomes import ACCEPTED
from estimation.rehearsal.storage.sheets import SheetWriter
from survey.access.models import RoleAssignment, User
from survey.access.roles import Role
from survey.classification import CATEGORIES, NATION, NATIONAL_CATEGORIES

COMPARED = "filed13"  # the account of a sheet of 2025 that is accepted
PASSWORD = "Yanlian-2025-demo"  # noqa: S105 the printed password of accounts that only the rehearsal has
PROVINCES: dict[str, str] = {
    "bj": "110000", "tj": "120000", "he": "130000", "sx": "140000", "nm": "150000", "ln": "210000", "jl": "220000",
    "hl": "230000", "sh": "310000", "js": "320000", "zj": "330000", "ah": "340000", "fj": "350000", "jx": "360000",
    "sd": "370000", "ha": "410000", "hb": "420000", "hn": "430000", "gd": "440000", "gx": "450000", "hi": "460000",
    "cq": "500000", "sc": "510000", "gz": "520000", "yn": "530000", "xz": "540000", "sn": "610000", "gs": "620000",
    "qh": "630000", "nx": "640000", "xj": "650000", "bt": "660000",
}  # fmt: skip
STAFF: dict[str, tuple[Role, str]] = {
    "designer": (Role.DESIGNER, "演练设计员"),
    "methodologist": (Role.METHODOLOGIST, "演练方法员"),
    "reviewer": (Role.REVIEWER, "演练审核员"),
    "publisher": (Role.PUBLISHER, "演练发布员"),
    "sysadmin": (Role.SYSTEM_ADMINISTRATOR, "演练系统管理员"),
    "secadmin": (Role.SECURITY_ADMINISTRATOR, "演练安全管理员"),
    "auditor": (Role.AUDIT_ADMINISTRATOR, "演练审计管理员"),
}


@dataclass(frozen=True, slots=True)
class DemoAccounts:
    """The password of all accounts, and (account, description) of each."""

    password: str
    rows: list[tuple[str, str]]


def create_accounts(writer: SheetWriter) -> int:
    """All accounts, one hash for the common password. Returns the key of the national reviewer."""
    hashed, now = make_password(PASSWORD), timezone.now()
    users: list[User] = []
    grants: list[RoleAssignment] = []

    def account(username: str, name: str, role: Role, region: str, unit: int | None = None) -> None:
        user = User(
            username=username,
            name=name,
            password=hashed,
            notice_read_at=now,
            must_change_password=False,
            is_synthetic=True,
        )
        users.append(user)
        grants.append(RoleAssignment(user=user, role=role, region_id=region, unit_id=unit))

    for username, (role, name) in STAFF.items():
        account(username, name, role, NATION)
    names = {region.code: region.zh for region in REGIONS}
    for username, code in PROVINCES.items():
        account(username, f"演练{names[code]}管理员", Role.PROVINCIAL_ADMINISTRATOR, code)
    units = writer.country.units
    demo = np.flatnonzero(writer.members.demo)
    for position in demo[np.argsort(writer.category[demo])].tolist():
        row = int(writer.members.row[position])
        category = int(units.category[row])
        region = (
            NATION
            if CATEGORIES[category - 1] in NATIONAL_CATEGORIES
            else REGIONS[int(units.region[row])].code
        )
        account(f"cat{category:02d}", f"演练填报员{category:02d}", Role.RESPONDENT, region, position + 1)
    position = compared(writer)
    account(
        COMPARED,
        "演练已采纳填报员",
        Role.RESPONDENT,
        REGIONS[int(units.region[writer.members.row[position]])].code,
        position + 1,
    )
    User.objects.bulk_create(users)
    for grant in grants:
        grant.user_id = grant.user.pk
    RoleAssignment.objects.bulk_create(grants)
    return next(user.pk for user in users if user.username == "reviewer")


def compared(writer: SheetWriter) -> int:
    """The unit whose accepted sheet has the most company: an enterprise of the most frequent industry and size.

    The best in a province whose account is printed; its respondent sees the comparison once the round is published.
    """
    members, units = writer.members, writer.country.units
    positions = np.flatnonzero((members.outcome == ACCEPTED) & ~members.extra & (writer.category == 13))
    rows = members.row[positions]
    group = units.section[rows] * len(SIZE_CODES) + units.size[rows]
    company = np.bincount(group)[group]
    printed = np.isin(units.region[rows], [REGION_INDEX["320000"], REGION_INDEX["330000"]])
    return int(positions[np.lexsort((-company, ~printed))[0]])


def demo_accounts() -> DemoAccounts:
    """What to print at the start: the accounts that are there, with what they are."""
    rows: list[tuple[str, str]] = []
    grants = RoleAssignment.objects.filter(user__is_synthetic=True, ended_at=None)
    # Some provinces, and those that review the printed respondents, so that every sheet finds its desk.
    shown = {PROVINCES[name] for name in ("bj", "js", "zj", "xz")}
    shown.update(grants.filter(unit__isnull=False).values_list("unit__review_region", flat=True))
    for grant in grants.select_related("user", "region", "unit").order_by("pk"):
        if grant.unit is not None:
            text = f"{Role(grant.role).label} · {grant.unit.name}"
        elif grant.region_id == NATION:
            text = str(Role(grant.role).label)
        elif grant.region_id in shown:
            text = f"{Role(grant.role).label} · {grant.region.name_zh}"
        else:
            continue  # the other provinces follow the same pattern
        rows.append((grant.user.username, text))
    return DemoAccounts(PASSWORD, rows)
