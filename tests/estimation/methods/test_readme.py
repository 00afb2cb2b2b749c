"""The example of the README, pasted."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import estimation.methods

README = Path(estimation.methods.__file__).with_name("README.md").read_text(encoding="utf-8")


def test_the_example_prints_the_documented_output():
    code, printed = re.search(r"```python\n(.*?)```\n+```text\n(.*?)```", README, re.DOTALL).groups()
    assert len([line for line in code.splitlines() if line]) == 10
    out = StringIO()
    with redirect_stdout(out):
        exec(code, {})  # noqa: S102 the example is ours
    assert out.getvalue() == printed


def test_every_public_file_is_in_the_list_of_files():
    folder = Path(estimation.methods.__file__).parent
    named = set(re.findall(r"`(\w+)`", README[README.index("## Files") : README.index("## References")]))
    assert {path.stem for path in folder.rglob("*.py")} - {"__init__"} <= named
