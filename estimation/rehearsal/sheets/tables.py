"""Tables of the sheets as canonical JSON texts; their sums are the totals they belong to."""

import json
from typing import Any

import numpy as np

from estimation.methods.arrays import Bools, Floats, Ints
from estimation.rehearsal.population.items_module import computing_sites, month_shares
from estimation.rehearsal.population.regions import HUB_REGIONS, REGION_INDEX, REGIONS
from estimation.rehearsal.sheets.numbers import plain_texts

CODES = [region.code for region in REGIONS]
_FLOW_WEIGHT = np.array([region.frame_share for region in REGIONS])
for _code, _factor in {
    "440000": 1.35,
    "330000": 1.45,
    "320000": 1.2,
    "370000": 1.1,
    "410000": 1.45,
    "110000": 0.8,
    "310000": 0.8,
    "130000": 0.7,
    "510000": 0.8,
    "340000": 0.8,
    "350000": 0.7,
    "420000": 0.8,
}.items():
    _FLOW_WEIGHT[REGION_INDEX[_code]] *= _factor


def split_integers(total: Ints, weights: Floats) -> Ints:
    """Whole parts (n, k) of `total` (n,) in the proportions of `weights` (n, k); rows add up exactly."""
    shares = np.cumsum(weights / weights.sum(1, keepdims=True), axis=1)
    shares[:, -1] = 1.0
    bounds = np.floor(total[:, None] * shares).astype(np.int64)
    bounds[:, -1] = total
    return np.diff(bounds, axis=1, prepend=0)


def cell(text: str, unit: str = "") -> str:
    """A number cell; quantities repeat what was entered and its unit."""
    return f'{{"entered":"{text}","unit":"{unit}","value":"{text}"}}' if unit else f'{{"value":"{text}"}}'


def single_column(parts: Ints, ids: list[str], column: str, decimals: int, unit: str) -> list[str]:
    """Table texts (n) with one column: `parts` (n, k) ticks in rows `ids` (k), rows in code order."""
    order = np.argsort(ids)
    names = [ids[k] for k in order]
    texts = [plain_texts(parts[:, k], decimals) for k in order]
    return [
        '{"rows":{'
        + ",".join(f'"{n}":{{"{column}":{cell(t, unit)}}}' for n, t in zip(names, row, strict=True))
        + "}}"
        for row in zip(*texts, strict=True)
    ]


def counterparties(total: Ints, abroad: Ints, rng: np.random.Generator) -> list[str]:
    """F10: flow by counterparty; what crosses the border is the part with parties abroad."""
    weights = rng.gamma(np.array([1.2, 0.8, 5.0, 0.5, 0.8]), size=(len(total), 5))
    parts = split_integers(total - abroad, weights)
    ids = ["government", "institution", "enterprise", "research", "individual", "abroad"]
    return single_column(np.column_stack([parts, abroad]), ids, "volume", 3, "TB")


def provinces(total: Ints, home: Ints, rng: np.random.Generator) -> list[str]:
    """F11: flow with up to six other provinces, out and in."""
    n = len(total)
    score = np.log(_FLOW_WEIGHT) + rng.gumbel(size=(n, 32))
    score[np.arange(n), home] = -np.inf
    partners = np.sort(np.argsort(-score, axis=1)[:, :6], axis=1)
    parts = split_integers(total, rng.gamma(0.8, size=(n, 12)) + 1e-6)
    texts = [plain_texts(parts[:, k], 3) for k in range(12)]
    result = []
    for i, row in enumerate(partners.tolist()):
        cells = ",".join(
            f'"{CODES[r]}":{{"inflow":{cell(texts[2 * k][i], "TB")},"outflow":{cell(texts[2 * k + 1][i], "TB")}}}'
            for k, r in enumerate(row)
        )
        result.append('{"rows":{' + cells + "}}")
    return result


def computing(capacity: Ints, home: Ints, local: Bools, rng: np.random.Generator) -> list[str]:
    """K07: where the computing stands; `local` units have all of it at home."""
    sites = computing_sites()
    hubs = np.isin(np.arange(32), [REGION_INDEX[code] for code in HUB_REGIONS])
    result = []
    for amount, region, stays in zip(capacity.tolist(), home.tolist(), local.tolist(), strict=True):
        if stays:
            chosen, weight = np.array([region]), np.ones(1)
        else:
            chosen = np.sort(rng.choice(32, size=6, replace=False, p=sites))
            weight = sites[chosen] * rng.gamma(6.0, size=6)
        parts = split_integers(np.array([amount]), weight[None, :])[0]
        in_hub = np.where(hubs[chosen], (parts * 0.92).astype(np.int64), 0)
        rows = {
            CODES[r]: {"capacity": _quantity(part, "PFLOPS"), "hub_capacity": _quantity(hub, "PFLOPS")}
            for r, part, hub in zip(chosen.tolist(), parts.tolist(), in_hub.tolist(), strict=True)
            if part > 0
        }
        result.append(_text(rows))
    return result


