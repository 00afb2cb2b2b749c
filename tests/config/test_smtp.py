"""Mail through a real SMTP server with TLS and sign-in; variables kept in files."""

import gc
import io
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import CommandError

from config.environment import Environment, Files, mail_options
from survey.audit import AuditEvent
from tests.certificates import make_certificate

pytestmark = [
    pytest.mark.django_db,
    # aiosmtpd closes TLS connections late and warns about its own options.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
USER, PASSWORD = "survey", "correct-horse-1"


class Mailbox:
    """Keeps the mails that the server takes."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bool, str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        encrypted = session.ssl is not None or getattr(server, "_ssl_everywhere", False)
        self.mails.append((envelope.rcpt_tos, encrypted, envelope.content.decode()))
        return "250 OK"


def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    ok = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=ok, handled=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


class Server(Controller):
    """A mail server that only takes mail over TLS from those who have signed in."""

    def __init__(self, mailbox: Mailbox, files: tuple[Path, Path], *, from_the_start: bool) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*files)
        options: dict[str, Any] = {"ssl_context": context} if from_the_start else {"tls_context": context}
        super().__init__(
            mailbox,
            hostname="127.0.0.1",
            port=0,
            authenticator=authenticate,
            auth_required=True,
            auth_require_tls=not from_the_start,
            require_starttls=not from_the_start,
            **options,
        )

    def _trigger_server(self) -> None:
        """Take the free port that the system has chosen."""
        running: Any = self.server
        self.port = running.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture(params=["starttls", "tls"])
def server(
    request: pytest.FixtureRequest, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Server, Mailbox, str]]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))  # the client trusts this certificate
    mailbox = Mailbox()
    running = Server(mailbox, certificate, from_the_start=request.param == "tls")
    running.start()
    yield running, mailbox, request.param
    # Django leaves the connection of a refused sign-in open; the server would wait half a minute for its end.
    gc.collect()
    running.stop()
    gc.collect()  # connections that aiosmtpd has left open warn here and in no later test


def configure(settings: Any, server: Server, encryption: str, **more: str) -> None:
    class Variables(Environment):
        ENVIRON: Any = {
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(server.port),
            "EMAIL_ENCRYPTION": encryption,
            "EMAIL_USER": USER,
            "EMAIL_PASSWORD": PASSWORD,
            **more,
        }

    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": mail_options(Variables()),
        }
    }


def test_mail_is_sent_over_tls_after_sign_in(server: tuple[Server, Mailbox, str], settings: Any) -> None:
    running, mailbox, encryption = server
    configure(settings, running, encryption)
    out = io.StringIO()
    call_command("send_test_mail", "office@example.org", stdout=out)
    assert "has taken the mail" in out.getvalue()
    ((recipients, _encrypted, content),) = mailbox.mails
    assert recipients == ["office@example.org"] and "send_test_mail" in content
    assert AuditEvent.objects.get(action="test_mail_sent").succeeded


def test_a_wrong_password_is_a_sentence(server: tuple[Server, Mailbox, str], settings: Any) -> None:
    running, mailbox, encryption = server
    configure(settings, running, encryption, EMAIL_PASSWORD="wrong")
    with pytest.raises(CommandError, match="SMTPAuthenticationError"):
        call_command("send_test_mail", "office@example.org")
    assert mailbox.mails == [] and not AuditEvent.objects.get(action="test_mail_sent").succeeded


def test_an_unknown_certificate_is_refused(
    server: tuple[Server, Mailbox, str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    running, mailbox, encryption = server
    configure(settings, running, encryption)
    with pytest.raises(CommandError, match="CERTIFICATE_VERIFY_FAILED"):
        call_command("send_test_mail", "office@example.org")
    assert mailbox.mails == []


def test_a_server_that_wants_tls_takes_nothing_without(
    server: tuple[Server, Mailbox, str], settings: Any
) -> None:
    running, mailbox, _encryption = server
    configure(settings, running, "none", EMAIL_SECONDS="2")
    with pytest.raises(CommandError, match="The mail was not sent"):
        call_command("send_test_mail", "office@example.org")
    assert mailbox.mails == []


def test_an_unknown_encryption_is_an_error(settings: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_ENCRYPTION"):
        configure(settings, type("Nothing", (), {"port": 1})(), "ssl3")  # type: ignore[arg-type]  # has the one attribute that is read


def test_a_variable_may_be_kept_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("s3cret-ü\n", encoding="utf-8")
    files = Files(
        {"SECRET_KEY_FILE": str(path), "REDIS_URL": "redis://x", "MISSING_FILE": str(tmp_path / "no")}
    )
    assert (files["SECRET_KEY"], files["REDIS_URL"]) == ("s3cret-ü", "redis://x")
    with pytest.raises(ImproperlyConfigured, match="MISSING_FILE"):
        files["MISSING"]
    with pytest.raises(KeyError):
        files["FIELD_KEYS"]
