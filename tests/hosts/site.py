"""The site on its hosts, as in production: the commands of the systemd units, HTTPS, no DEBUG, no shared folder."""

import base64
import json
import secrets
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hosts.network import NETWORK, ROOT, Host, Network
from tests.hosts.servers import PLAIN, Database, make_certificate, start_broker, start_files

NAME = "survey.test"
HTTPS_PORT = 443
UNITS = ROOT / "config" / "deploy" / "systemd"
BIN = Path(sys.executable).parent


def command_of(unit: str, host: Host, number: int = 1) -> list[str]:
    """The command of a systemd unit, with the paths of this checkout and of the host."""
    lines = (UNITS / unit).read_text().splitlines()
    line = next(line.partition("=")[2] for line in lines if line.startswith("ExecStart="))
    replaced = {"/opt/survey/.venv/bin": str(BIN), "/run/survey-beat": str(host.folder)}
    replaced |= {"%%h": "%h", "%i": str(number)}
    for old, new in replaced.items():
        line = line.replace(old, new)
    return line.split()


class Site:
    """Starts every host; ``lose`` takes one away."""

    def __init__(self, network: Network, progress: Callable[[str], None]) -> None:
        names = ("database", "broker", "files", "web1", "web2", "worker1", "worker2", "proxy", "client")
        for name in names:
            network.add(name)
        self.hosts = network.hosts
        self.hosts["client"].enter()
        self.database = Database(self.hosts["database"])
        self.environment = self._settings()
        progress("database, broker and files answer")
        self.beat_host = "worker1"
        self.known = self._prepare(progress)
        progress("the data are made")
        self.certificate = self._start_proxy()
        for name in ("web1", "web2"):
            self.start(name, "survey-web.service")
        for number in (1, 2):
            self.start(f"worker{number}", "survey-worker@.service", number)
        self.start_beat("worker1")

    def _settings(self) -> dict[str, str]:
        """What is the same on every host."""
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        return {
            **PLAIN,
            "HOME": "/nonexistent",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "FIELD_KEYS": f"2026:{key}",
            "AUDIT_KEYS": f"2026:{key}",
            "DATABASE_URL": self.database.url,
            "REDIS_URL": start_broker(self.hosts["broker"]),
            **start_files(self.hosts["files"]),
            "PRIVATE_NETWORKS": NETWORK,
            "ALLOWED_HOSTS": NAME,
            "SITE_ADDRESS": f"https://{NAME}",
            "BEHIND_PROXY": "1",
            "PROXY_ADDRESSES": self.hosts["proxy"].address,
            "METRICS_TOKEN": secrets.token_urlsafe(32),
            "SURVEY_AUTHORITY": "演练机构",
            "SURVEY_CONTACT": "010-00000000",
            "WEB_WORKERS": "1",
        }

    def environment_of(self, name: str) -> dict[str, str]:
        """The variables of one host: its own folder and addresses."""
        host = self.hosts[name]
        binds = ",".join(f"{host.address}:{port}" for port in (8000, 8001, 8002))
        return self.environment | {"DATA_DIR": str(host.folder), "WEB_BIND": binds}

    def manage(self, name: str, *arguments: str) -> str:
        """Run a command of ``manage.py`` on a host; what it prints."""
        return self.hosts[name].run([sys.executable, "manage.py", *arguments], self.environment_of(name))

    def _prepare(self, progress: Callable[[str], None]) -> dict[str, Any]:
        """Database and data; the static files lie on the web hosts and on that of the proxy."""
        self.manage("web1", "migrate", "--verbosity", "0")
        progress("the tables are made")
        self.manage("web1", "collectstatic", "--verbosity", "0", "--no-input")
        for name in ("web2", "proxy"):
            shutil.copytree(self.hosts["web1"].folder / "static", self.hosts[name].folder / "static")
        progress("the static files are collected")
        printed = self.hosts["web1"].run(
            [sys.executable, "-m", "tests.hosts.data"], self.environment_of("web1")
        )
        known: dict[str, Any] = json.loads(printed.splitlines()[-1])
        return known

    def _start_proxy(self) -> str:
        """nginx with the files of ``write_proxy_files``; the certificate that people trust."""
        host = self.hosts["proxy"]
        chain, key = make_certificate(host, NAME)
        binds = [self.environment_of(name)["WEB_BIND"] for name in ("web1", "web2")]
        made = self.manage(
            "proxy", "write_proxy_files", "--out", str(host.folder / "proxy"), "--bind", *binds,
            "--listen", f"{host.address}:{HTTPS_PORT}", "--plain-listen", f"{host.address}:80",
            "--certificate", chain, "--key", key, "--user", "root",
        )  # fmt: skip
        host.start(made.splitlines()[-1].split(), self.environment_of("proxy"))
        return chain

    def start(self, name: str, unit: str, number: int = 1) -> None:
        """Start a unit on a host."""
        host = self.hosts[name]
        host.start(command_of(unit, host, number), self.environment_of(name))

    def start_beat(self, name: str) -> None:
        """Beat runs on one host; when that is lost, somebody starts it on another one."""
        self.beat_host = name
        self.start(name, "survey-beat.service")

    def host_at(self, address: str) -> Host:
        """The host with an address."""
        return next(host for host in self.hosts.values() if host.address == address)

    def logs(self, length: int = 1500) -> str:
        """The end of what every host has logged."""
        logs = []
        for host in self.hosts.values():
            log = host.folder / "log"
            if log.exists() and log.stat().st_size:
                logs.append(f"--- {host.name}\n{log.read_text(errors='replace')[-length:]}")
        return "\n".join(logs)
