"""The findings about the issuers of the pool, and the note about its type."""

import dataclasses

import pytest
import responses

from accounts.cognito.config import CognitoConfig
from accounts.cognito.transport import Transport
from accounts.doctor.examination import Examination, examine
from accounts.doctor.pool import PoolExamination
from accounts.doctor.pool_settings import issuer_in_use, issuer_note
from accounts.doctor.probe import Probe
from accounts.doctor.report import as_json, as_text
from accounts.provider.aws import AwsError
from accounts.testing.tokens import key_set

POOL_ID = "eu-west-1_AbCdEf123"
ORIGINAL = f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL_ID}"
UPDATED = f"https://issuer-cognito-idp.eu-west-1.amazonaws.com/{POOL_ID}"
REPLICA = f"https://cognito-idp.eu-central-1.amazonaws.com/{POOL_ID}"
EMULATOR = f"http://localhost:4566/{POOL_ID}"


def make_config(**changes):
    values = {"client_id": "client1", "client_secret": "s" * 24, "domain": "team"}
    return CognitoConfig(**{"pool_id": POOL_ID, **values, **changes})


def serve(mock, issuer, *, at=None, keys=True):
    """Serve the documents of `issuer`, below the URL `at`."""
    document = {"issuer": issuer, "jwks_uri": f"{issuer}/.well-known/jwks.json"}
    mock.get(f"{at or issuer}/.well-known/openid-configuration", json=document)
    if keys:
        mock.get(f"{issuer}/.well-known/jwks.json", body=key_set(issuer))


def findings(config, **options):
    return list(PoolExamination(Probe(config, Transport()), **options).problems())


@pytest.mark.parametrize("published", [ORIGINAL, UPDATED])
@pytest.mark.parametrize("preferred", [(), (ORIGINAL,), (UPDATED,)])
def test_other_issuer_of_the_same_pool_is_no_finding(preferred, published):
    config = make_config(custom_issuers=preferred)
    with responses.RequestsMock() as mock:
        serve(mock, published, at=config.issuer)
        assert findings(config) == []


@pytest.mark.parametrize(
    ("config", "published", "advice"),
    [
        (make_config(), REPLICA, "add eu-central-1 to COGNITO_REPLICA_REGIONS."),
        (
            make_config(custom_issuers=(f"https://proxy.example/{POOL_ID}",)),
            UPDATED,
            "remove COGNITO_ISSUER. Both issuers of the pool at AWS are accepted without it.",
        ),
        (
            make_config(jwks_url=f"{EMULATOR}/.well-known/jwks.json"),
            EMULATOR,
            f"set COGNITO_ISSUER={EMULATOR}, or remove it.",
        ),
    ],
)
def test_advice_depends_on_the_issuer_of_the_pool(config, published, advice):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        serve(mock, published, at=config.key_set_url.removesuffix("/.well-known/jwks.json"))
        mock.get(config.key_set_url, body=key_set(published))
        [finding] = findings(config)
    assert finding.id == "issuer-differs"
    assert finding.fix == (f"Environment or .env: {advice}",)
    assert published in finding.what


def test_key_set_of_the_issuer_in_use_must_be_reachable():
    """A firewall may allow only the host of the original issuer."""
    with responses.RequestsMock() as mock:
        serve(mock, ORIGINAL, keys=False)
        [finding] = findings(make_config(), issuer_in_use=UPDATED)
    assert finding.id == "keys-unreachable"
    assert f"{UPDATED}/.well-known/jwks.json" in finding.what
    assert "issuer-cognito-idp.eu-west-1.amazonaws.com" in finding.fix[-1]


@pytest.mark.parametrize("is_down", [True, False])
def test_emulator_with_the_issuer_of_aws_is_told_to_set_the_url_of_its_keys(is_down):
    config = make_config(domain="http://localhost:4566")
    with responses.RequestsMock() as mock:
        if not is_down:
            mock.get(f"{ORIGINAL}/.well-known/openid-configuration", status=400)
        [finding] = findings(config)
    assert finding.id == ("issuer-unreachable" if is_down else "pool-unknown")
    assert f"COGNITO_JWKS_URL to the URL of its keys, such as {EMULATOR}/" in finding.fix[0]


def test_emulator_that_is_down_names_the_variable_with_its_port():
    config = make_config(jwks_url=f"{EMULATOR}/.well-known/jwks.json")
    with responses.RequestsMock():
        [finding] = findings(config)
    assert "COGNITO_JWKS_URL contains its port" in finding.fix[0]


@pytest.mark.parametrize(
    ("description", "name", "issuer"),
    [
        ({}, "original", ORIGINAL),
        ({"IssuerConfiguration": None}, "original", ORIGINAL),
        ({"IssuerConfiguration": {"Type": "ORIGINAL"}}, "original", ORIGINAL),
        ({"IssuerConfiguration": {"Type": "UPDATED"}}, "updated", UPDATED),
    ],
)
def test_type_of_the_issuer_is_noted_with_all_accepted_issuers(description, name, issuer):
    pool = make_config().pool
    assert issuer_in_use(description, pool) == issuer
    note = issuer_note(description, pool)
    assert f"its {name} issuer; this site accepts {ORIGINAL}, {UPDATED}" in note
    local = dataclasses.replace(pool, custom_issuers=(EMULATOR,))
    assert issuer_in_use(description, local) == ""


def test_note_is_in_both_reports():
    examination = Examination("pool", notes=["the pool issues tokens"])
    assert "Note: the pool issues tokens." in as_text(examination)
    assert '"notes": [' in as_json(examination)


@pytest.mark.django_db
def test_pool_that_may_not_be_described_is_not_checked():
    def refuse(provider):
        raise AwsError("These credentials may not do cognito-idp:DescribeUserPool.")

    with responses.RequestsMock():
        examination = examine(describe_pool=refuse)
    assert examination.notes == []
    assert "the type of the pool's issuer: These credentials" in examination.not_checked[0]
