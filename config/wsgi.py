"""Entry point of the web process. Nothing is answered before everything is loaded."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["WEB_PROCESS"] = "1"  # settings: statements of pages have a limit
_django = get_wsgi_application()

from config.characters import CharsetGuard  # noqa: E402 needs the applications
from config.web.warm import warm  # noqa: E402 needs the applications

application = CharsetGuard(_django)
warm()
