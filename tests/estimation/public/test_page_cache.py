"""The cache of finished pages: bounded, emptied by a new fingerprint, equal bytes for equal pages."""

import gzip

from estimation.public.page_cache import Page, PageCache


def page(body: bytes) -> Page:
    return Page.of(body, {"Content-Type": "text/html"})


def test_a_page_is_cached_under_its_fingerprint_only():
    cache = PageCache()
    cache.put("one", "/zh/?", page(b"first"))
    assert cache.find("one", "/zh/?").body == b"first"
    assert cache.find("two", "/zh/?") is None
    cache.put("two", "/en/?", page(b"second"))
    assert cache.find("two", "/zh/?") is None
    assert cache.find("one", "/zh/?") is None


def test_the_least_recently_used_page_is_removed_at_capacity():
    bodies = [bytes([65 + number]) * 1000 for number in range(4)]
    cache = PageCache(capacity=3 * page(bodies[0]).size)
    for number, body in enumerate(bodies[:3]):
        cache.put("one", f"/{number}", page(body))
    cache.find("one", "/0")  # asked for again, so it is the next that goes
    cache.put("one", "/3", page(bodies[3]))
    assert [cache.find("one", f"/{number}") is not None for number in range(4)] == [True, False, True, True]


def test_a_page_that_is_put_twice_counts_once():
    cache = PageCache(capacity=3 * page(b"A" * 1000).size)
    for _time in range(10):
        cache.put("one", "/same", page(b"A" * 1000))
    cache.put("one", "/other", page(b"B" * 1000))
    assert cache.find("one", "/same") is not None


def test_equal_bodies_are_equal_bytes():
    first, second = page(b"body" * 500), page(b"body" * 500)
    assert first == second
    assert gzip.decompress(first.packed) == first.body
    assert page(b"other").tag != first.tag
