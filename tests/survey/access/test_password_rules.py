"""Passwords that are easily guessed are refused: common ones that fit the other rules, and words of the survey."""

from itertools import islice
from threading import Thread
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from survey.access.models import User
from survey.access.passwords.services import (
    HardToGuessValidator,
    ThreeOfFourClassesValidator,
    initial_password,
)
from survey.access.passwords.words import words

ADDED = ("123", "2026", "@123", "1234!", "123456")


def fits(password: str) -> bool:
    """True when length and classes of characters are as demanded."""
    try:
        ThreeOfFourClassesValidator().validate(password)
    except ValidationError:
        return False
    return len(password) >= 10


def is_refused(password: str, user: User | None = None) -> bool:
    try:
        HardToGuessValidator().validate(password, user)
    except ValidationError:
        return True
    return False


def test_three_thousand_common_passwords_that_fit_the_rules_are_refused() -> None:
    made = (f"{word.capitalize()}{end}" for word in FREQUENCY_LISTS["passwords"] for end in ADDED)
    common = list(islice(filter(fits, made), 3000))
    assert len(set(common)) == 3000
    assert [password for password in common if not is_refused(password)] == []


@pytest.mark.parametrize("password", ["Survey2026!!", "Tongji@2026", "Shuju12345!", "Fujianju-2026"])
def test_words_of_the_survey_and_its_authority_are_refused(password: str, settings: Any) -> None:
    settings.SURVEY_AUTHORITY_EN = "Fujianju Office"
    assert fits(password) and is_refused(password)
    with pytest.raises(ValidationError, match=r"简单|easy"):
        validate_password(password)


def test_the_list_names_the_survey_the_authority_and_the_site(settings: Any) -> None:
    settings.SURVEY_AUTHORITY, settings.SURVEY_AUTHORITY_EN = "国家统计局", "National Bureau of Statistics"
    settings.ALLOWED_HOSTS, settings.SITE_ADDRESS = ["ndrs.stats.gov.cn"], "https://form.example.org"
    assert {"ndrs", "tongji", "国家统计局", "bureau", "stats", "gov", "example"} <= set(words())


def test_the_own_name_is_refused_and_that_of_others_is_not() -> None:
    user = User(username="ouyang-xiuying", name="欧阳秀英")
    assert is_refused("Ouyang-xiuying1", user) and not is_refused("Ouyang-xiuying1", User(username="a"))


def test_passwords_of_several_words_and_random_ones_are_taken() -> None:
    assert not any(map(is_refused, ("Another-2026-ok", "Zhuozi7-lantian-Shuiguo", "x" * 3 + "Qv7#kd92Lm")))
    assert not any(is_refused(initial_password()) for _attempt in range(20))
    assert not is_refused("Qv7#kd92Lm-" * 18)  # longer than the estimate takes


def test_known_words_of_one_check_do_not_reach_another() -> None:
    results: list[bool] = []

    def check(name: str) -> None:
        user = User(username=name)
        results.extend(
            is_refused("Ouyang-xiuying1", user) == (name == "ouyang-xiuying") for _round in range(30)
        )

    threads = [Thread(target=check, args=(name,)) for name in ("ouyang-xiuying", "somebody-else")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(results) and len(results) == 60
