"""Templates: djlint lays them out, no line is too long, and each lies in the folder of the package that renders it."""

import ast
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path, PurePosixPath

from tests.architecture.source import Source

ROOT = Path(__file__).resolve().parents[2]
# djlint breaks at 120 where white space is invisible; between inline elements it may not.
LINE_LIMIT = 130


def long_lines(templates: Path) -> list[str]:
    """Lines over the limit as ``file:line (length)``."""
    return [
        f"{path.relative_to(templates)}:{number} ({len(line)})"
        for path in sorted(templates.rglob("*.html"))
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1)
        if len(line) > LINE_LIMIT
    ]


def is_formatted(template: Path) -> bool:
    """Whether djlint, with the settings of this repository, would leave the file as it is."""
    command = [
        sys.executable,
        "-m",
        "djlint",
        "--check",
        "--quiet",
        "--prefer-configuration",
        "--configuration",
        str(ROOT / "pyproject.toml"),
        str(template),
    ]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_no_line_of_a_template_is_over_the_limit() -> None:
    assert len(list((ROOT / "templates").rglob("*.html"))) > 150
    assert long_lines(ROOT / "templates") == []


def test_a_long_line_in_a_copy_is_found(tmp_path: Path) -> None:
    copy = shutil.copytree(ROOT / "templates", tmp_path / "templates")
    line = copy.joinpath("base.html").read_text(encoding="utf-8").count("\n") + 1
    with copy.joinpath("base.html").open("a", encoding="utf-8") as file:
        file.write(f"<p>{'数' * LINE_LIMIT}</p>\n")
    assert long_lines(copy) == [f"base.html:{line} ({LINE_LIMIT + 7})"]


def test_a_template_that_djlint_did_not_lay_out_is_found(tmp_path: Path) -> None:
    copy = Path(shutil.copy(ROOT / "templates" / "base.html", tmp_path / "base.html"))
    assert is_formatted(copy)
    copy.write_text(copy.read_text(encoding="utf-8").replace("\n    <meta", "\n<meta"), encoding="utf-8")
    assert not is_formatted(copy)


def naming_packages(root: Path) -> dict[str, set[str]]:
    """Template of the survey or the estimation -> folders of the packages whose modules name it."""
    named: dict[str, set[str]] = defaultdict(set)
    for app in ("survey", "estimation"):
        for path in (root / app).rglob("*.py"):
            package = path.parent.relative_to(root).as_posix()
            for template in re.findall(
                r'"((?:survey|estimation)/[\w/]+\.html)', path.read_text(encoding="utf-8")
            ):
                named[template].add(package)
    return named


def misplaced(root: Path) -> list[str]:
    """Templates that no package of their folder's name renders."""
    return sorted(
        template
        for template, packages in naming_packages(root).items()
        if PurePosixPath(template).parent.as_posix() not in packages
    )


def test_templates_lie_in_the_folder_of_the_package_that_renders_them() -> None:
    assert len(naming_packages(ROOT)) > 80
    assert misplaced(ROOT) == []
    folders = {path.parent.relative_to(ROOT / "templates") for path in (ROOT / "templates").rglob("*.html")}
    apps = {folder for folder in folders if folder.parts and folder.parts[0] in ("survey", "estimation")}
    assert [str(folder) for folder in sorted(apps) if not (ROOT / folder / "__init__.py").exists()] == []


def test_a_template_in_the_folder_of_another_package_is_found(tmp_path: Path) -> None:
    views = tmp_path / "survey" / "frame" / "views.py"
    views.parent.mkdir(parents=True)
    views.write_text('page(request, "survey/frame/frame.html")\npage(request, "survey/review/unit.html")\n')
    assert misplaced(tmp_path) == ["survey/review/unit.html"]


def made_of_texts(source: Source) -> list[str]:
    """Files that make a template of a text instead of naming a file."""
    return sorted(
        path
        for path, tree in source.trees()
        if any(
            isinstance(node, ast.Call)
            and (getattr(node.func, "attr", "") or getattr(node.func, "id", ""))
            in {"from_string", "Template"}
            for node in ast.walk(tree)
        )
    )


def test_no_template_is_made_of_a_text() -> None:
    # The text of the one exception is a file, too: the proxy's configuration.
    assert made_of_texts(Source.read()) == ["config/web/proxy.py"]
    for text in ("Template(request.POST['text'])", "engines['django'].from_string(answer)"):
        planted = Source.read().planted("survey/access/pages.py", text)
        assert made_of_texts(planted) == ["config/web/proxy.py", "survey/access/pages.py"]
