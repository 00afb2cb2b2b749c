"""Configuration of gunicorn (``gunicorn --config python:config.web.server config.wsgi:application``).

The program is loaded and warmed up once, before the first process is forked (``config.wsgi``): a process that
listens is able to serve, and processes share the memory of what was loaded. The processes are divided into the
pools of ``config.web.pools``, each with a listening address of its own.
"""

import gc
import os
import shutil
import tempfile
from typing import Any

from config.web.pools import addresses, missing_pool, pools

bind = addresses(os.environ.get("WEB_BIND", "127.0.0.1:8000"))
workers = sum(pool.workers for pool in pools())
worker_class = "gthread"
threads = max(pool.threads for pool in pools())
preload_app = True
timeout = 60
graceful_timeout = 5
keepalive = 75  # connections of the proxy; a waiting one takes no thread
max_requests = 20_000
max_requests_jitter = 1_000
loglevel = os.environ.get("GUNICORN_LOG_LEVEL", "warning")
limit_request_line = 4_094
limit_request_fields = 60
limit_request_field_size = 8_190

# Every web process keeps its metrics in a file of this folder (config.monitoring.metrics); new with every start.
_METRICS = "PROMETHEUS_MULTIPROC_DIR"
if _METRICS not in os.environ:
    os.environ[_METRICS] = tempfile.mkdtemp(prefix="survey-metrics-")


def child_exit(arbiter: Any, worker: Any) -> None:
    """The connections that an ended process held are no longer counted."""
    from prometheus_client.multiprocess import mark_process_dead  # reads the variable when it is imported

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # the package types a part of itself


def on_exit(arbiter: Any) -> None:
    """Remove the files of the metrics."""
    shutil.rmtree(os.environ[_METRICS], ignore_errors=True)


def pre_fork(arbiter: Any, worker: Any) -> None:
    """Put the new process into the pool that has too few. With a single address all processes share it."""
    if not arbiter.WORKERS:
        gc.collect()
        gc.freeze()  # what was loaded stays in memory that all processes share
    pool = missing_pool(other.pool.name for other in arbiter.WORKERS.values())
    worker.pool = pool
    if len(arbiter.LISTENERS) == len(pools()):
        worker.sockets = [arbiter.LISTENERS[[listed.name for listed in pools()].index(pool.name)]]


def post_fork(arbiter: Any, worker: Any) -> None:
    """In the new process: close what the other pools listen on, take the threads of the own pool."""
    for listener in arbiter.LISTENERS:
        if listener not in worker.sockets:
            listener.sock.close()
    worker.cfg.set("threads", worker.pool.threads)
    # With one address for all pools everybody's pages are answered here.
    if len(arbiter.LISTENERS) == len(pools()):
        os.nice(worker.pool.niceness)
    if worker.pool.name == "uploads":
        from survey.untrusted.reading import start  # loaded with the program, before the fork

        start()


def pre_request(worker: Any, request: Any) -> None:
    """Close the connection after a refused body instead of reading the rest of it."""
    from django.conf import settings

    from config.web.limits import refusal  # settings must be read first

    headers = dict(request.headers)
    signed_in = f"{settings.SESSION_COOKIE_NAME}=" in headers.get("COOKIE", "")
    if refusal(request.path, headers.get("CONTENT-LENGTH", ""), signed_in, "TRANSFER-ENCODING" in headers):
        request.force_close()
