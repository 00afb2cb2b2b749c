"""Sessions in the database that end by the time of the database, whichever machine answers (SESSION_ENGINE)."""

from datetime import datetime
from typing import Any

from django.contrib.sessions.backends import db

from survey import clock


class SessionStore(db.SessionStore):
    """Django's sessions in the database, by the clock of the database."""

    def load(self) -> dict[str, Any]:
        """The content of the session; of one that has ended or does not exist, nothing."""
        row = self.model.objects.filter(session_key=self.session_key, expire_date__gt=clock.present()).first()
        if row is None:
            self._session_key = None  # as Django does: a new key is made when something is stored
            return {}
        return self.decode(row.session_data)

    def get_expiry_date(self, **facts: Any) -> datetime:
        """When the session ends without another request."""
        return super().get_expiry_date(**{"modification": clock.present(), **facts})

    @classmethod
    def clear_expired(cls) -> None:
        """Delete the sessions that have ended."""
        cls.get_model_class().objects.filter(expire_date__lt=clock.present()).delete()
