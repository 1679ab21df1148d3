"""Measure the steps of a cold start on AWS Lambda, on this machine.

    .venv/bin/python tools/cold_start.py [ROUNDS]

Each round is a new process with the settings of Lambda. The script prints the minimum CPU time of
all rounds in milliseconds: starting Python, importing and setting up the site, and a first request
that verifies an access token. The time to download the pool's keys comes on top. The script counts
these downloads at a local pool, with and without a snapshot.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
CHILD = """
import json, sys
from time import process_time as now
marks = [0.0, now()]
import boto3
marks.append(now())
import django.core.wsgi
marks.append(now())
from sso_project.lambda_handler import handler
marks.append(now())
event = json.loads(sys.argv[1])
for _ in range(2):
    response = handler(event, None)
    marks.append(now())
    assert response["statusCode"] == 200, response
print(json.dumps([1000 * (b - a) for a, b in zip(marks, marks[1:])]))
"""
STEPS = ("Python starts", "boto3 (reads the secret)", "Django", "the site: settings, apps, pages",
         "first request", "second request")  # fmt: skip


def event_for(access_token: str) -> dict[str, Any]:
    return {
        "version": "2.0",
        "rawPath": "/api/user",
        "rawQueryString": "",
        "headers": {"host": "app.example.com", "authorization": f"Bearer {access_token}",
                    "x-forwarded-proto": "https"},
        "requestContext": {"stage": "$default", "http": {
            "method": "GET", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"}},
        "isBase64Encoded": False,
    }  # fmt: skip


def measure(environment: dict[str, str], event: str) -> list[float]:
    command = [sys.executable, "-c", CHILD, event]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    steps: list[float] = json.loads(done.stdout.splitlines()[-1])
    return steps


def main(rounds: int) -> None:
    from local_pool.testing import LocalPool

    with LocalPool() as pool, tempfile.TemporaryDirectory() as folder:
        snapshot = Path(folder, "jwks.json")
        snapshot.write_bytes(
            requests.get(f"{pool.issuer}/.well-known/jwks.json", timeout=10).content
        )
        environment = {
            "PATH": os.environ["PATH"],
            **pool.env(),
            "AWS_LAMBDA_FUNCTION_NAME": "measured",
            "ENV_FILE": os.devnull,
            "SECRET_KEY": "measuring-only-secret-key-that-signs-nothing-of-worth-0123456789",
            "TOKEN_ENCRYPTION_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "PUBLIC_URL": "https://app.example.com",
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        }
        manage = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(manage, env=environment, cwd=ROOT, check=True)
        event = json.dumps(event_for(pool.tokens_for("ada")["access_token"]))
        measure(environment, event)  # writes the .pyc files, which the zip contains
        runs, fetches = [], {}
        for name in ("", str(snapshot)):
            pool.faults.reset_counts()
            for _ in range(rounds):
                runs.append(measure({**environment, "COGNITO_JWKS_SNAPSHOT": name}, event))
            fetches[name] = pool.counts()["jwks"] / rounds
    minimum = [min(column) for column in zip(*runs, strict=True)]
    for step, milliseconds in zip(STEPS, minimum, strict=True):
        print(f"{step:36}{milliseconds:6.0f}")
    print(f"{'cold start, up to the first response':36}{sum(minimum[:-1]):6.0f}")
    print(f"key downloads: {fetches['']:.0f} times, with a snapshot {fetches[str(snapshot)]:.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
