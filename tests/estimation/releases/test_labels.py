"""Names that a run stores, in the words of the page."""

from django.utils.translation import override

from estimation.runs.compute.spec import RunSpec, Winsorization
from estimation.runs.forms import parameters
from estimation.templatetags import estimation as filters


def test_names_of_strata_and_classes_are_words_in_both_languages() -> None:
    with override("zh-hans"):
        assert filters.stratum_label("J · east · small (2)") == "金融业 · 东部 · 小微型 (2)"
        assert filters.stratum_label("CAT03 · 630000") == "事业单位 · 青海"
        assert filters.class_label("other/C") == "其他企业 · 制造业"
        assert filters.parameter_label("winsorize", "method") == "缩尾：调整到界值"
    with override("en"):
        assert filters.stratum_label("C · nation · large+medium") == "Manufacturing · Nation · Large+Medium"
        assert filters.class_label("government/-") == "Government"


def test_keys_of_estimates_are_words_and_other_keys_stay() -> None:
    with override("en"):
        assert (
            filters.estimate_name("P01/total/section/J/2025")
            == "P01 · Total · Financial Intermediation · 2025"
        )
        assert (
            filters.estimate_name("A02/S02/ratio/nation/all/2024")
            == "A02/S02 · Ratio · All respondents · 2024"
        )
        assert (
            filters.estimate_name("valid/count/region/320000/2025") == "valid sheets · count · Jiangsu · 2025"
        )
        assert filters.estimate_name("EXT-P01-TOTAL/2022") == "EXT-P01-TOTAL/2022"


def test_parameters_of_a_run_have_the_labels_of_the_form() -> None:
    """A dictionary inside the specification is not shown as a dictionary."""
    with override("zh-hans"):
        result = parameters(RunSpec(winsorization=Winsorization("none"), lonely="certainty").to_json())
        assert result["极端值"] == "不处理"
        assert result["仅有一个样本的层"] == "视为全数层"
        assert not any(isinstance(value, dict) for value in result.values())
