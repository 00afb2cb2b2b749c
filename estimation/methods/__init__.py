"""The numeric core: NumPy and SciPy only, arrays in, frozen results out. See README.md for the notation."""

from estimation.methods.disclosure.sensitivity import (
    Audit,
    PrimaryCells,
    Sensitivity,
    audit_suppression,
    primary_cells,
    table_relations,
)
from estimation.methods.disclosure.sequential import suppress_in_turn
from estimation.methods.disclosure.suppression import Suppression, SuppressionError, suppress
from estimation.methods.estimators.bootstrap import (
    Bootstrap,
    WeightChunk,
    bootstrap,
    bootstrap_part,
    combine,
    replicate_weights,
)
from estimation.methods.estimators.growth import ClassGrowth, class_growth, growth, level_growth
from estimation.methods.estimators.overlap import overlap_covariance
from estimation.methods.estimators.quality import grade, grade_estimates, largest_share, moved_share
from estimation.methods.estimators.quantiles import Quantiles, quantile
from estimation.methods.estimators.ratios import contrast, mean_multiple, ratio
from estimation.methods.estimators.totals import crosstotals, mean, proportion, total
from estimation.methods.index.composite import (
    CompositeIndex,
    IndexWeights,
    composite_index,
    critic_weights,
    entropy_weights,
)
from estimation.methods.results import Estimates
from estimation.methods.rounding import half_up, round_half_up
from estimation.methods.sample import StratifiedSample
from estimation.methods.sampling.allocation import allocate, expected_cv, largest_remainder
from estimation.methods.sampling.multivariate_allocation import (
    CVTarget,
    MultivariateAllocation,
    allocate_multivariate,
)
from estimation.methods.sampling.selection import permanent_random_numbers, select
from estimation.methods.treatment.expectation import Expected, Source, expected_values
from estimation.methods.treatment.gain import TreatmentGain, treatment_gain
from estimation.methods.treatment.imputation import Imputed, impute
from estimation.methods.treatment.optimal_cutoffs import OptimalCutoffs, optimal_cutoffs
from estimation.methods.treatment.scoring import Scores, score
from estimation.methods.treatment.winsorization import Reason, Treatment, trim, weighted_quantiles, winsorize
from estimation.methods.weighting.calibrated import calibrated_mean, calibrated_ratio, calibrated_total
from estimation.methods.weighting.calibration import Calibrated, ConvergenceError, calibrate, rake
from estimation.methods.weighting.collapsing import Collapsed, CollapseRecord, collapse, collapsing_path
from estimation.methods.weighting.response import (
    Poststratified,
    design_weights,
    effective_sample_size,
    nonresponse_weights,
    poststratify,
)

__all__ = [
    "Audit",
    "Bootstrap",
    "CVTarget",
    "Calibrated",
    "ClassGrowth",
    "CollapseRecord",
    "Collapsed",
    "CompositeIndex",
    "ConvergenceError",
    "Estimates",
    "Expected",
    "Imputed",
    "IndexWeights",
    "MultivariateAllocation",
    "OptimalCutoffs",
    "Poststratified",
    "PrimaryCells",
    "Quantiles",
    "Reason",
    "Scores",
    "Sensitivity",
    "Source",
    "StratifiedSample",
    "Suppression",
    "SuppressionError",
    "Treatment",
    "TreatmentGain",
    "WeightChunk",
    "allocate",
    "allocate_multivariate",
    "audit_suppression",
    "bootstrap",
    "bootstrap_part",
    "calibrate",
    "calibrated_mean",
    "calibrated_ratio",
    "calibrated_total",
    "class_growth",
    "collapse",
    "collapsing_path",
    "combine",
    "composite_index",
    "contrast",
    "critic_weights",
    "crosstotals",
    "design_weights",
    "effective_sample_size",
    "entropy_weights",
    "expected_cv",
    "expected_values",
    "grade",
    "grade_estimates",
    "growth",
    "half_up",
    "impute",
    "largest_remainder",
    "largest_share",
    "level_growth",
    "mean",
    "mean_multiple",
    "moved_share",
    "nonresponse_weights",
    "optimal_cutoffs",
    "overlap_covariance",
    "permanent_random_numbers",
    "poststratify",
    "primary_cells",
    "proportion",
    "quantile",
    "rake",
    "ratio",
    "replicate_weights",
    "round_half_up",
    "score",
    "select",
    "suppress",
    "suppress_in_turn",
    "table_relations",
    "total",
    "treatment_gain",
    "trim",
    "weighted_quantiles",
    "winsorize",
]
