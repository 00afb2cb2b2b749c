"""Stored sentences: code and parameters, shown in the active language."""

from decimal import Decimal

import pytest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from survey.exceptions import PolicyDenied
from survey.records import SentenceField
from survey.sentences import Sentence, as_written, define, defined

EXPIRED = define("test_expired", _("This file has expired. Ask for it again."))
WAIT = define("test_wait", _("The file has more than %(limit)s rows. Split it."))


def test_a_stored_sentence_is_shown_in_the_active_language() -> None:
    stored = Sentence.from_document(WAIT(limit=5).to_document())
    with override("en"):
        assert str(stored) == "The file has more than 5 rows. Split it."
    with override("zh-hans"):
        assert "5" in str(stored) and "rows" not in str(stored)


def test_the_stored_form_is_code_and_parameters() -> None:
    assert WAIT(limit=Decimal("5.0")).to_document() == {"code": "test_wait", "params": {"limit": "5.0"}}
    assert Sentence().to_document() == {} and not Sentence.from_document({})
    assert (
        Sentence.from_document({"code": "test_expired"}) == EXPIRED()
    )  # rows of the frame without parameters


def test_a_parameter_may_be_a_sentence_or_a_list() -> None:
    stored = Sentence.from_document(WAIT(limit=[EXPIRED(), 7]).to_document())
    with override("en"):
        assert str(stored).startswith("The file has more than This file has expired. Ask for it again., 7")
    with override("zh-hans"):
        assert "expired" not in str(stored)


def test_a_text_without_a_code_is_shown_as_it_was_written() -> None:
    assert str(as_written(text="100% of 已更正")) == "100% of 已更正"


def test_an_unknown_code_is_shown_with_its_parameters() -> None:
    assert str(Sentence("gone", {"count": 3})) == "gone count=3"


def test_translated_parameters_and_duplicate_codes_are_refused() -> None:
    with pytest.raises(TypeError):
        WAIT(limit=_("yes"))
    with pytest.raises(ValueError, match="taken"):
        define("test_wait", _("yes"))


@pytest.mark.parametrize("value", ["The run failed.", _("yes"), None, {"code": "test_expired"}])
def test_the_field_stores_nothing_but_sentences(value: object) -> None:
    with pytest.raises(TypeError):
        SentenceField(name="error").get_prep_value(value)
    assert SentenceField(name="error").get_prep_value(EXPIRED()) == {"code": "test_expired", "params": {}}


def test_a_refusal_has_the_code_and_parameters_of_its_sentence() -> None:
    refusal = PolicyDenied(WAIT(limit=5))
    assert (refusal.code, refusal.params) == ("test_wait", {"limit": 5})
    with override("en"):
        assert str(refusal) == "The file has more than 5 rows. Split it."
        plain = PolicyDenied(_("This file has expired. Ask for it again."))
        assert (plain.code, plain.params) == ("", {})
        assert plain.stored == as_written(text="This file has expired. Ask for it again.")


def test_every_app_loads_its_messages() -> None:
    assert {"test_wait", "as_written"} <= set(defined())
