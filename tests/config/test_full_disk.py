"""A request that fails because a disk is full is answered with 507; another error of a file stays a 500."""

import errno

import pytest
from django.utils import translation

from config.errors import server_error


@pytest.mark.parametrize(
    ("number", "status"), [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EACCES, 500)]
)
def test_a_full_disk_is_507(rf, number, status):
    try:
        raise OSError(number, "from a write")
    except OSError:
        assert server_error(rf.post("/sheets/1/evidence/")).status_code == status


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "磁盘已满"), ("en", "is full")])
def test_the_page_is_in_the_language_of_the_user(rf, language, words):
    with translation.override(language):
        try:
            raise OSError(errno.ENOSPC, "no space")
        except OSError:
            assert words in server_error(rf.get("/")).content.decode()
