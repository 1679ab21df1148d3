"""What only the operator can provide, in one sentence each."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from . import INFRA
from .release import APPS, POOL, SITE, Account
from .settings import Settings

CLOUDFRONT_REGION = "us-east-1"  # CloudFront and custom domains of Cognito read no other


def find(account: Account) -> Iterator[str]:
    """Yield what the settings and the AWS account lack."""
    settings = account.settings
    yield from settings.missing()
    yield from _unknown_parameters(settings)
    acm = account.client("acm", region_name=CLOUDFRONT_REGION)
    for table, host, arn in settings.certificates():
        if arn and (problem := certificate_problem(acm, host, arn)):
            yield f"Certificate: {arn} of [{table}] {problem}."
    yield from _network(account)
    has_secret = bool(account.secret()) or account.has_deleted_secret()
    if not has_secret and not os.environ.get("DATABASE_URL"):
        yield "Database: create one, and set DATABASE_URL in the environment of this command."


def _unknown_parameters(settings: Settings) -> Iterator[str]:
    for table, template, values in (
        ("pool", POOL, settings.pool),
        ("site", SITE, settings.site),
        ("apps", APPS, settings.apps or {}),
    ):
        text = (INFRA / template).read_text(encoding="utf-8").partition("\nResources:\n")[0]
        for name in values.keys() - set(re.findall(r"^  (\w+):\n    Type: ", text, re.MULTILINE)):
            yield f"Settings: {name} of [{table}] is not a parameter of {template}."


def certificate_problem(acm: Any, host: str, arn: str) -> str:
    """Return why the certificate `arn` cannot serve `host`, or "" if it can."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "acm":
        return "is not the ARN of a certificate in ACM"
    if parts[3] != CLOUDFRONT_REGION:
        return f"is in {parts[3]}; CloudFront requires one in {CLOUDFRONT_REGION}"
    try:
        certificate = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return "does not exist in this account"
    names = {certificate["DomainName"], *certificate.get("SubjectAlternativeNames", ())}
    if not any(covers(name, host) for name in names):
        return f"is for {', '.join(sorted(names))}; request one that includes {host}"
    if certificate["Status"] == "PENDING_VALIDATION":
        return f"waits for its validation: {_validation(certificate)}"
    if certificate["Status"] != "ISSUED":
        return f"is {certificate['Status']}; request another one for {host}"
    return ""


def covers(name: str, host: str) -> bool:
    """Return True if a certificate for `name` is valid for `host`. * stands for one label."""
    name, host = name.lower(), host.lower()
    return host == name or (name.startswith("*.") and host.partition(".")[2] == name[2:])


def _validation(certificate: dict[str, Any]) -> str:
    records = [
        f"{record['Name']} {record['Type']} {record['Value']}"
        for option in certificate.get("DomainValidationOptions", ())
        if option.get("ValidationStatus") != "SUCCESS" and (record := option.get("ResourceRecord"))
    ]
    if not records:
        return "answer the email of ACM, or look up the DNS entry in its console"
    return f"create the DNS entry {', '.join(dict.fromkeys(records))}"


def _network(account: Account) -> Iterator[str]:
    """Yield if a subnet or security group does not exist, or if they are not in one VPC."""
    site, ec2 = account.settings.site, account.client("ec2")
    subnets, groups = (
        [item.strip() for item in site.get(name, "").split(",") if item.strip()]
        for name in ("SubnetIds", "SecurityGroupIds")
    )
    if not subnets or not groups:
        return
    try:
        resources = [
            *ec2.describe_subnets(SubnetIds=subnets)["Subnets"],
            *ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"],
        ]
    except ClientError as error:
        if not error.response["Error"]["Code"].endswith((".NotFound", ".Malformed")):
            raise
        yield f"Network: {error.response['Error']['Message'].rstrip('.')}."
        return
    if len({item["VpcId"] for item in resources}) > 1:
        yield "Network: SubnetIds and SecurityGroupIds of [site] must be in one VPC."
