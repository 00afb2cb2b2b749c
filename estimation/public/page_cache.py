"""Finished public pages in memory, ready to be sent: bounded, thread-safe, compressed once. Pure."""

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

CAPACITY = 64 * 1024 * 1024  # bytes of a process


@dataclass(frozen=True, slots=True)
class Page:
    """A response as sent: body, the same body compressed, its strong tag, its other headers."""

    body: bytes
    packed: bytes
    tag: str
    headers: Mapping[str, str]

    @classmethod
    def of(cls, body: bytes, headers: Mapping[str, str]) -> "Page":
        """Compress and tag. The time stamp of gzip is left out, so that equal pages are equal bytes."""
        packed = gzip.compress(body, compresslevel=6, mtime=0)
        return cls(body, packed, f'"{hashlib.sha256(body).hexdigest()[:32]}"', dict(headers))

    @property
    def size(self) -> int:
        """Bytes that the page takes in the cache."""
        return len(self.body) + len(self.packed)


class PageCache:
    """Pages by address, all of one fingerprint; the least recently used page is removed first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.fingerprint = ""
        self._pages: OrderedDict[str, Page] = OrderedDict()
        self._held = 0
        self._lock = Lock()

    def find(self, fingerprint: str, address: str) -> Page | None:
        """The page, if it was made under this fingerprint."""
        with self._lock:
            if fingerprint != self.fingerprint:
                return None
            page = self._pages.get(address)
            if page is not None:
                self._pages.move_to_end(address)
            return page

    def put(self, fingerprint: str, address: str, page: Page) -> None:
        """Keep a page; pages of another fingerprint are removed together."""
        with self._lock:
            if fingerprint != self.fingerprint:
                self._pages.clear()
                self._held, self.fingerprint = 0, fingerprint
            former = self._pages.pop(address, None)
            self._held += page.size - (former.size if former else 0)
            self._pages[address] = page
            while self._held > self.capacity and len(self._pages) > 1:
                _address, gone = self._pages.popitem(last=False)
                self._held -= gone.size
