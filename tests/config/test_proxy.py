"""The proxy's configuration is accepted by nginx, for the demonstration and for production, and says what the table says."""

import re
import shutil
import ssl
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from django.core.management import call_command

from config.web.limits import routes
from config.web.pools import addresses, missing_pool, pools
from config.web.proxy import ERROR_PAGES, Proxy, program, render, upstreams_of, write
from survey.management.commands.write_proxy_files import Command
from tests.drills.system import free_port


def accepted(folder: Path, configuration: Path) -> str:
    """What nginx says about a configuration; nothing when it takes it."""
    command = [*program(), "-t", "-q", "-p", str(folder), "-c", str(configuration)]
    return subprocess.run(command, capture_output=True, text=True).stderr


def test_nginx_takes_the_configuration_of_a_demonstration(tmp_path: Path) -> None:
    proxy = Proxy(folder=tmp_path, upstreams=upstreams_of(str(tmp_path)), listen=f"127.0.0.1:{free_port()}")
    path = write(proxy)
    assert accepted(tmp_path, path) == ""
    path.write_text(path.read_text().replace("client_max_body_size", "client_largest", 1))
    assert "client_largest" in accepted(tmp_path, path)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_nginx_takes_the_configuration_of_production(tmp_path: Path) -> None:
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=survey.example.org"]
    made += ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "chain.pem")]
    subprocess.run(made, check=True, capture_output=True)
    call_command(
        Command(),
        out=tmp_path / "out",
        certificate=str(tmp_path / "chain.pem"),
        key=str(tmp_path / "key.pem"),
        bind=["10.0.0.1:8000,10.0.0.1:8001,10.0.0.1:8002", "10.0.0.2:8000"],
        listen=f"127.0.0.1:{free_port()}",
        plain_listen=f"127.0.0.1:{free_port()}",
        user="root",
    )
    path = tmp_path / "out" / "nginx.conf"
    assert accepted(tmp_path / "out", path) == ""
    text = path.read_text()
    assert "server 10.0.0.1:8001 max_fails" in text and text.count("server 10.0.0.2:8000") == 3
    assert (
        "charset_types" in text and "image/svg+xml;" in text.partition("charset_types ")[2].partition("\n")[0]
    )
    assert text.count("zone web 128k;") == 1 and "return 308 https" in text


def test_only_authenticated_ciphers_with_forward_secrecy_are_offered(tmp_path: Path) -> None:
    text = render(Proxy(folder=tmp_path, upstreams=upstreams_of("/run/survey"), certificate="c", key="k"))
    (suites,) = re.findall(r"ssl_ciphers (\S+);", text)
    (modern,) = re.findall(r"ssl_conf_command Ciphersuites (\S+);", text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(suites)
    offered = [cipher for cipher in context.get_ciphers() if cipher["protocol"] == "TLSv1.2"]
    assert [cipher["name"] for cipher in offered] == suites.split(":")  # all are known, in this order
    assert all(cipher["aead"] and cipher["kea"] == "kx-ecdhe" for cipher in offered)
    assert offered[0]["strength_bits"] == 256 and "ssl_prefer_server_ciphers on;" in text
    assert set(modern.split(":")) <= {
        cipher["name"] for cipher in context.get_ciphers() if cipher["protocol"] == "TLSv1.3"
    }


def test_every_route_stands_in_the_configuration(tmp_path: Path) -> None:
    text = render(Proxy(folder=tmp_path, upstreams=upstreams_of("/run/survey")))
    blocks = Counter(
        text.split('location ~ "')[number].split('"')[0] for number in range(1, len(routes()) + 1)
    )
    assert blocks == Counter(route.pattern for route in routes())
    for route in routes():
        block = text.split(f'location ~ "{route.pattern}"')[1].split("proxy_pass")[0]
        assert f"client_max_body_size {route.largest};" in block
        assert f"client_body_timeout {route.seconds}s;" in block
        assert ("limit_req zone=attempts" in block) == (route.pool == "sign_in")
        assert ("limit_req" in block) == (route.name not in ("public", "health"))
    assert "&" not in text.replace("&amp;", "&"), "escaped for HTML"


def test_every_request_is_sent_on_with_an_id_of_the_proxy(tmp_path: Path) -> None:
    text = render(Proxy(folder=tmp_path, upstreams=upstreams_of("/run/survey")))
    # Headers of a location replace those above it, so each place that sets headers names the id.
    places = [
        block for block in re.split(r"\n\s*\n|location ", text) if "proxy_set_header X-Forwarded-For" in block
    ]
    assert len(places) == 2
    assert [block.count("proxy_set_header X-Request-ID $request_id;") for block in places] == [1, 1]


def test_error_pages_are_those_of_the_site_in_both_languages(tmp_path: Path) -> None:
    write(Proxy(folder=tmp_path, upstreams=upstreams_of("/run/survey")))
    for short, words in (("zh", 'lang="zh-CN"'), ("en", 'lang="en"')):
        for status in ERROR_PAGES:
            page = (tmp_path / "errors" / short / f"{status}.html").read_text()
            assert words in page and ("503" if status == "busy" else str(status)) in page
    headers = (tmp_path / "headers.conf").read_text()
    assert "Permissions-Policy" in headers and "Strict-Transport-Security" not in headers


def test_few_sign_ins_are_handed_over_at_a_time_and_only_where_they_have_a_pool() -> None:
    text = render(Proxy(folder=Path("/run/proxy"), upstreams=upstreams_of("/run/survey")))
    assert re.findall(r"server (\S+) max_conns=(\d+)", text) == [("unix:/run/survey/sign_in.sock", "16")]
    assert text.count("proxy_ignore_client_abort on;") == 1
    together = render(Proxy(folder=Path("/run/proxy"), upstreams=upstreams_of("127.0.0.1:8000")))
    assert "max_conns" not in together  # everybody's pages come from there


def test_processes_are_divided_into_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_WORKERS", "3")
    running: list[str] = []
    for _process in range(sum(pool.workers for pool in pools())):
        running.append(missing_pool(running).name)
    assert Counter(running) == {"web": 3, "sign_in": 1, "uploads": 1}
    running.remove("uploads")
    assert missing_pool(running).name == "uploads"
    assert addresses("/run/survey/")[0] == "unix:/run/survey/web.sock"
    assert addresses("0.0.0.0:80") == ["0.0.0.0:80"]
    with pytest.raises(ValueError, match="WEB_BIND"):
        addresses("a:1,b:2")