def _quantity(ticks: int, unit: str, decimals: int = 3) -> dict[str, str]:
    text = plain_texts(np.array([ticks]), decimals)[0]
    return {"entered": text, "unit": unit, "value": text}


def _number(ticks: int, decimals: int = 0) -> dict[str, str]:
    return {"value": plain_texts(np.array([ticks]), decimals)[0]}


def _text(rows: dict[str, Any]) -> str:
    return json.dumps({"rows": rows}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def directions(total: Ints, rng: np.random.Generator) -> list[str]:
    """MG11: public data by direction; more than nine tenths between governments and enterprises."""
    weights = rng.gamma(np.array([6.0, 700.0, 260.0, 45.0, 20.0]), size=(len(total), 5))
    return single_column(
        split_integers(total, weights), ["g2g", "g2e", "e2g", "institution", "individual"], "volume", 3, "TB"
    )


def matrix(total: Ints, rng: np.random.Generator) -> list[str]:
    """MO03: traffic between provinces in ticks of 0.0001 EB, diagonal empty, sum exact."""
    weight = np.outer(_FLOW_WEIGHT, _FLOW_WEIGHT)
    np.fill_diagonal(weight, 0.0)
    result = []
    for amount in total.tolist():
        own = (weight * rng.gamma(20.0, size=weight.shape)).ravel()
        parts = split_integers(np.array([amount]), own[None, :])[0]
        # The last cell takes the rest of the rounding; on the diagonal it is moved one column.
        parts[-2] += parts[-1]
        parts[-1] = 0
        parts = parts.reshape(32, 32)
        rows = {
            CODES[a]: {f"p{CODES[b]}": _quantity(int(parts[a, b]), "EB", 4) for b in range(32) if a != b}
            for a in range(32)
        }
        result.append(_text(rows))
    return result


def monthly_tokens(total: Ints, decimals: int) -> list[str]:
    """MP02: daily tokens by month whose sum over the days is the yearly total."""
    shares = month_shares()
    parts = np.rint(total[:, None] * shares[None, :] * 10.0 ** (6 - decimals)).astype(np.int64)
    return single_column(parts, [f"{month:02d}" for month in range(1, 13)], "daily", 6, "万亿个")


def exchange_types(total: Ints, rng: np.random.Generator) -> list[str]:
    """MX04: turnover by type of product."""
    weights = rng.gamma(np.array([4.0, 3.0, 1.0, 1.5, 1.0, 0.5]), size=(len(total), 6))
    ids = ["dataset", "api", "report", "application", "model", "other"]
    return single_column(split_integers(total, weights), ids, "turnover", 2, "")


def total_row(columns: dict[str, tuple[Ints, int, str]]) -> list[str]:
    """Tables with the single row "total": column -> (ticks (n,), decimals, unit or "")."""
    names = sorted(columns)
    texts = [plain_texts(columns[name][0], columns[name][1]) for name in names]
    return [
        '{"rows":{"total":{'
        + ",".join(f'"{n}":{cell(t, columns[n][2])}' for n, t in zip(names, row, strict=True))
        + "}}}"
        for row in zip(*texts, strict=True)
    ]


def purposes(count: int, rng: np.random.Generator) -> list[str]:
    """MS05: nine tenths frontier research, the rest transfer."""
    frontier = np.clip(np.rint(9000 + 400 * rng.standard_normal(count)), 5000, 10000).astype(np.int64)
    return single_column(
        np.column_stack([frontier, 10000 - frontier]), ["frontier", "transfer"], "share", 2, ""
    )


def spaces(count: int, rng: np.random.Generator) -> list[str]:
    """MT01: data spaces by type; nearly every unit runs one."""
    kind = rng.choice(5, size=count, p=[0.4, 0.35, 0.15, 0.03, 0.07])
    parts = np.zeros((count, 5), np.int64)
    parts[np.arange(count), kind] = 1 + (rng.random(count) < 0.12)
    ids = ["enterprise", "industry", "city", "individual", "crossborder"]
    return single_column(parts, ids, "spaces", 0, "")
