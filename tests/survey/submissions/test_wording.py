"""One word for one notion in what respondents read: the words that are not used occur in no Chinese text of theirs."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation import gettext, ngettext, override
from django.utils.translation.template import templatize

from survey.questionnaires.loader import DEFINITIONS, load_all
from tests.architecture.test_layout import ROOT

# The word that is used, and those that are not.
WORDS = {
    "报表": "问卷|调查表",
    "报表部分": "分段",
    "填报内容": "答案",
    "审核问题": "核查提示|审核结果",
    "待更正或补充": "待处理|须更正|待办",
    "待说明": "须说明",
    "审核人员": "审核人(?!员)",
    "报送": "提交",
    "调查机构": "统计机构",
    "校验值": "哈希",
}
UNUSED = re.compile("|".join(WORDS.values()))
TEMPLATES = ("templates/survey/submissions", "templates/answers")
# The desk reads the rates of the rules.
DESK = {"rules.html"}
MODULES = ("survey/submissions", "survey/questionnaires/answering", "survey/questionnaires/guidance")
CALLS = {"_", "gettext", "gettext_lazy", "ngettext"}


def messages_of(source: str) -> Iterator[str]:
    """The strings that a module passes to gettext, and its Chinese literals."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS:
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield gettext(argument.value)
                    yield ngettext(argument.value, argument.value, 1)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.search("[一-鿿]", node.value)
        ):
            yield node.value


def texts_of_template(path: Path) -> Iterator[str]:
    """The translations of the messages of a template."""
    program = templatize(path.read_text(encoding="utf-8"), origin=str(path))
    for match in re.finditer(
        r"\b(?:gettext|ngettext|_)\(\s*u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")", program
    ):
        message = str(ast.literal_eval(match[1]))
        yield gettext(message)
        yield ngettext(message, message, 1)


def unused_words(texts: Iterator[str]) -> set[str]:
    return {text for text in texts if UNUSED.search(text)}


@pytest.mark.parametrize("folder", TEMPLATES)
def test_templates_use_one_word_for_one_notion(folder):
    paths = [path for path in sorted((ROOT / folder).rglob("*.html")) if path.name not in DESK]
    with override("zh-hans"):
        assert {path.name: words for path in paths if (words := unused_words(texts_of_template(path)))} == {}


@pytest.mark.parametrize("folder", MODULES)
def test_modules_use_one_word_for_one_notion(folder):
    paths = sorted((ROOT / folder).rglob("*.py"))
    assert paths
    with override("zh-hans"):
        unused = {path.name: unused_words(messages_of(path.read_text(encoding="utf-8"))) for path in paths}
    assert {name: words for name, words in unused.items() if words} == {}


def test_definitions_use_one_word_for_one_notion():
    texts = {edit.message.zh for form in load_all(DEFINITIONS).values() for edit in form.edits}
    for form in load_all(DEFINITIONS).values():
        for item in form.items.values():
            texts |= {item.definition.zh, item.includes.zh, item.excludes.zh, item.where.zh}
    assert unused_words(iter(texts)) == set()


def test_a_second_word_is_found(tmp_path):
    template = tmp_path / "planted.html"
    template.write_text("{% load i18n %}{% translate 'Form' %}{% translate 'Questionnaires' %}")
    with override("zh-hans"):
        assert unused_words(texts_of_template(template)) == {"调查表"}
        assert unused_words(messages_of('x = "核查提示"\ny = _("Findings")\n')) == {"核查提示"}


def test_every_kind_of_template_text_is_read(tmp_path):
    template = tmp_path / "texts.html"
    template.write_text(
        "{% load i18n %}{% translate 'Findings' %}"
        "{% blocktranslate count counter=n trimmed %}{{ counter }} to correct or complete{% plural %}"
        "{{ counter }} to correct or complete{% endblocktranslate %}"
    )
    with override("zh-hans"):
        assert {"审核问题", "%(counter)s项待更正或补充"} <= set(texts_of_template(template))
