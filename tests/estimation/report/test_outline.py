"""The document as a tree: order, numbering, what is left out; figures of a set."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from estimation.releases.content.content import Block, CellStatus, FrozenCell, Text
from estimation.report.figures.charts import chart
from estimation.report.figures.drawing import draw
from estimation.report.figures.figures import complete
from estimation.report.figures.tiles import TILES
from estimation.report.grid import grid_of, grouped
from estimation.report.outline import Outline, Section, called, outline, paragraphs
from estimation.report.structure import numeral, unnumbered
from tests.estimation.report.sample import DATA, content


def sample_outline(language: str = "zh", *blocks: Block) -> Outline:
    release_content = replace(content(), blocks=(*content().blocks, *blocks))
    return outline(release_content, complete(release_content), language)


def test_chapters_are_numbered_as_in_the_published_report() -> None:
    headings = [(section.level, section.number, section.heading) for section in sample_outline().sections]
    assert headings[:4] == [
        (1, "", "前言"),
        (1, "第一章", "重点指标"),
        (2, "一、", "数据资源供给主要指标"),
        (2, "二、", "数据要素流通主要指标"),
    ]
    assert (3, "（一）", "数据生产规模保持高速增长") in headings
    assert (1, "附录", "调查方法") in headings
    assert (3, "2.1.2", "Stored data are easier to use") in [
        (section.level, section.number, section.heading) for section in sample_outline("en").sections
    ]


def test_sections_without_passages_are_omitted() -> None:
    positions = [section.code for section in sample_outline().sections]
    assert "chapter3.1" in positions
    assert "chapter3.2" not in positions and "chapter2.4.3" not in positions


def test_a_passage_of_an_unknown_section_is_added_to_its_parent() -> None:
    guest = Block(
        "X", "appendix.methods.weights", Text("一、权数", "Weights"), Text("权数说明。", "On weights.")
    )
    sections = sample_outline("zh", guest).sections
    at = [section.code for section in sections].index("appendix.methods.weights")
    assert sections[at - 1].code == "appendix.methods"
    assert (sections[at].level, sections[at].heading) == (3, "权数")


def test_figures_and_tables_are_numbered_in_order() -> None:
    parts: list[Any] = [part for section in sample_outline().sections for part in section.parts]
    assert [part.number for part in parts if part.kind == "figure"] == [f"图{at}" for at in range(1, 10)]
    tables = [part.number for part in parts if part.kind == "table"]
    assert tables == ["", "", "", "表1", "表2", "表3", "表4", "附表1", "附表2"]


def test_marks_in_passages() -> None:
    entry, two = paragraphs("**先说。**总量[^2]为\n1.49。\n\n第二段")
    assert [(span.text, span.bold, span.note) for span in entry.spans] == [
        ("先说。", True, 0),
        ("总量", False, 2),
        ("为 1.49。", False, 0),
    ]
    assert two.text == "第二段"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2949.12", "2,949.12"),
        (">5400", ">5,400"),
        ("0.06", "0.06"),
        ("1,956", "1,956"),
        ("-1234.5", "-1,234.5"),
        ("×", "×"),
    ],
)
def test_thousands(text: str, wanted: str) -> None:
    assert grouped(text) == wanted


def test_numerals() -> None:
    assert numeral(1, 3, "3", "", "zh") == "第三章"
    assert numeral(2, 4, "1", "", "zh") == "四、"
    assert numeral(3, 2, "1", "", "zh") == "（二）"
    typed = ("第一章 重点", "（二） 存储", "三、流通", "2.1 Supply", "数据")
    assert [unnumbered(heading) for heading in typed] == ["重点", "存储", "流通", "Supply", "数据"]


def test_units_are_in_heads_or_in_labels() -> None:
    tables = {table.code: table for table in content().tables}
    assert grid_of(content(), tables["T1"], "zh").heads[0] == "头部平台企业 (%)"
    chapter = grid_of(content(), tables["C1.supply"], "zh")
    assert chapter.rows[0].label == "全国年度数据生产总量 (ZB)"
    assert chapter.spans == (("当年新增", 3), ("累计", 3))


def test_tiles_are_the_32_regions_and_none_covers_another() -> None:
    assert TILES.keys() == DATA["table4"].keys()
    assert len({(tile.column, tile.row) for tile in TILES.values()}) == 32


@pytest.mark.parametrize("language", ["zh", "en"])
def test_figures_say_the_printed_numbers_and_have_words(language: str) -> None:
    release_content = content()
    figures = complete(release_content)
    assert [entry.code for entry in figures] == [
        "FIG1",
        "FIG2",
        "FIG3",
        "storage",
        "flows",
        "sections",
        "growth_size",
        "regions",
        "quality",
    ]
    for figure in figures[:6]:
        svg = draw(chart(release_content, figure, language))
        for point in figure.points:
            cell = release_content.cells[point.key]
            if cell.status is CellStatus.SHOWN and (
                figure.code not in ("storage", "flows") or point.key.endswith("2025")
            ):
                assert f">{grouped(cell.printed).replace('>', '&gt;')}<" in svg, (figure.code, point.key)
    assert all(len(entry.alternative.get(language)) > 40 for entry in figures)


def test_a_withheld_point_is_not_drawn() -> None:
    release_content = content()
    figure = next(entry for entry in complete(release_content) if entry.code == "sections")
    hidden = FrozenCell(
        "T2.A.production_zb", Text("x", "x"), Text("ZB", "ZB"), "×", CellStatus.WITHHELD, value=1.4567
    )
    document = str(
        chart(replace(release_content, cells={**release_content.cells, hidden.key: hidden}), figure, "zh")
    )
    assert "1.4567" not in document and "农、林、牧、渔业" not in document
    assert "农、林、牧、渔业" in str(chart(release_content, figure, "zh"))


def test_pictures_have_the_same_bytes_in_every_process() -> None:
    program = (
        "import django; django.setup()\n"
        "from tests.estimation.report.sample import content\n"
        "from estimation.report.figures.figures import complete\n"
        "from estimation.report.figures.charts import chart\n"
        "from estimation.report.figures.drawing import draw, rasterise\n"
        "import hashlib, sys\n"
        "figures = {one.code: one for one in complete(content())}\n"
        "order = ['FIG2', 'regions'] if sys.argv[1] == 'there' else ['regions', 'FIG2']\n"
        "pictures = {code: draw(chart(content(), figures[code], 'zh')) for code in order}\n"
        "print({code: (hashlib.sha256(pictures[code].encode()).hexdigest(), "
        "hashlib.sha256(rasterise(pictures[code])).hexdigest()) for code in sorted(pictures)})\n"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program, way], check=True, capture_output=True, text=True
        ).stdout
        for way in ("there", "back")
    }
    assert len(seen) == 1
    assert hashlib.sha256(b"").hexdigest() not in seen.pop()


def test_notes_are_numbered_by_first_reference_and_unreferenced_ones_omitted() -> None:
    texts = ["one", "two", "three"]
    parts = tuple(paragraphs("率[^3]与总量[^1]。\n\n又见率[^3]，无此注[^9]。"))
    (section,), notes = called([Section("x", 1, "", "", parts)], texts)
    called_parts: Any = section.parts
    spans = [(span.note, span.call) for part in called_parts for span in part.spans if span.note]
    assert spans == [(1, 1), (2, 1), (1, 2)]
    assert [(note.number, note.text, note.calls) for note in notes] == [(1, "three", 2), (2, "one", 1)]
