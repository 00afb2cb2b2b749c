"""The form of a new run: round, snapshot, parameters."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from estimation.design.models import SampleDesign
from estimation.design.selectors import USABLE
from estimation.runs.compute.spec import RunSpec, Winsorization
from survey.collection.models import CollectionRound
from survey.microdata.selectors import versions_of

NOW = "now"


class RunForm(forms.Form):
    """Parameters with the defaults of the methodology."""

    snapshot = forms.ChoiceField(label=_("Snapshot of the accepted sheets"))
    method = forms.ChoiceField(
        label=_("Extreme values"),
        choices=[
            ("winsorize", _("Winsorize: move to the cutoff")),
            ("optimal", _("Winsorize at the cutoffs of smallest error (replicates take longer)")),
            ("trim", _("Trim: drop from the item")),
            ("none", _("Leave as they are")),
        ],
        initial="winsorize",
    )
    lower = forms.FloatField(
        label=_("Lower quantile"),
        min_value=0,
        max_value=0.5,
        initial=Winsorization().lower,
        help_text=_("Quantiles and counts are not used by the cutoffs of smallest error."),
    )
    upper = forms.FloatField(
        label=_("Upper quantile"), min_value=0.5, max_value=1, initial=Winsorization().upper
    )
    minimum = forms.IntegerField(
        label=_("Positive values a class needs"), min_value=1, max_value=1000, initial=20
    )
    lonely = forms.ChoiceField(
        label=_("Stratum with one answer"),
        choices=[
            ("adjust", _("Centre on the grand mean")),
            ("average", _("Mean of the other strata")),
            ("certainty", _("Count as taken with certainty")),
        ],
        initial="adjust",
    )
    response_classes = forms.ChoiceField(
        label=_("Units without answer in take-all strata"),
        choices=[
            ("region", _("Represented by those of their region")),
            ("stratum", _("Represented by those of the whole nation")),
        ],
        initial="region",
    )
    item_nonresponse = forms.ChoiceField(
        label=_("Required amount that is missing"),
        choices=[("stratum_mean", _("Mean of the stratum")), ("zero", _("Nothing"))],
        initial="stratum_mean",
    )
    flow_basis = forms.ChoiceField(
        label=_("Circulated data counted"),
        choices=[
            ("both", _("At both ends (F01)")),
            ("provided", _("At the provider (F02)")),
            ("obtained", _("At the receiver (F03)")),
        ],
        initial="both",
    )
    data_enterprises = forms.ChoiceField(
        label=_("Data enterprises"),
        choices=[("categories", _("Categories 8 to 12")), ("section", _("Industry section I"))],
        initial="categories",
    )
    growth_form = forms.ChoiceField(
        label=_("Growth on the fixed panel"),
        choices=[
            ("stratified", _("Class rates weighted by last year's levels")),
            ("combined", _("Ratio of the panel totals")),
        ],
        initial="stratified",
    )

    def __init__(self, *args: Any, round: CollectionRound, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.round = round
        versions = list(versions_of(round)[:20])
        self.versions = {str(version.pk): version for version in versions}
        choices: list[tuple[str, Any]] = [(NOW, _("Freeze the accepted sheets now"))]
        choices += [
            (key, f"{round.year} v{version.number} ({version.size:,})")
            for key, version in self.versions.items()
        ]
        snapshot: Any = self.fields["snapshot"]
        snapshot.choices, snapshot.initial = choices, NOW
        for name, field in self.fields.items():
            field.widget.attrs["class"] = (
                "form-select" if isinstance(field, forms.ChoiceField) else "form-control"
            )
            if self.is_bound and name in self.errors:
                field.widget.attrs.update({"aria-invalid": "true", "aria-describedby": f"id_{name}_error"})

    def clean(self) -> dict[str, Any]:
        """Build the spec, so that impossible parameters are form errors."""
        data = super().clean() or {}
        if self.errors:
            return data
        try:
            data["spec"] = RunSpec(
                winsorization=Winsorization(data["method"], data["lower"], data["upper"], data["minimum"]),
                lonely=data["lonely"],
                response_classes=data["response_classes"],
                item_nonresponse=data["item_nonresponse"],
                flow_basis=data["flow_basis"],
                data_enterprises=data["data_enterprises"],
                growth_form=data["growth_form"],
            )
        except ValueError:
            self.add_error("upper", _("The lower quantile must lie below the upper one."))
        data["microdata"] = self.versions.get(data["snapshot"])
        return data


def parameters(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a stored spec by label, with the labels of the form; other parameters keep their name."""
    flat = {name: value for name, value in spec.items() if name != "winsorization"}
    values: dict[str, Any] = {}
    for name, value in {**flat, **spec.get("winsorization", {})}.items():
        field: Any = RunForm.base_fields.get(name)
        label = str(field.label) if field else name
        values[label] = dict(getattr(field, "choices", ())).get(value, value) if field else value
    return values


class BootstrapForm(forms.Form):
    """The number of replicates."""

    replicates = forms.TypedChoiceField(
        label=_("Replicates"),
        coerce=int,
        initial=500,
        choices=[(n, f"{n:,}") for n in (100, 200, 500, 1000, 2000)],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["replicates"].widget.attrs["class"] = "form-select"


def rounds_with_design() -> list[CollectionRound]:
    """Rounds that can be estimated, newest first."""
    with_design = SampleDesign.objects.filter(state__in=USABLE).values("round")
    begun = CollectionRound.objects.exclude(state=CollectionRound.State.PLANNED)
    return list(begun.filter(pk__in=with_design).order_by("-year"))
