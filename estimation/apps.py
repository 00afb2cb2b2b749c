"""The estimation side of the system."""

from django.apps import AppConfig


class EstimationConfig(AppConfig):
    """GSBPM 2.4, 4.1, 5.6 - 7.3: sample design, estimation, release."""

    name = "estimation"
    verbose_name = "Estimation"
