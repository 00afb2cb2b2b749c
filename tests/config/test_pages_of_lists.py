"""Lists of the interface for machines take whole numbers for page and page size, nothing else."""

import pytest
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from config.api import PageNumbers


@pytest.mark.parametrize("query", ["page=", "page=x", "page=9", "page_size=", "page_size=x", "page_size=0"])
def test_a_page_that_does_not_exist_is_not_found(rf, query):
    with pytest.raises(NotFound):
        PageNumbers().paginate_queryset(range(3), Request(rf.get(f"/?{query}")))


@pytest.mark.parametrize(("query", "rows"), [("", 3), ("page=1", 3), ("page=2&page_size=2", 1)])
def test_a_page_has_its_rows(rf, query, rows):
    assert len(PageNumbers().paginate_queryset(list(range(3)), Request(rf.get(f"/?{query}")))) == rows
