"""An S3 server for the tests: JuiceFS' gateway, which answers with MinIO's code, on files of a folder.

``start`` and ``stop`` may be repeated: the content stays, as behind a server that is started again.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

KEY, SECRET = "survey-test", "a-secret-of-the-tests"
BUCKET = "survey"
PATIENCE = 60  # seconds


class S3Server:
    """The server at an address; ``prefix`` is put before its command (as for a network namespace)."""

    def __init__(self, folder: Path, address: str = "", prefix: tuple[str, ...] = ()) -> None:
        self.folder, self.prefix = folder, prefix
        self.address = address or f"127.0.0.1:{_free_port()}"
        self.endpoint = f"http://{self.address}"
        self.process: subprocess.Popen[bytes] | None = None
        program = shutil.which("juicefs", path=str(Path(sys.executable).parent))
        if program is None:
            raise RuntimeError("juicefs is missing: uv sync --all-groups")
        self.program = program
        folder.mkdir(parents=True, exist_ok=True)
        self.rows = f"sqlite3://{folder}/rows.db"
        rest = ["--trash-days", "0", self.rows, "tests"]
        subprocess.run(
            [program, "format", "--storage", "file", "--bucket", f"{folder}/objects/", *rest],
            check=True,
            capture_output=True,
        )

    def start(self) -> None:
        """Start the server; ``wait`` waits until it answers."""
        options = ["--no-usage-report", "--no-banner", "--multi-buckets", "--backup-meta", "0"]
        options += ["--cache-dir", str(self.folder / "cache"), "--no-bgjob"]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, self.program, "gateway", *options, self.rows, self.address],
                env={**os.environ, "MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET},
                stdout=log,
                stderr=log,
            )

    def wait(self) -> None:
        """Wait until the server answers."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(self.endpoint, timeout=2).close()
            except urllib.error.HTTPError:  # it refuses who has no key: it is up
                return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError((self.folder / "server.log").read_text(errors="replace")[-2000:])

    def stop(self) -> None:
        """Kill the server, as a failure does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def client(self) -> Any:
        """A client that may do everything."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
        )

    def environment(self) -> dict[str, str]:
        """Variables of a site that keeps its files here."""
        return {
            "FILES_URL": f"s3://{BUCKET}/site",
            "S3_ENDPOINT": self.endpoint,
            "S3_ACCESS_KEY": KEY,
            "S3_SECRET_KEY": SECRET,
        }

    def names(self) -> list[str]:
        """Keys of all objects of the site."""
        rows = self.client().list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return sorted(row["Key"] for row in rows)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
