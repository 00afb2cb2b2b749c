"""The demonstration's processes without its country: ``python -m tests.drills.supervised PORT``.

Prints "ready" when the site answers, then obeys signals as the demonstration does.
"""

import os
import sys

from config.local import embedded, processes


def main(port: int) -> None:
    """Take over, start the servers, serve."""
    embedded.prepare_environment()
    print("left:", *processes.take_over(), flush=True)
    embedded.start(durable=False)
    os.environ["PLAIN_STATIC"] = "1"
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    supervisor = processes.Supervisor("127.0.0.1", port, lambda text: print(text, flush=True))
    try:
        supervisor.guard()
        supervisor.run(lambda: print("ready", flush=True))
    finally:
        embedded.stop()
        supervisor.release()


if __name__ == "__main__":
    main(int(sys.argv[1]))
