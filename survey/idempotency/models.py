"""Keys of requests that were carried out, with their responses."""

from django.db import models

from survey import clock


class IdempotencyKey(models.Model):
    """The key of one request and, after its transaction, the response that a repeated request gets.

    The row is inserted in the transaction of the request: it exists if and only if the work was done.
    """

    owner = models.CharField(max_length=80)  # the user or the session
    path = models.CharField(max_length=500)
    key = models.CharField(max_length=64)  # a hash
    fingerprint = models.CharField(max_length=64)  # hash of the content that was sent
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)  # encrypted: a page may show a code that is shown once
    at = models.DateTimeField(default=clock.present, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_request_of_a_key", fields=["owner", "path", "key"]),
        ]
