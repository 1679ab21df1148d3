"""One process of a site that several processes serve: `python -m tests.flows.sessions.server`.

Listens on a free port and prints it. WITHOUT_LEASE takes away what keeps renewals single, so that
the storm test can show that it would notice.
"""

import os

from werkzeug.serving import make_server

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sso_project.settings")


def take_the_lease_away() -> None:
    from accounts.sessions import renewal

    renewal._claim = lambda row, now: True


def main() -> None:
    from sso_project.wsgi import application

    if os.environ.get("WITHOUT_LEASE"):
        take_the_lease_away()
    server = make_server("localhost", int(os.environ["LISTEN_ON"]), application, threaded=True)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
