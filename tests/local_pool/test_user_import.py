"""Import jobs: a CSV file with password hashes, and what a sign-in does with them."""

import base64
import hashlib

import pytest
import requests
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from local_pool import password_hashes

from .api_client import ApiClient
from .conftest import App
from .test_api import error

PASSWORD = "Brought-along-1"
SALT = b"0123456789abcdef"
ROLE = "arn:aws:iam::000000000000:role/import"


def text(value: bytes) -> str:
    return base64.b64encode(value).decode().rstrip("=")


def pbkdf2(iterations: int = 1000) -> str:
    derived = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), SALT, iterations)
    return f"$pbkdf2-sha256${iterations}${text(SALT)}${text(derived)}"


def argon2id(memory: int = 64) -> str:
    kdf = Argon2id(salt=SALT, length=32, iterations=1, lanes=1, memory_cost=memory)
    derived = text(kdf.derive(PASSWORD.encode()))
    return f"$argon2id$v=19$m={memory},t=1,p=1${text(SALT)}${derived}"


def scrypt(n: int = 1024) -> str:
    derived = hashlib.scrypt(PASSWORD.encode(), salt=SALT, n=n, r=8, p=1, dklen=32)
    return f"{n}$8$1${SALT.hex()}${derived.hex()}"


def run(app: App, rows: list[str], algorithm: str | None = "PBKDF2_SHA256") -> dict:
    more = {"PasswordHashingAlgorithm": algorithm} if algorithm else {}
    made = app.api(
        "CreateUserImportJob", JobName="old users", CloudWatchLogsRoleArn=ROLE, **more
    ).json()["UserImportJob"]
    assert made["Status"] == "Created"
    header = "cognito:username,email,email_verified,name,password_hash"
    content = "\r\n".join([header, *rows])
    sent = requests.put(made["PreSignedUrl"], content.encode(), timeout=60)
    assert sent.status_code == 200
    app.api("StartUserImportJob", JobId=made["JobId"])
    return app.api("DescribeUserImportJob", JobId=made["JobId"]).json()["UserImportJob"]


def counts(job: dict) -> tuple[int, int, int]:
    return job["ImportedUsers"], job["SkippedUsers"], job["FailedUsers"]


@pytest.mark.parametrize(
    ("algorithm", "hashed"),
    [("PBKDF2_SHA256", pbkdf2()), ("ARGON2ID", argon2id()), ("SCRYPT", scrypt())],
)
def test_user_signs_in_with_the_password_of_the_old_system(app, algorithm, hashed):
    hashed = hashed.replace(",", "\\,")
    job = run(app, [f"mary,mary@example.com,TRUE,Shelley\\, Mary,{hashed}"], algorithm)
    assert counts(job) == (1, 0, 0)
    assert job["Status"] == "Succeeded"
    client = ApiClient(app)
    app.pool.restart()
    # SRP needs the password once.
    assert error(client.srp("mary", PASSWORD)) == "NotAuthorizedException"
    assert error(client.password("mary", "Wrong-password-1")) == "NotAuthorizedException"
    assert client.password("mary", PASSWORD).status_code == 200
    assert client.srp("mary", PASSWORD).status_code == 200
    assert app.pool.get_user("mary").attributes["name"] == "Shelley, Mary"
    assert app.pool.get_user("mary").status == "CONFIRMED"


def test_user_without_a_hash_has_to_reset_the_password(app):
    assert counts(run(app, ["mary,mary@example.com,true,,"], None)) == (1, 0, 0)
    refused = ApiClient(app).password("mary", PASSWORD)
    assert error(refused) == "NotAuthorizedException"
    assert app.pool.get_user("mary").status == "RESET_REQUIRED"
    app.api("ForgotPassword", ClientId=app.pool.config.public_client_id, Username="mary")
    assert app.pool.mailbox[-1].to == "mary@example.com"


def test_rows_are_skipped_or_fail_one_by_one(app):
    refused = {
        "ADA,ada@example.net,true,,": "exists already",
        "mary,mary@example.com,false,,": "no verified email address",
        "mary,,true,,": "no verified email address",
        ",mary@example.com,true,,": "cognito:username is missing",
        "mary,nonsense,true,,": "Invalid email address format",
        "mary,mary@example.com,true,,$pbkdf2-sha256$x": "not in the format",
        f"mary,mary@example.com,true,,{pbkdf2().replace('1000', '600001')}": "costs",
        f"mary,mary@example.com,true,{'x' * 16_001},": "too long",
    }
    before = set(app.pool.pool.state.people)
    job = run(app, [*refused, "percy,percy@example.com,true,,"])
    assert counts(job) == (1, 1, len(refused) - 1)
    assert set(app.pool.pool.state.people) - before == {"percy"}
    lines = [line for line in app.pool.journal.lines if "import    line" in line]
    for line, reason in zip(lines, refused.values(), strict=True):
        assert reason in line


def test_hash_at_the_limit_is_taken():
    assert password_hashes.problem("PBKDF2_SHA256", pbkdf2().replace("1000", "600000")) == ""
    assert password_hashes.problem("SCRYPT", scrypt(16)) == ""
    assert "costs" in password_hashes.problem("ARGON2ID", argon2id().replace("m=64", "m=19457"))


def test_job_needs_a_file_and_runs_once(app):
    refused = app.api("CreateUserImportJob", JobName="x", CloudWatchLogsRoleArn=ROLE,
                      PasswordHashingAlgorithm="BCRYPT")  # fmt: skip
    assert error(refused) == "InvalidParameterException"
    made = app.api("CreateUserImportJob", JobName="x", CloudWatchLogsRoleArn=ROLE).json()
    job = {"JobId": made["UserImportJob"]["JobId"]}
    assert error(app.api("StartUserImportJob", **job)) == "PreconditionNotMetException"
    assert app.api("StopUserImportJob", **job).json()["UserImportJob"]["Status"] == "Stopped"
    assert error(app.api("StopUserImportJob", **job)) == "PreconditionNotMetException"
    late = requests.put(made["UserImportJob"]["PreSignedUrl"], b"x", timeout=60)
    assert late.status_code == 404
    assert error(app.api("DescribeUserImportJob", JobId="import-0")) == "ResourceNotFoundException"
    [listed] = app.api("ListUserImportJobs", MaxResults=1).json()["UserImportJobs"]
    assert listed["JobId"] == job["JobId"]
    header = app.api("GetCSVHeader").json()["CSVHeader"]
    assert header[0] == "cognito:username"
    assert {"email_verified", "cognito:mfa_enabled"} <= {*header}
