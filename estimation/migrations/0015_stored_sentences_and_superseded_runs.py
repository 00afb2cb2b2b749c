"""Sentences that earlier programs stored get their codes; the finished runs of a round become a chain."""

import re
from typing import Any

from django.db import migrations

# Each as it stood in the English and in the Chinese catalogue.
SENTENCES = {
    "run_out_of_memory": ("The computation ran out of memory.", "计算内存不足。"),
    "run_stopped": ("The computation stopped: %(error)s", "计算中断：%(error)s"),
    "run_lost": (
        "The worker stopped %(count)s times while it computed this run. Look at the worker's memory and log.",
        "计算该批次时后台进程已中断%(count)s次，请检查其内存和日志。",
    ),
    "bootstrap_lost": (
        "A worker stopped %(count)s times while it computed a chunk. Look at its memory and log.",
        "工作进程计算某一批次时中止了 %(count)s 次，请检查其内存和日志。",
    ),
    "hand_over_lost": (
        "The worker stopped %(count)s times during the hand-over.",
        "移交过程中工作进程停止了 %(count)s 次。",
    ),
    "hand_over_not_allowed": ("Who asked for the hand-over may not do it any more.", "申请移交的人员已无此权限。"),
    "hand_over_stopped": ("The hand-over stopped: %(error)s", "移交中止：%(error)s"),
}
_FIELDS = (
    ("EstimationRun", "error"),
    ("Bootstrap", "error"),
    ("IndexResult", "error"),
    ("SampleDesign", "hand_over_error"),
)


def coded(text: str) -> dict[str, Any]:
    """The code and parameters of a known sentence, the text itself of any other."""
    for code, wordings in SENTENCES.items():
        for wording in wordings:
            pattern = re.escape(wording).replace(r"%\(error\)s", "(?P<error>.*)").replace(r"%\(count\)s", r"(?P<count>\d+)")
            found = re.fullmatch(pattern, text, re.DOTALL)
            if found:
                params = found.groupdict()
                return {"code": code, "params": {n: int(v) if n == "count" else v for n, v in params.items()}}
    return {"code": "as_written", "params": {"text": text}}


def forwards(apps: Any, schema_editor: Any) -> None:
    for model, field in _FIELDS:
        rows = apps.get_model("estimation", model).objects.filter(**{f"{field}__code": "as_written"})
        for row in rows.only("pk", field).iterator():
            setattr(row, field, coded(getattr(row, field)["params"]["text"]))
            row.save(update_fields=[field])
    _chain(apps.get_model("estimation", "EstimationRun"))


def _chain(runs: Any) -> None:
    """Each finished run supersedes the one of its round that had finished before it."""
    before: dict[int, Any] = {}
    for run in runs.objects.filter(state="finished").order_by("round_id", "finished_at", "pk"):
        run.summary.pop("superseded_by", None)
        run.supersedes = before.get(run.round_id)
        run.save(update_fields=["summary", "supersedes"])
        before[run.round_id] = run


class Migration(migrations.Migration):
    dependencies = [("estimation", "0014_errors_by_code")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
