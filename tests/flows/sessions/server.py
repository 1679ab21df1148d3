"""One of several processes that serve a site: `python -m tests.flows.sessions.server`.

It listens on a free port and prints it. WITHOUT_LEASE removes the lease that makes renewals
single, so that a test can show that the storm test would fail.
"""

import os

from werkzeug.serving import make_server

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sso_project.settings")


def take_the_lease_away() -> None:
    from accounts.sessions import renewal

    renewal._claim = lambda sign_in, now: True


def main() -> None:
    from sso_project.wsgi import application

    if os.environ.get("WITHOUT_LEASE"):
        take_the_lease_away()
    server = make_server("localhost", int(os.environ["LISTEN_ON"]), application, threaded=True)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
