"""Clients that nobody here wrote: openid-client (certified) and AWS's own aws-jwt-verify.

Opt-in, since it needs Node and packages from npm: JAVASCRIPT_CLIENTS=1 (see conftest.py).
"""

import json
import subprocess
from pathlib import Path

from .conftest import CALLBACK

FOLDER = Path(__file__).with_name("javascript")


def test_certified_client_signs_in_refreshes_and_revokes(pool):
    install = ["npm", "ci", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(install, cwd=FOLDER, check=True, timeout=300)
    values = {
        "issuer": pool.issuer,
        "clientId": pool.client_id,
        "clientSecret": pool.client_secret,
        "machineId": pool.config.machine_client_id,
        "machineSecret": pool.config.machine_client_secret,
        "callback": CALLBACK,
        "username": "ada",
        "password": "Cognito-demo-1",
        "sub": pool.person("ada").sub,
    }
    answer = subprocess.run(
        ["node", "clients.mjs", json.dumps(values)],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.stdout == "signed in, verified, refreshed, revoked\n", answer.stderr
