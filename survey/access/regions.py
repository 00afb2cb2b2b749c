"""The region tree, loaded from the code list."""

from survey.access.models import Region
from survey.classification import NATION, entries


def load_regions() -> int:
    """Create or update nation, provinces and separately planned cities. Returns their number.

    Regions whose codes were removed from the list are retained: units of earlier rounds may refer to them.
    """
    rows: list[Region] = []
    paths = {NATION: f"{NATION}/"}
    for position, entry in enumerate(entries("regions")):
        parent = None if entry.code == NATION else entry.parent or NATION
        path = paths[NATION] if parent is None else f"{paths[parent]}{entry.code}/"
        paths[entry.code] = path
        rows.append(
            Region(
                code=entry.code,
                name_zh=entry.zh,
                name_en=entry.en,
                level=path.count("/") - 1,
                parent_id=parent,
                macro_region=entry.group,
                path=path,
                position=position,
            )
        )
    fields = ["name_zh", "name_en", "level", "parent", "macro_region", "path", "position"]
    Region.objects.bulk_create(rows, update_conflicts=True, unique_fields=["code"], update_fields=fields)
    return len(rows)
