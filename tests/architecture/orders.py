"""The order of the sub-packages of a package: which of them may use which."""

from collections.abc import Collection

# Sub-packages that import each other, from the highest to the lowest.
ORDER: dict[str, tuple[str, ...]] = {
    "estimation.methods": ("sampling", "weighting", "treatment", "estimators"),
    "estimation.rehearsal": ("storage", "sheets", "population"),
    "estimation.releases": ("passages", "listing", "disclosure", "content"),
    "estimation.report": ("files", "document", "figures"),
    "estimation.runs": ("bootstrap", "inspection", "extraction", "compute"),
    "estimation.runs.inspection": ("comparison", "changes", "units"),
    "survey.access": (
        "first_administrators",
        "accounts",
        "activation",
        "second_factor",
        "sign_in",
        "single_sign_on",
        "recovery",
        "guessing",
        "idleness",
        "own_sessions",
        "passwords",
    ),
    "survey.fieldwork": ("reminders", "exports"),
    "survey.ledgers": ("export", "removal", "restores", "sealing", "verification"),
    "survey.questionnaires": ("proof", "guidance", "answering", "lists", "rules"),
    "survey.review": ("bulk", "corrections", "sheet", "scores"),
    "survey.spreadsheets": ("office_open", "open_document", "excel_binary", "delimited", "archives"),
    "survey.submissions": (
        "guests",
        "filing",
        "corrections",
        "workbook",
        "printing",
        "evidence",
        "invitations",
        "page",
        "lifecycle",
        "comments",
        "paradata",
    ),
    "survey.submissions.lifecycle": ("explaining", "saving"),
}


def siblings(name: str, target: str, folders: Collection[str]) -> list[tuple[str, str, str]]:
    """(package, sub-package of ``name``, sub-package of ``target``) if the two modules lie in sub-packages of one package.

    The package is the deepest that holds both; the list is empty when one of them is a module of the package itself.
    """
    parts, others = name.split("."), target.split(".")
    shared = 0
    while shared < min(len(parts), len(others)) and parts[shared] == others[shared]:
        shared += 1
    package = ".".join(parts[:shared])
    if shared < 2 or len(parts) <= shared or len(others) <= shared:
        return []
    if {f"{package}.{parts[shared]}", f"{package}.{others[shared]}"} <= set(folders):
        return [(package, parts[shared], others[shared])]
    return []


def is_higher_subpackage(upper: str, lower: str, folders: Collection[str]) -> bool:
    """Whether the sub-package of module ``upper`` must not be used by that of module ``lower``.

    True when it is written above the other in ``ORDER``, and when no order holds both.
    """
    for package, own, other in siblings(lower, upper, folders):
        order = ORDER.get(package, ())
        return own not in order or other not in order or order.index(own) > order.index(other)
    return False
