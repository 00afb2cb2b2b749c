"""Chinese is complete: every message of code and templates has a translation, and it is compiled."""

import gettext
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = Path("survey/locale/zh_Hans/LC_MESSAGES")


def entries(path: Path) -> dict[str, str]:
    """msgid -> msgstr of a .po file (the first plural form where there are several)."""
    entries_by_id: dict[str, str] = {}
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        identity = _field(block, "msgid")
        if identity:
            entries_by_id[identity] = _field(block, "msgstr") or _field(block, r"msgstr\[0\]")
    return entries_by_id


def _field(block: str, name: str) -> str:
    match = re.search(rf'^{name} ((?:"(?:[^"\\]|\\.)*"\s*)+)', block, re.MULTILINE)
    if match is None:
        return ""
    quoted = re.findall(r'"((?:[^"\\]|\\.)*)"', match[1])
    return "".join(quoted).replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")


def test_every_message_is_translated() -> None:
    assert len(entries(ROOT / CATALOGUE / "django.po")) > 50
    assert untranslated(ROOT / CATALOGUE / "django.po") == []


def untranslated(path: Path) -> list[str]:
    """Messages of a catalogue without a translation."""
    return [identity for identity, text in entries(path).items() if not text]


def test_a_message_without_translation_is_found(tmp_path: Path) -> None:
    copy = tmp_path / "django.po"
    original = (ROOT / CATALOGUE / "django.po").read_text(encoding="utf-8")
    copy.write_text(original + '\nmsgid "A planted message"\nmsgstr ""\n', encoding="utf-8")
    assert untranslated(copy) == ["A planted message"]


def test_placeholders_survive_translation() -> None:
    lost = {}
    for identity, text in entries(ROOT / CATALOGUE / "django.po").items():
        in_message, in_translation = (
            set(re.findall(r"%\(\w+\)[sd]|\{\w+\}", entry)) for entry in (identity, text)
        )
        if in_message != in_translation:
            lost[identity] = text
    assert lost == {}


def test_compiled_catalogue_is_current() -> None:
    with (ROOT / CATALOGUE / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    stale = [
        identity
        for identity, text in entries(ROOT / CATALOGUE / "django.po").items()
        if compiled.gettext(identity) != text and compiled.ngettext(identity, identity, 1) != text
    ]
    assert stale == []


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="xgettext (GNU gettext) is not installed")
def test_catalogue_holds_every_message_of_the_sources(tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    for name in ("config", "survey", "estimation", "templates"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)  # settings read the version there
    planted = "from django.utils.translation import gettext as _\n_('A planted message of the program')\n"
    (copy / "survey/planted.py").write_text(planted, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "django",
        "makemessages",
        "-l",
        "zh_Hans",
        "--no-obsolete",
        "--no-location",
        "--settings",
        "config.settings",
        "--pythonpath",
        str(copy),
        "-e",
        "html,py,txt",
        "-v",
        "0",
    ]
    subprocess.run(command, cwd=copy, check=True, capture_output=True)
    missing = set(entries(copy / CATALOGUE / "django.po")) - set(entries(ROOT / CATALOGUE / "django.po"))
    assert missing == {"A planted message of the program"}  # and nothing else
