"""Settings of a web server that acknowledges a save before it is on the disk: what production must not have."""

from config.settings import *  # noqa: F403 the same settings, but for what follows
from config.settings import DATABASES

_options = DATABASES["default"]["OPTIONS"]
assert "synchronous_commit=on" in _options["options"]
_options["options"] = _options["options"].replace("synchronous_commit=on", "synchronous_commit=off")
