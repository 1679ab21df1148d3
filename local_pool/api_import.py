"""The operations about import jobs, and the URL to which the CSV file is uploaded."""

import uuid
from dataclasses import replace

from flask import request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from . import password_hashes, user_import
from .api_shapes import Body, Operations, page
from .errors import INVALID, UserError
from .pool import Pool
from .records import ImportJob


def _find(pool: Pool, body: Body) -> ImportJob:
    job = pool.state.import_jobs.get(body["JobId"])
    if job is None:
        raise UserError("ResourceNotFoundException", "The import job does not exist.")
    return job


def _describe(pool: Pool, key: str, job: ImportJob) -> Body:
    described = {
        "JobName": job.name,
        "JobId": key,
        "UserPoolId": pool.config.id,
        "PreSignedUrl": f"{pool.config.domain}/_local/import/{key}",
        "CreationDate": job.created,
        "StartDate": job.started,
        "CompletionDate": job.completed,
        "Status": job.status,
        "CloudWatchLogsRoleArn": job.role_arn,
        "ImportedUsers": job.imported,
        "SkippedUsers": job.skipped,
        "FailedUsers": job.failed,
        "PasswordHashingAlgorithm": job.algorithm or None,
    }
    return {name: value for name, value in described.items() if value is not None}


def _store(pool: Pool, key: str, job: ImportJob) -> Body:
    with pool.change() as state:
        state.import_jobs[key] = job
    return {"UserImportJob": _describe(pool, key, job)}


def create_user_import_job(pool: Pool, body: Body) -> Body:
    pool.require_primary()
    algorithm = body.get("PasswordHashingAlgorithm", "")
    if algorithm and algorithm not in password_hashes.FORMATS:
        raise UserError(INVALID, f"The local pool cannot check hashes of {algorithm}.")
    job = ImportJob(body["JobName"], body["CloudWatchLogsRoleArn"], algorithm, pool.clock())
    return _store(pool, f"import-{uuid.uuid4()}", job)


def start_user_import_job(pool: Pool, body: Body) -> Body:
    """Import the users before the answer, so that the job never waits."""
    pool.require_primary()
    job, now = _find(pool, body), pool.clock()
    if job.status != "Created" or not job.csv:
        message = "The job has no CSV file, or was started or stopped already."
        raise UserError("PreconditionNotMetException", message)
    imported, skipped, failed = user_import.run(pool, job)
    done = replace(job, started=now, completed=pool.clock(), status="Succeeded", csv="")
    done = replace(done, imported=imported, skipped=skipped, failed=failed)
    return _store(pool, body["JobId"], done)


def stop_user_import_job(pool: Pool, body: Body) -> Body:
    job = _find(pool, body)
    if job.status != "Created":
        raise UserError("PreconditionNotMetException", "The job has ended already.")
    return _store(pool, body["JobId"], replace(job, status="Stopped", csv=""))


def list_user_import_jobs(pool: Pool, body: Body) -> Body:
    described = [_describe(pool, key, job) for key, job in pool.state.import_jobs.items()]
    token = "PaginationToken"  # noqa: S105 (a member's name)
    listed = page(body, "UserImportJobs", described, limit="MaxResults", token=token)
    return listed if described else {}  # in AWS's model, the list is never empty


def upload(pool: Pool, job_id: str) -> Response:
    """Store the CSV file of a job that has not started, as the pre-signed URL of S3 does."""
    job = pool.state.import_jobs.get(job_id)
    if job is None or job.status != "Created":
        raise NotFound
    try:
        text = request.get_data().decode()
    except UnicodeDecodeError:
        return Response("The file must be UTF-8.", 400)
    _store(pool, job_id, replace(job, csv=text))
    return Response(status=200)


OPERATIONS: Operations = {
    "CreateUserImportJob": create_user_import_job,
    "DescribeUserImportJob": lambda pool, body: {
        "UserImportJob": _describe(pool, body["JobId"], _find(pool, body))
    },
    "GetCSVHeader": lambda pool, body: {
        "UserPoolId": pool.config.id,
        "CSVHeader": user_import.header(pool),
    },
    "ListUserImportJobs": list_user_import_jobs,
    "StartUserImportJob": start_user_import_job,
    "StopUserImportJob": stop_user_import_job,
}
ROUTES = (("/_local/import/<job_id>", "_local_import", upload, ["PUT"]),)
