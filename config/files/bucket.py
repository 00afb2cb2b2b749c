"""Storage in a private bucket of an S3-compatible server.

An object appears when it is complete, so nothing half-written can be read. A file is fetched completely before its
first byte is used. Addresses of objects are never given out: downloads go through the site, which checks who asks.
"""

import errno
import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

from config.files.entries import Entry
from config.files.faults import FilesUnavailable

IN_MEMORY = 2**20  # bytes of a fetched file; a larger one goes to a temporary file without a name
CHUNK = 2**16
# Codes of servers for a full disk or quota: Ceph, MinIO and those derived from it, Swift.
NO_SPACE = frozenset(
    {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage"}
)


@contextmanager
def translated(name: str = "") -> Iterator[None]:
    """Errors of the client as those that every storage raises."""
    try:
        yield
    except ClientError as error:
        raise _meaning(error, name) from error
    except (BotoCoreError, Boto3Error) as error:
        raise FilesUnavailable(f"{type(error).__name__}: {error}") from error


def _meaning(error: ClientError, name: str) -> Exception:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code == "NoSuchKey":
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    if code in NO_SPACE or status == 507:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
    return FilesUnavailable(f"{code} ({status})")


class BucketStorage(S3Storage):  # type: ignore[misc]  # the package has no types
    """Files below a prefix of a bucket."""

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        file: IO[Any] = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 the caller closes it
        try:
            with translated(name):
                body = self._client().get_object(Bucket=self.bucket_name, Key=self.key(name))["Body"]
                while chunk := body.read(CHUNK):
                    file.write(chunk)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return File(file, name)

    def _save(self, name: str, content: "File[Any]") -> str:
        with translated(name):
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        """Delete a file if there is one."""
        with translated(name):
            self._client().delete_object(Bucket=self.bucket_name, Key=self.key(name))

    def entries(self) -> Iterator[Entry]:
        """All files."""
        prefix = f"{self.location.strip('/')}/"
        with translated():
            for row in self.bucket.objects.filter(Prefix=prefix):
                yield Entry(row.key.removeprefix(prefix), row.size, row.last_modified.timestamp())

    def check(self) -> None:
        """Raise FilesUnavailable unless the bucket answers."""
        with translated():
            self._client().head_bucket(Bucket=self.bucket_name)

    def key(self, name: str) -> str:
        """The key of a file. Raises SuspiciousOperation for a name that leads out of the prefix."""
        return str(self._normalize_name(clean_name(name)))

    def address(self, name: str) -> str:
        """The address of a file, without a signature: what a stranger would ask for."""
        return posixpath.join(self.endpoint_url, self.bucket_name, self.key(name))

    def place(self) -> str:
        """Where the files lie, for people."""
        return f"s3://{self.bucket_name}/{self.location.strip('/')}/"

    def url(self, *args: Any, **kwargs: Any) -> str:
        """Files have no addresses for browsers."""
        raise NotImplementedError("downloads go through the site")

    def _client(self) -> Any:
        return self.connection.meta.client
