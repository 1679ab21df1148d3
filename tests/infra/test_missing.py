"""What `infra/deploy` says is missing: the certificates and the network of the emulator."""

import json
import shlex

import pytest

from tests.imports import ROOT
from tests.infra.test_settings import SITE
from tools.aws import missing
from tools.aws.release import Account
from tools.aws.settings import Settings

pytestmark = pytest.mark.infra
HOST = "app.example.com"


@pytest.fixture
def acm(emulator):
    return emulator.client("acm", region_name="us-east-1")


def certificate(client, *names):
    request = {"DomainName": names[0], "SubjectAlternativeNames": list(names)}
    return client.request_certificate(**request, ValidationMethod="DNS")["CertificateArn"]


@pytest.mark.parametrize(
    ("names", "host"),
    [
        ([HOST], HOST),
        ([HOST], "APP.Example.com"),
        (["example.com", "*.example.com"], HOST),
        (["*.example.com"], "*.example.com"),
        (["www.example.org", HOST], HOST),
    ],
)
def test_issued_certificate_for_the_host_is_accepted(acm, names, host):
    assert missing.certificate_problem(acm, host, certificate(acm, *names)) == ""


@pytest.mark.parametrize(
    ("names", "host"),
    [
        (["example.com"], HOST),
        (["*.example.com"], "example.com"),
        (["*.example.com"], "a.b.example.com"),
        ([HOST], "*.example.com"),
        (["*.com"], HOST),
        (["notexample.com"], "example.com"),
    ],
)
def test_certificate_for_another_host_is_named(acm, names, host):
    problem = missing.certificate_problem(acm, host, certificate(acm, *names))
    assert problem == f"is for {', '.join(sorted(names))}; request one that includes {host}"


def with_status(client, status):
    """Let `client` read each certificate with `status`: the emulator issues all at once."""

    def change(parsed, **_):
        parsed["Certificate"]["Status"] = status
        for option in parsed["Certificate"]["DomainValidationOptions"]:
            option["ValidationStatus"] = "PENDING_VALIDATION"

    client.meta.events.register("after-call.acm.DescribeCertificate", change)


@pytest.mark.parametrize("status", ["EXPIRED", "FAILED", "REVOKED", "VALIDATION_TIMED_OUT"])
def test_certificate_that_was_not_issued_is_replaced(acm, status):
    arn = certificate(acm, HOST)
    with_status(acm, status)
    problem = missing.certificate_problem(acm, HOST, arn)
    assert problem == f"is {status}; request another one for {HOST}"


def test_entry_that_validates_a_certificate_is_shown_once(acm):
    """A name and its wildcard have the same entry."""
    arn = certificate(acm, "example.com", "*.example.com")
    with_status(acm, "PENDING_VALIDATION")
    problem = missing.certificate_problem(acm, HOST, arn)
    assert problem.startswith("waits for its validation: create the DNS entry _")
    assert problem.count(" CNAME ") == 1


def test_certificate_elsewhere_is_not_used(emulator, acm):
    elsewhere = certificate(emulator.client("acm"), HOST)
    assert missing.certificate_problem(acm, HOST, elsewhere) == (
        "is in eu-west-1; CloudFront requires one in us-east-1"
    )
    absent = certificate(acm, HOST)
    acm.delete_certificate(CertificateArn=absent)
    assert missing.certificate_problem(acm, HOST, absent) == "does not exist in this account"
    for wrong in ("arn:aws:iam::123456789012:server-certificate/x", "arn:x"):
        assert "not the ARN" in missing.certificate_problem(acm, HOST, wrong)


@pytest.fixture
def find(emulator, monkeypatch):
    """Return what is missing next to the database, with changes to [pool] and [site]."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATABASE_URL", "postgres://localhost/app")

    def find(pool=None, site=None):
        pool = {"DomainPrefix": "team", **(pool or {})}
        settings = Settings("absent", "eu-west-1", pool, SITE | (site or {}), None, {})
        return list(missing.find(Account(settings)))

    return find


def test_sentences_name_the_table(find, acm):
    arn = certificate(acm, "example.com")
    domain = {"CustomDomain": "auth.example.com", "CustomDomainCertificateArn": arn}
    sentences = find(domain, {"DomainName": HOST, "CertificateArn": arn, "Memmory": "1"})
    assert [sentence.partition(" ")[0] for sentence in sentences] == [
        *("Settings:", "Certificate:", "Certificate:")
    ]
    assert "Memmory of [site] is not a parameter of 2-api-lambda.yaml" in sentences[0]
    assert f"{arn} of [pool] is for example.com" in sentences[1]
    assert f"{arn} of [site] is for example.com" in sentences[2]
    assert all(sentence.endswith(".") for sentence in sentences)


def test_network_must_exist_and_be_one(find, emulator):
    ec2 = emulator.client("ec2")
    [first, *_] = ec2.describe_subnets()["Subnets"]
    [group, *_] = ec2.describe_security_groups()["SecurityGroups"]
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    foreign = ec2.create_subnet(VpcId=other, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    own = {"SubnetIds": first["SubnetId"], "SecurityGroupIds": group["GroupId"]}
    assert find(site=own) == []
    [sentence] = find(site=own | {"SubnetIds": f"{first['SubnetId']}, {foreign}"})
    assert sentence == "Network: SubnetIds and SecurityGroupIds of [site] must be in one VPC."
    for change in ({"SubnetIds": "subnet-00000000000000abc"}, {"SecurityGroupIds": "sg-0123456a"}):
        [sentence] = find(site=own | change)
        assert sentence.startswith("Network: ")
        assert next(iter(change.values())) in sentence


def commands_of_the_readme():
    """Return the words of each command of "Before the first deployment"."""
    section = (ROOT / "infra/README.md").read_text().split("### Before the first deployment\n")[1]
    section = section.partition("\n## ")[0].replace("\\\n", " ")
    return [shlex.split(line) for line in section.splitlines() if line.startswith("   aws ")]


def test_what_an_operator_creates_first_is_found(emulator, find):
    [vpc, *_] = emulator.client("ec2").describe_vpcs()["Vpcs"]
    subnets = [item["SubnetId"] for item in emulator.client("ec2").describe_subnets()["Subnets"]]
    names = {"VPC_ID": vpc["VpcId"], "SUBNET_1": subnets[0], "SUBNET_2": subnets[1]}
    groups = iter(("SITE_GROUP", "DATABASE_GROUP"))
    commands = commands_of_the_readme()
    assert len(commands) == 7
    for _, service, *words in commands:
        assert service in ("acm", "ec2", "rds")  # all that this test runs
        output = json.loads(emulator.aws(service, *(names.get(word, word) for word in words)))
        if words[0] == "create-security-group":
            names[next(groups)] = output["GroupId"]
        names |= {key: value for key, value in output.items() if key == "CertificateArn"}
    site = {"DomainName": HOST, "CertificateArn": names["CertificateArn"]}
    network = {"SubnetIds": ",".join(subnets[:2]), "SecurityGroupIds": names["SITE_GROUP"]}
    assert find(site=site | network) == []
