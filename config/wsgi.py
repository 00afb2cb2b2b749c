"""Entry point of the web process."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["WEB_PROCESS"] = "1"  # settings: statements of pages have a limit
application = get_wsgi_application()
