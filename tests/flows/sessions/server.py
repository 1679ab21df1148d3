"""One of several processes that serve a site: `python -m tests.flows.sessions.server`.

It listens on a free port and prints it. WITHOUT_CLAIM removes what makes renewals single, so that a
test can show that the storm test would fail. With DIES_BEFORE_STORING, the process ends between
Cognito's response and the sign-in.
"""

import os

from werkzeug.serving import make_server

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sso_project.settings")


def take_the_claim_away() -> None:
    from accounts.tokens import shared_refresh

    shared_refresh._Refresh._result = lambda refresh, give_up_at: refresh._call_cognito("everyone")


def die_before_storing() -> None:
    from accounts.sessions import renewal

    renewal.verified_grant = lambda tokens, *, nonce: os._exit(1)


def main() -> None:
    from sso_project.wsgi import application

    if os.environ.get("WITHOUT_CLAIM"):
        take_the_claim_away()
    if os.environ.get("DIES_BEFORE_STORING"):
        die_before_storing()
    server = make_server("localhost", int(os.environ["LISTEN_ON"]), application, threaded=True)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
