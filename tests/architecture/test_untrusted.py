"""No module parses a file from outside in its own process; each rule is tried on a planted violation."""

import pytest

from tests.architecture.source import Source
from tests.architecture.untrusted import parsers_in_this_process

# Files that this program wrote itself. The list is exact: an unused exception fails.
OWN_FILES = {
    "estimation/archive/package.py reads a file with zipfile.ZipFile": "an archive that this program wrote, verified "
    "by the job that wrote it or by an operator at the command line",
    "estimation/archive/tables.py reads a file with pc.read_csv": "tables of such an archive",
    "estimation/archive/tables.py reads a file with pq.read_table": "tables of such an archive",
    "estimation/report/document/word.py reads a file with zipfile.ZipFile": "the Word edition that python-docx has made",
}


def test_files_from_outside_are_parsed_in_a_child() -> None:
    assert set(parsers_in_this_process(Source.read())) == set(OWN_FILES)


@pytest.mark.parametrize(
    "planted",
    [
        "from openpyxl import load_workbook\nload_workbook(upload)",
        "import openpyxl\nopenpyxl.load_workbook(upload)",
        "import xlrd\nxlrd.open_workbook(file_contents=upload)",
        "from xml.etree import ElementTree\nElementTree.iterparse(upload)",
        "from survey.spreadsheets.parsing import open_book\nopen_book(upload)",
        "import pyarrow.parquet as pq\npq.ParquetFile(upload)",
        "import pyarrow.parquet as pq\ndef f(): return pq.read_table(upload)",
        "import zipfile\nzipfile.ZipFile(upload)",
        "import zipfile\nzipfile.ZipFile(upload, mode='r')",
        "from zipfile import ZipFile\nZipFile(upload, 'r')",
        "import csv\nrows = list(csv.reader(upload))",
        "from PIL import Image\nImage.open(upload)",
        "import pillow_heif\npillow_heif.open_heif(upload)",
        "import xml.etree.ElementTree as ET\nET.fromstring(upload)",
        "from survey.frame.parsing import table_parts\nlist(table_parts(upload))",
        "from survey.submissions.workbook.parsing import workbook_cells as cells\nlist(cells(upload))",
    ],
)
def test_a_planted_parser_is_found(planted: str) -> None:
    parsers = parsers_in_this_process(Source.read().planted("survey/collection/services.py", planted))
    assert len(set(parsers) - set(OWN_FILES)) == 1


@pytest.mark.parametrize(
    "allowed",
    [
        "import zipfile\nzipfile.ZipFile(path, 'w')",
        "from survey.frame.parsing import table_parts\nread(table_parts, upload)",
    ],
)
def test_writing_and_handing_over_are_allowed(allowed: str) -> None:
    parsers = parsers_in_this_process(Source.read().planted("survey/collection/services.py", allowed))
    assert set(parsers) == set(OWN_FILES)
