"""Entry point of the web process. Nothing is answered before everything is loaded."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["WEB_PROCESS"] = "1"  # settings: statements of pages have a limit
application = get_wsgi_application()

from config.web.warm import warm  # noqa: E402 needs the applications

warm()
