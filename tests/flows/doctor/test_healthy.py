"""A set-up that works yields nothing, and wrong use of the command is said in a sentence."""

import json

import pytest

from local_pool.testing import Client, LocalPool

SENTENCES = [
    (("--base-url", "example"), "--base-url example is not a web address."),
    (("--base-url", "http://app.example.com"), "must use https"),
    (("--base-url", "https://me:word@app.example.com"), "CommandError: --base-url must"),
    (("--base-url", "https://app.example.com/?x"), "must have no query and no fragment."),
    (("--client-json", "/nowhere/client.json"), "can't be read (FileNotFoundError)."),
]


def test_healthy_site_has_no_findings(doctor, pool):
    told = doctor(pool)
    assert told.status == 0
    assert "Nothing is wrong." in told.output
    assert "Not checked: token lifetimes" in told.output


def test_healthy_site_with_its_description_has_no_findings(doctor, pool):
    told = doctor(pool, "--describe")
    assert (told.status, "Not checked" in told.output) == (0, False), told.output


def test_examination_leaves_nothing_behind(doctor, pool):
    doctor(pool)
    assert pool.pool.state.sign_ins == {}
    assert pool.pool.state.codes == {}


def test_pasted_description_is_read(doctor, pool):
    described = {"ClientId": pool.client_id, "EnableTokenRevocation": False,
                 "PreventUserExistenceErrors": "ENABLED",
                 "SupportedIdentityProviders": ["COGNITO"]}  # fmt: skip
    text = json.dumps({"UserPoolClient": described})
    told = doctor(pool, "--json", "--client-json", "-", stdin=text)
    assert told.ids == ["revocation-off"]


def test_site_below_a_path_is_looked_at_there(doctor):
    """As behind API Gateway's stages: PUBLIC_URL has no path, what is registered has."""
    site = "http://localhost:8000"
    client = Client("7stageclient", "stage-secret", callback_urls=(f"{site}/prod/signin",),
                    logout_urls=(f"{site}/prod/signout",))  # fmt: skip
    with LocalPool(clients=[client]) as pool:
        values = {"COGNITO_CLIENT_ID": "7stageclient", "COGNITO_CLIENT_SECRET": "stage-secret",
                  "COGNITO_PUBLIC_CLIENT_ID": ""}  # fmt: skip
        told = doctor(pool, "--base-url", f"{site}/prod/", **values)
        assert (told.status, f"site {site}/prod" in told.output) == (0, True), told.output
        without = doctor(pool, "--json", **values)
    assert without.ids == ["callback-not-registered", "sign-out-not-registered"]


def test_findings_are_readable(doctor, pool):
    told = doctor(pool, COGNITO_CLIENT_SECRET="somebody-elses-secret")
    assert told.status == 1
    assert "1. secret-refused\n   What Cognito doesn't accept COGNITO_CLIENT_SECRET" in told.output
    assert told.output.endswith("1 finding.\n")


@pytest.mark.parametrize(("arguments", "sentence"), SENTENCES)
def test_wrong_use_is_said_in_a_sentence(doctor, pool, arguments, sentence):
    told = doctor(pool, *arguments)
    assert told.status == 1
    assert sentence in told.errors
    assert told.output == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "it is not JSON"),
        ("[]", "no UserPoolClient"),
        ('{"UserPoolClient": {"ClientId": "other"}}', "it is of app client other"),
        (
            '{"ClientId": "4localwebclient5demo6only7", "AccessTokenValidity": "long"}',
            "its lifetimes are unreadable",
        ),
        (
            '{"ClientId": "4localwebclient5demo6only7", "RefreshTokenRotation": "on"}',
            "its lifetimes are unreadable",
        ),
        (
            '{"ClientId": "4localwebclient5demo6only7", "CallbackURLs": [1]}',
            "its CallbackURLs is no list of texts",
        ),
    ],
)
def test_pasted_nonsense_is_said_in_a_sentence(doctor, pool, text, reason):
    told = doctor(pool, "--client-json", "-", stdin=text)
    assert told.status == 1
    assert reason in told.errors


def test_doctor_works_while_required_settings_are_missing(run_command):
    told = run_command("cognito_doctor", "--json", environment={})
    assert told.status == 1
    assert "`manage.py dev cognito_doctor`" in json.loads(told.output)["not_checked"][0]
    assert set(told.ids) == {"setting-wrong"}
    named = " ".join(finding["what"] for finding in told.findings)
    for name in ("SECRET_KEY", "PUBLIC_URL", "COGNITO_POOL_ID", "TOKEN_ENCRYPTION_KEYS"):
        assert name in named
