"""Argon2 as Django stores it, computed in the process beside a web process."""

from functools import lru_cache

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils.translation import ngettext

from survey.access.passwords.hashing import HashingProcess, QueueFull
from survey.exceptions import Overloaded


class QueuedArgon2PasswordHasher(Argon2PasswordHasher):
    """Hashes in a queue of its own where PASSWORD_PROCESS is on. Raises Overloaded when the queue is full."""

    def encode(self, password: str, salt: str) -> str:
        """The stored form of a password."""
        if not settings.PASSWORD_PROCESS:
            return super().encode(password, salt)
        params = self.params()
        encoded = _ask(
            act="encode",
            password=password,
            salt=salt,
            time_cost=params.time_cost,
            memory_cost=params.memory_cost,
            parallelism=params.parallelism,
            hash_len=params.hash_len,
            type=params.type.name,
        )
        return f"{self.algorithm}{encoded}"

    def verify(self, password: str, encoded: str) -> bool:
        """True when the password has this stored form."""
        if not settings.PASSWORD_PROCESS:
            return super().verify(password, encoded)
        rest = encoded.partition("$")[2]
        kind = self.decode(encoded)["params"].type.name
        return _ask(act="verify", password=password, encoded=f"${rest}", type=kind) is True


@lru_cache(maxsize=1)
def hashing_process() -> HashingProcess:
    """The one of this process."""
    return HashingProcess(settings.PASSWORD_QUEUE, settings.PASSWORD_WAIT_SECONDS)


def check_queue() -> None:
    """Raise Overloaded when a password would not be hashed now: cheaper than to begin and to give up."""
    if settings.PASSWORD_PROCESS:
        try:
            hashing_process().check()
        except QueueFull as full:
            raise _overloaded(full) from full


def _ask(**request: str | int) -> object:
    try:
        return hashing_process().ask(**request)
    except QueueFull as full:
        raise _overloaded(full) from full


def _overloaded(full: QueueFull) -> Overloaded:
    sentence = ngettext(
        "Very many people are signing in at the moment. Please try again in %(seconds)d second.",
        "Very many people are signing in at the moment. Please try again in %(seconds)d seconds.",
        full.seconds,
    )
    return Overloaded(sentence % {"seconds": full.seconds}, retry_after=full.seconds)
