"""Where files lie: STORAGES out of the environment.

By default every kind of file has a folder. With ``FILES_URL=s3://bucket/prefix`` all kinds lie in that bucket, each
below a prefix of its own, and machines share no disk.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.environment import Environment

# Storage -> the setting that names its folder.
FOLDERS: Mapping[str, str] = {
    "attachments": "ATTACHMENT_ROOT",
    "jobs": "JOB_FOLDER",
    "reports": "REPORT_ROOT",
    "audit": "AUDIT_FOLDER",
}


def storages(env: Environment) -> dict[str, dict[str, Any]]:
    """STORAGES of all kinds of files. Raises ImproperlyConfigured."""
    address = env("FILES_URL", default="")
    if not address:
        return {
            name: {"BACKEND": "config.files.folder.FolderStorage", "OPTIONS": {"setting": setting}}
            for name, setting in FOLDERS.items()
        }
    parts = urlsplit(address)
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise ImproperlyConfigured(f"FILES_URL must be s3://BUCKET or s3://BUCKET/PREFIX, not {address!r}")
    options = _bucket(env, parts.netloc)
    prefix = f"{parts.path.strip('/')}/".lstrip("/")
    return {
        name: {
            "BACKEND": "config.files.bucket.BucketStorage",
            "OPTIONS": {**options, "location": f"{prefix}{name}"},
        }
        for name in FOLDERS
    }


def _bucket(env: Environment, name: str) -> dict[str, Any]:
    from boto3.s3.transfer import TransferConfig  # only installations with a bucket load the client
    from botocore.config import Config

    return {
        "bucket_name": name,
        "endpoint_url": env("S3_ENDPOINT"),
        "region_name": env("S3_REGION", default="us-east-1"),
        "access_key": env("S3_ACCESS_KEY"),
        "secret_key": env("S3_SECRET_KEY"),
        "verify": env("S3_CA_FILE", default="") or None,
        "default_acl": None,
        "file_overwrite": True,
        # Whatever way a browser would get at an object, it does not show it.
        "object_parameters": {
            "ContentType": "application/octet-stream",
            "ContentDisposition": "attachment",
        },
        "transfer_config": TransferConfig(use_threads=False),
        "client_config": Config(
            s3={"addressing_style": env("S3_ADDRESSING", default="path")},
            signature_version="s3v4",
            connect_timeout=3,
            read_timeout=15,
            retries={"total_max_attempts": 2, "mode": "standard"},
            # Checksums in trailers are unknown to many servers that are compatible with S3.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    }
