"""The shelf of finished pages: bounded, emptied by a new fingerprint, equal bytes for equal pages."""

import gzip

from estimation.public.shelf import Page, Shelf


def page(body: bytes) -> Page:
    return Page.of(body, {"Content-Type": "text/html"})


def test_a_page_is_found_under_its_fingerprint_only():
    shelf = Shelf()
    shelf.put("one", "/zh/?", page(b"first"))
    assert shelf.find("one", "/zh/?").body == b"first"
    assert shelf.find("two", "/zh/?") is None
    shelf.put("two", "/en/?", page(b"second"))
    assert shelf.find("two", "/zh/?") is None
    assert shelf.find("one", "/zh/?") is None


def test_the_oldest_page_makes_room():
    bodies = [bytes([65 + number]) * 1000 for number in range(4)]
    shelf = Shelf(capacity=3 * page(bodies[0]).size)
    for number, body in enumerate(bodies[:3]):
        shelf.put("one", f"/{number}", page(body))
    shelf.find("one", "/0")  # asked for again, so it is the next that goes
    shelf.put("one", "/3", page(bodies[3]))
    assert [shelf.find("one", f"/{number}") is not None for number in range(4)] == [True, False, True, True]


def test_a_page_that_is_put_twice_counts_once():
    shelf = Shelf(capacity=3 * page(b"A" * 1000).size)
    for _time in range(10):
        shelf.put("one", "/same", page(b"A" * 1000))
    shelf.put("one", "/other", page(b"B" * 1000))
    assert shelf.find("one", "/same") is not None


def test_equal_bodies_are_equal_bytes():
    first, second = page(b"body" * 500), page(b"body" * 500)
    assert first == second
    assert gzip.decompress(first.packed) == first.body
    assert page(b"other").tag != first.tag
