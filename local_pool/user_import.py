"""Importing users from a CSV file, with password hashes if there are any.

A row that cannot be imported is skipped or counted as failed, with a line in the log. Until the
first sign-in with the password, SRP does not work for an imported user, as at Cognito.
"""

import csv
import secrets
import uuid

from . import attributes, password_hashes, passwords
from .errors import PoolError
from .pool import Pool
from .records import ImportJob, PoolUser

HASH = "password_hash"
HEADER = (
    "cognito:username",
    *(name for name in attributes.STANDARD if name != "identities"),
    *attributes.FLAGS,
    "cognito:mfa_enabled",
)
NO_HASH = "the job has no PasswordHashingAlgorithm"
MAX_ROW_LENGTH = 16_000


class Skipped(PoolError):
    """A user of this name exists already."""


def header(pool: Pool) -> list[str]:
    return [*HEADER, *(f"custom:{name}" for name in attributes.custom_schema(pool))]


def run(pool: Pool, job: ImportJob) -> tuple[int, int, int]:
    """Import the rows, and return how many users were imported and skipped, and how many failed."""
    counts = {"imported": 0, "skipped": 0, "failed": 0}
    rows = csv.reader(job.csv.splitlines(), escapechar="\\", quoting=csv.QUOTE_NONE)
    names = next(rows, [])
    if unknown := set(names) - {*header(pool), HASH}:
        pool.journal.line(f"import    unknown columns: {', '.join(sorted(unknown))}")
        return 0, 0, len([*rows])
    for number, row in enumerate(rows, 2):
        try:
            _import(pool, job, dict(zip(names, row, strict=False)))
            result = "imported"
        except Skipped as error:
            pool.journal.line(f"import    line {number} skipped: {error}")
            result = "skipped"
        except PoolError as error:
            pool.journal.line(f"import    line {number} failed: {error}")
            result = "failed"
        counts[result] += 1
    return counts["imported"], counts["skipped"], counts["failed"]


def _import(pool: Pool, job: ImportJob, row: dict[str, str]) -> None:
    values = {name: value.strip() for name, value in row.items() if value.strip()}
    if sum(map(len, row.values())) > MAX_ROW_LENGTH:
        raise PoolError("the row is too long")
    name, hashed = values.pop("cognito:username", ""), values.pop(HASH, "")
    values.pop("cognito:mfa_enabled", None)
    if not name or len(name) > 128:
        raise PoolError("cognito:username is missing or too long")
    checked = attributes.check(pool, values, is_new=True)
    contacts = ((c, f"{c}_verified") for c in attributes.CONTACTS)
    if not any(checked.get(c) and checked.get(flag) == "true" for c, flag in contacts):
        raise PoolError("there is no verified email address or phone number")
    if hashed and (problem := _hash_problem(job, hashed)):
        raise PoolError(problem)
    now = pool.clock()
    user = PoolUser(
        username=name,
        sub=str(uuid.uuid4()),
        password=hashed or passwords.hash_password(secrets.token_hex(16)),
        attributes=checked,
        created=now,
        modified=now,
        status="CONFIRMED" if hashed else "RESET_REQUIRED",
    )
    with pool.change() as state:
        if name.lower() in state.people:
            raise Skipped("a user of this name exists already")
        state.people[name.lower()] = user


def _hash_problem(job: ImportJob, hashed: str) -> str:
    return password_hashes.problem(job.algorithm, hashed) if job.algorithm else NO_HASH
