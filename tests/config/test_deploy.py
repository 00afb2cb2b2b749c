"""The files of config/deploy are valid for the programs that read them, and name variables that the program reads."""

import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from django.core.management import get_commands, load_command_class

from tests.architecture.test_layout import ROOT

FOLDER = ROOT / "config" / "deploy"
UNITS = sorted((FOLDER / "systemd").glob("*.service"))
MANIFESTS = list(yaml.safe_load_all((FOLDER / "kubernetes" / "survey.yaml").read_text(encoding="utf-8")))
COMPOSE = yaml.safe_load((FOLDER / "compose" / "compose.yaml").read_text(encoding="utf-8"))
KUBERNETES = "1.33"
PROGRAMS = tuple(f"/opt/survey/.venv/bin/{name}" for name in ("python", "gunicorn", "celery"))
TIMERS = sorted((FOLDER / "systemd").glob("*.timer"))


def variables_of_the_program() -> set[str]:
    """Names that settings, gunicorn's configuration and its pools read."""
    names: set[str] = set()
    for name in (
        "settings",
        "database",
        "environment",
        "web/server",
        "web/pools",
        "single_sign_on",
        "files/places",
    ):
        text = (ROOT / "config" / f"{name}.py").read_text(encoding="utf-8")
        names |= set(re.findall(r"(?:env(?:\.\w+)?|environ(?:ment)?\.get)\(\s*\"([A-Z0-9_]+)\"", text))
    return names


def unknown(names: set[str]) -> set[str]:
    return {name for name in names if name.removesuffix("_FILE") not in variables_of_the_program()}


def verify(unit: Path, folder: Path) -> str:
    """What systemd-analyze says about a unit whose program exists."""
    text = unit.read_text(encoding="utf-8")
    for program in PROGRAMS:
        text = text.replace(program, shutil.which("true") or "/bin/true")
    copy = folder / unit.name.replace("@.", "@1.")
    copy.write_text(
        text.replace("User=survey", "User=root").replace("Group=survey", "Group=root"), encoding="utf-8"
    )
    command = [shutil.which("systemd-analyze") or "", "verify", "--man=no", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True)
    # Warnings about other units of this machine name other files.
    return "\n".join(line for line in done.stderr.splitlines() if copy.name in line)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_accepts_the_units(unit: Path, tmp_path: Path) -> None:
    assert verify(unit, tmp_path) == ""
    planted = tmp_path / "planted" / unit.name
    planted.parent.mkdir()
    planted.write_text(
        unit.read_text(encoding="utf-8").replace("ProtectSystem=strict", "ProtectSystems=strict")
    )
    assert "ProtectSystems" in verify(planted, tmp_path)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("timer", TIMERS, ids=lambda timer: timer.name)
def test_systemd_accepts_the_timers(timer: Path) -> None:
    assert timer.with_suffix(".service") in UNITS
    moment = re.findall(r"^OnCalendar=(.*)$", timer.read_text(encoding="utf-8"), re.MULTILINE)
    command = [shutil.which("systemd-analyze") or "", "calendar"]
    assert subprocess.run([*command, *moment], capture_output=True).returncode == 0
    assert subprocess.run([*command, "*-*-* 25:00:00"], capture_output=True).returncode != 0


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_commands_of_the_units_are_ours(unit: Path) -> None:
    commands = re.findall(
        r"^ExecStart=\S+/python manage.py (\S+) (.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE
    )
    for name, arguments in commands:
        parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
        assert parser.parse_args(arguments.split())


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_hardened_and_name_known_variables(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "User=survey", "CapabilityBoundingSet="):
        assert re.search(f"^{line}$", text, re.MULTILINE)
    named = set(re.findall(r"^Environment=([A-Z_]+)=", text, re.MULTILINE))
    assert unknown(named - {"PWD"}) == set()  # gunicorn reads PWD


def test_variables_of_the_examples_are_read_by_the_program() -> None:
    example = (FOLDER / "systemd" / "environment.example").read_text(encoding="utf-8")
    config_map = next(item for item in MANIFESTS if item["kind"] == "ConfigMap")
    named = set(re.findall(r"^#?([A-Z0-9_]+)=", example, re.MULTILINE))
    assert unknown(named) == set()
    assert unknown(set(config_map["data"])) == set()
    assert unknown(set(COMPOSE["x-survey"]["environment"])) == set()
    assert unknown({"SECRET_KEYS", "SECRET_KEY_FILE"}) == {"SECRET_KEYS"}


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda item: f"{item['kind']}-{item['metadata']['name']}")
def test_kubernetes_accepts_the_manifests(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**manifest, "speck": {}}, KUBERNETES, strict=True)


def test_compose_follows_its_schema(tmp_path: Path) -> None:
    def check(path: Path) -> int:
        command = ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
        return subprocess.run(["uv", "run", "--no-sync", *command], cwd=ROOT, capture_output=True).returncode  # noqa: S607 uv of the machine

    source = FOLDER / "compose" / "compose.yaml"
    assert check(source) == 0
    broken = tmp_path / "compose.yaml"
    broken.write_text(source.read_text(encoding="utf-8").replace("healthcheck:", "healthchecks:", 1))
    assert check(broken) != 0


def test_compose_names_what_it_defines() -> None:
    services = COMPOSE["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"]), name
        volumes = {volume.split(":")[0] for volume in service.get("volumes", [])}
        assert {volume for volume in volumes if not volume.startswith(".")} <= set(COMPOSE["volumes"]), name
        assert set(service.get("networks", [])) <= set(COMPOSE["networks"]), name
    # Neither database nor broker can be reached from outside.
    assert {name for name, service in services.items() if service.get("ports")} == {"proxy"}


def test_the_image_has_no_history_and_nothing_that_a_machine_has_made() -> None:
    left_out = (FOLDER / "compose" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    made = [line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()]
    assert {".git", ".venv", ".local", "staticfiles"} <= set(left_out)
    assert [
        name for name in made if not any(fnmatch(name, pattern.removeprefix("**/")) for pattern in left_out)
    ] == []


def test_tables_change_as_their_owner_and_the_application_signs_in_as_another_role() -> None:
    services = COMPOSE["services"]
    job = next(item for item in MANIFESTS if item["kind"] == "Job")["spec"]["template"]["spec"]["containers"][
        0
    ]
    for command in (services["prepare"]["command"][-1], job["args"][0]):
        assert command.index("manage.py migrate") < command.index("manage.py database_grants")
    owner = services["prepare"]["environment"]["DATABASE_URL_FILE"]
    assert owner.endswith("/database_owner_url") and "database_url" not in services["prepare"]["secrets"]
    assert {
        name for name, service in services.items() if "database_owner_url" in service.get("secrets", [])
    } == {"prepare"}
    for name in ("web1", "web2", "worker", "beat"):
        assert services[name]["environment"]["DATABASE_URL_FILE"].endswith("/database_url")
    assert job["env"][0]["valueFrom"]["secretKeyRef"]["name"] == "survey-owner"


def test_one_web_host_answers_while_another_is_replaced() -> None:
    bound = re.findall(r"172\.30\.7\.\d+(?=:8000)", COMPOSE["services"]["prepare"]["command"][-1])
    web = [COMPOSE["services"][name]["networks"]["inside"]["ipv4_address"] for name in ("web1", "web2")]
    assert bound == web and set(COMPOSE["services"]["proxy"]["depends_on"]) == {"web1", "web2"}
    deployment = next(
        item for item in MANIFESTS if item["kind"] == "Deployment" and item["metadata"]["name"] == "web"
    )
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
