"""What a cold start on AWS Lambda consists of, measured on this machine.

    .venv/bin/python scripts/cold_start.py [ROUNDS]

Each round is a new process with settings as on Lambda. It prints medians in milliseconds: starting
Python, importing and setting up the site, and a first request that verifies an access token, with
and without a snapshot of the pool's keys. The pool is a local one; PAUSE is added to its answer
with the keys, in place of the network's way to Cognito.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PAUSE = 0.08  # seconds: a new TLS connection and one request inside a region
CHILD = """
import json, sys, time
started = float(sys.argv[1]); python = time.time()
import boto3
boto = time.time()
import django.core.wsgi
framework = time.time()
from sso_project.lambda_handler import handler
site = time.time()
event = json.loads(sys.argv[2])
first = handler(event, None)
answered = time.time()
handler(event, None)
again = time.time()
assert first["statusCode"] == 200, first
marks = [started, python, boto, framework, site, answered, again]
print(json.dumps([1000 * (b - a) for a, b in zip(marks, marks[1:])]))
"""
STEPS = ("Python starts", "boto3 (reads the secret)", "Django", "the site: settings, apps, pages",
         "first request", "second request")  # fmt: skip


def event_for(access_token: str) -> dict:
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


def measure(environment: dict[str, str], event: str, rounds: int) -> list[float]:
    runs = []
    for _ in range(rounds):
        command = [sys.executable, "-c", CHILD, str(time.time()), event]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    return [statistics.median(column) for column in zip(*runs, strict=True)]


def main(rounds: int) -> None:
    from local_pool.testing import LocalPool

    with LocalPool() as pool, tempfile.TemporaryDirectory() as folder:
        snapshot = Path(folder, "jwks.json")
        snapshot.write_bytes(
            requests.get(f"{pool.issuer}/.well-known/jwks.json", timeout=10).content
        )
        pool.faults.add("jwks", "slow", seconds=PAUSE, lasting=3600)
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
        measure(environment, event, 1)  # writes the .pyc files, as the zip's build should
        without = measure(environment, event, rounds)
        with_snapshot = measure(
            {**environment, "COGNITO_JWKS_SNAPSHOT": str(snapshot)}, event, rounds
        )
    print(f"{'':38}{'keys fetched':>14}{'snapshot':>10}   ms, median of {rounds}")
    for step, one, two in zip(STEPS, without, with_snapshot, strict=True):
        print(f"{step:38}{one:14.0f}{two:10.0f}")
    print(f"{'cold start, up to the first answer':38}{sum(without[:5]):14.0f}"
          f"{sum(with_snapshot[:5]):10.0f}")  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
