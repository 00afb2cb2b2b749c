"""Settings out of the environment; each variable may be kept in a file whose path is in ``NAME_FILE``."""

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping


class Files(FileAwareMapping):  # type: ignore[misc]  # the package has no types
    """The environment, and the files that it names. The line break at the end of a file is not part of the value."""

    def __getitem__(self, key: str) -> Any:
        """The value of a variable. Raises KeyError, or ImproperlyConfigured for a file that cannot be read."""
        try:
            value = super().__getitem__(key)
        except OSError as error:
            raise ImproperlyConfigured(f"{key}_FILE names a file that cannot be read: {error}") from error
        return value.strip() if self.env.get(f"{key}_FILE") else value


class Environment(environ.Env):  # type: ignore[misc]  # the package has no types
    """Reader of the settings."""

    ENVIRON = Files()


def mail_options(env: Environment) -> dict[str, Any]:
    """OPTIONS of the SMTP mailer. Raises ImproperlyConfigured for an unknown kind of encryption."""
    encryption = env("EMAIL_ENCRYPTION", default="none")
    if encryption not in ("none", "starttls", "tls"):
        raise ImproperlyConfigured(f"EMAIL_ENCRYPTION must be none, starttls or tls, not {encryption!r}")
    return {
        "host": env("EMAIL_HOST", default="localhost"),
        "port": env.int("EMAIL_PORT", default={"none": 25, "starttls": 587, "tls": 465}[encryption]),
        "username": env("EMAIL_USER", default="") or None,
        "password": env("EMAIL_PASSWORD", default="") or None,
        "use_tls": encryption == "starttls",
        "use_ssl": encryption == "tls",
        "timeout": env.int("EMAIL_SECONDS", default=20),
    }
