"""The endpoint that a field of a long code list asks."""

import pytest
from django.test import Client

from survey.questionnaires.models import QuestionnaireVersion

pytestmark = pytest.mark.django_db


def ask(
    client: Client, name: str, query: str, *, language: str = "zh-hans"
) -> dict[str, list[dict[str, str]]]:
    """The answer of the endpoint for a published version."""
    version = QuestionnaireVersion.objects.filter(category="CAT13").latest("number")
    client.cookies["django_language"] = language
    response = client.get(f"/questionnaires/{version.pk}/lists/{name}/", {"q": query})
    assert response.status_code == 200
    answer: dict[str, list[dict[str, str]]] = response.json()
    return answer


def test_entries_come_ranked_with_their_names(client: Client) -> None:
    assert ask(client, "divisions", "nj gl")["entries"] == [
        {"code": "320106", "name": "江苏省南京市鼓楼区", "above": ""}
    ]


def test_a_class_says_what_stands_above_it(client: Client) -> None:
    entry = ask(client, "industries", "稻谷种植")["entries"][0]
    assert entry == {"code": "0111", "name": "稻谷种植", "above": "农、林、牧、渔业 › 农业 › 谷物种植"}


def test_english_pages_get_english_names(client: Client) -> None:
    assert ask(client, "divisions", "320106", language="en")["entries"][0]["name"].startswith("Gulou Qu")


def test_nothing_is_found_for_nothing_and_the_answer_is_short(client: Client) -> None:
    assert ask(client, "divisions", "")["entries"] == []
    assert len(ask(client, "divisions", "3")["entries"]) == 20


def test_an_unknown_list_is_not_found(client: Client) -> None:
    version = QuestionnaireVersion.objects.filter(category="CAT13").latest("number")
    assert client.get(f"/questionnaires/{version.pk}/lists/no_list/").status_code == 404
