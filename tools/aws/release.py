"""One release, in the order that keeps a running site available."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from . import INFRA, storage
from .settings import Settings
from .stacks import Stacks

POOL, SITE, APPS = "1-user-pool.yaml", "2-api-lambda.yaml", "3-static-sites.yaml"


class Account:
    """The clients of AWS's services, and what a deployment has there."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._session = boto3.Session(region_name=settings.region)
        self.stacks = Stacks(self.client("cloudformation"), settings.name)

    def client(self, service: str, **options: Any) -> Any:
        return self._session.client(service, **options)

    def code_bucket(self) -> str:
        account = self.client("sts").get_caller_identity()["Account"]
        return f"{self.settings.name}-code-{account}"

    def _secret_value(self) -> dict[str, Any]:
        manager = self.client("secretsmanager")
        try:
            return dict(manager.get_secret_value(SecretId=self.settings.name))
        except ClientError as error:
            # It does not exist, or it is scheduled for deletion.
            absent = ("ResourceNotFoundException", "InvalidRequestException")
            if error.response["Error"]["Code"] not in absent:
                raise
            return {}

    def secret(self) -> dict[str, str]:
        """Return the ARN and the version of the secret, or {} if there is none to read."""
        value = self._secret_value()
        names = {"AppSecretArn": "ARN", "AppSecretVersion": "VersionId"}
        return {name: value[key] for name, key in names.items() if value}

    def secret_members(self) -> dict[str, str]:
        """Return the members of the secret, or {} if there is none to read."""
        return dict(json.loads(self._secret_value().get("SecretString", "{}")))

    def has_deleted_secret(self) -> bool:
        """Return True if a teardown scheduled the secret for deletion: it can be restored."""
        try:
            secret = self.client("secretsmanager").describe_secret(SecretId=self.settings.name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return False
        return "DeletedDate" in secret


def apply(account: Account, archive: Path | None) -> None:
    """Deploy everything. A second run continues after an interruption, or changes nothing."""
    settings, stacks = account.settings, account.stacks
    sites_url = settings.apps_domain or stacks.outputs("apps").get("SitesUrl", "")
    pool = stacks.deploy("pool", POOL, settings.pool_parameters(sites_url))
    apps: dict[str, str] = {}
    if settings.apps is not None:
        apps = stacks.deploy("apps", APPS, settings.apps_parameters(pool))
        if apps["SitesUrl"] != sites_url:  # CloudFront has only now chosen it
            sites_url = apps["SitesUrl"]
            pool = stacks.deploy("pool", POOL, settings.pool_parameters(sites_url))
    _provide_secret(account, pool)
    site = _deploy_site(account, archive, settings.site_parameters(pool, sites_url))
    for name, folder in settings.folders.items():
        prefix = settings.prefix(name)
        storage.upload_app(account.client("s3"), apps["SitesBucketName"], prefix, folder)
    print(manage(account, site, "cognito_doctor", "--production")["output"])
    for host, target in (
        (settings.pool.get("CustomDomain"), pool.get("CustomDomainTarget")),
        (settings.site.get("DomainName"), site["DistributionDomain"]),
        (settings.apps_domain.removeprefix("https://"), apps.get("DistributionDomain")),
    ):
        if host:
            print(f"Next: create the DNS entry {host} CNAME {target}.")
    if site["SiteUrl"] != settings.public_url:
        print(f"Next: set PublicUrl of [site] to {site['SiteUrl']}, and run this again.")
    print(f"Then open {site['SiteUrl']}. To go back, deploy the zip of the previous version.")


def _deploy_site(account: Account, archive: Path | None, values: dict[str, str]) -> dict[str, str]:
    """Deploy the function for commands, static files, migrations, and the function of the site."""
    settings, stacks, s3 = account.settings, account.stacks, account.client("s3")
    with tempfile.TemporaryDirectory() as folder:
        archive = archive or build(Path(folder), settings.region, values["CognitoPoolId"])
        bucket = account.code_bucket()
        key = storage.upload_code(s3, bucket, settings.region, archive)
        values = {**values, **account.secret(), "CodeBucket": bucket}
        running = stacks.parameters("site").get("CodeKey", key)
        codes = {"CodeKey": running, "ManageCodeKey": key}
        site = stacks.deploy("site", SITE, values | codes)
        storage.upload_static_files(s3, site["StaticBucketName"], archive)
    print(manage(account, site, "migrate")["output"])
    return stacks.deploy("site", SITE, values | {"CodeKey": key, "ManageCodeKey": ""})


def build(folder: Path, region: str, pool_id: str) -> Path:
    """Build the zip with `infra/build-zip`, and return its path."""
    archive = folder / "site.zip"
    keys = f"https://cognito-idp.{region}.amazonaws.com/{pool_id}/.well-known/jwks.json"
    platform = ("--platform", "manylinux2014_x86_64", "--python-version", "3.11")
    subprocess.run([INFRA / "build-zip", archive, keys, *platform], check=True)
    return archive


def manage(account: Account, site: dict[str, str], *command: str) -> dict[str, Any]:
    """Run a command in the environment of the site. Raises SystemExit if it fails."""
    print(f"{site['ManageFunctionName']}: {' '.join(command)} …", flush=True)
    # A command such as `migrate` runs for 15 minutes at most, and is never sent twice.
    config = Config(read_timeout=910, retries={"total_max_attempts": 1})
    response = account.client("lambda", config=config).invoke(
        FunctionName=site["ManageFunctionName"], Payload=json.dumps({"command": command})
    )
    result: dict[str, Any] = json.loads(response["Payload"].read())
    if "FunctionError" in response:
        raise SystemExit(f"{' '.join(command)} failed: {result.get('errorMessage', result)}")
    return result


def _provide_secret(account: Account, pool: dict[str, str]) -> None:
    """Create or restore the secret, and set the client secret if the pool is another one.

    Other members stay, because they encrypt what the database holds. COGNITO_POOL_ID says which
    pool the client secret belongs to.
    """
    manager, name = account.client("secretsmanager"), account.settings.name
    if account.has_deleted_secret():
        print(f"{name}: restore the secret …", flush=True)
        manager.restore_secret(SecretId=name)
    pool_id, kept = pool["CognitoPoolId"], account.secret_members()
    if kept and kept.get("COGNITO_POOL_ID", pool_id) == pool_id:
        return
    client = account.client("cognito-idp").describe_user_pool_client(
        UserPoolId=pool_id, ClientId=pool["CognitoClientId"]
    )["UserPoolClient"]
    members = {
        "DATABASE_URL": os.environ.get("DATABASE_URL", ""),
        "SECRET_KEY": secrets.token_urlsafe(50),
        "TOKEN_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "ORIGIN_VERIFY": secrets.token_urlsafe(32),
        **kept,
        "COGNITO_POOL_ID": pool_id,
        "COGNITO_CLIENT_SECRET": client.get("ClientSecret", ""),
    }
    print(f"{name}: {'update' if kept else 'create'} the secret …", flush=True)
    if kept:
        manager.put_secret_value(SecretId=name, SecretString=json.dumps(members))
    else:
        manager.create_secret(Name=name, SecretString=json.dumps(members))
