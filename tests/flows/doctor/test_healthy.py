"""A correct setup has no findings, and wrong use of the command is explained."""

import json

import pytest

from local_pool.testing import Client, LocalPool

SENTENCES = [
    (("--base-url", "example"), "--base-url example is not a URL."),
    (("--base-url", "http://app.example.com"), "must use https"),
    (("--base-url", "https://me:word@app.example.com"), "CommandError: --base-url must"),
    (("--base-url", "https://app.example.com/?x"), "must not have a query or a fragment."),
    (("--client-json", "/nowhere/client.json"), "can't be read (FileNotFoundError)."),
]


def test_healthy_site_has_no_findings(doctor, pool):
    diagnosis = doctor(pool)
    assert diagnosis.status == 0
    assert "Nothing is wrong." in diagnosis.output
    assert "Not checked: token lifetimes" in diagnosis.output


def test_healthy_site_with_its_description_has_no_findings(doctor, pool):
    diagnosis = doctor(pool, "--describe")
    assert (diagnosis.status, "Not checked" in diagnosis.output) == (0, False), diagnosis.output


def test_examination_leaves_no_data(doctor, pool):
    doctor(pool)
    assert pool.pool.state.sign_ins == {}
    assert pool.pool.state.codes == {}


def test_pasted_description_is_read(doctor, pool):
    described = {"ClientId": pool.client_id, "EnableTokenRevocation": False,
                 "PreventUserExistenceErrors": "ENABLED",
                 "SupportedIdentityProviders": ["COGNITO"]}  # fmt: skip
    text = json.dumps({"UserPoolClient": described})
    diagnosis = doctor(pool, "--json", "--client-json", "-", stdin=text)
    assert diagnosis.ids == ["revocation-off"]


def test_site_below_a_path_is_examined_there(doctor):
    """As behind stages of API Gateway: PUBLIC_URL has no path, the registered URLs have one."""
    site = "http://localhost:8000"
    client = Client("7stageclient", "stage-secret", callback_urls=(f"{site}/prod/signin",),
                    logout_urls=(f"{site}/prod/signout",))  # fmt: skip
    with LocalPool(clients=[client]) as pool:
        values = {"COGNITO_CLIENT_ID": "7stageclient", "COGNITO_CLIENT_SECRET": "stage-secret",
                  "COGNITO_PUBLIC_CLIENT_ID": ""}  # fmt: skip
        diagnosis = doctor(pool, "--base-url", f"{site}/prod/", **values)
        assert (diagnosis.status, f"site {site}/prod" in diagnosis.output) == (0, True), (
            diagnosis.output
        )
        without = doctor(pool, "--json", **values)
    assert without.ids == ["callback-not-registered", "sign-out-not-registered"]


def test_findings_are_readable(doctor, pool):
    diagnosis = doctor(pool, COGNITO_CLIENT_SECRET="somebody-elses-secret")
    assert diagnosis.status == 1
    assert (
        "1. secret-refused\n   What Cognito doesn't accept COGNITO_CLIENT_SECRET"
        in diagnosis.output
    )
    assert diagnosis.output.endswith("1 finding.\n")


@pytest.mark.parametrize(("arguments", "sentence"), SENTENCES)
def test_wrong_use_is_explained(doctor, pool, arguments, sentence):
    diagnosis = doctor(pool, *arguments)
    assert diagnosis.status == 1
    assert sentence in diagnosis.errors
    assert diagnosis.output == ""


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
def test_malformed_pasted_text_is_explained(doctor, pool, text, reason):
    diagnosis = doctor(pool, "--client-json", "-", stdin=text)
    assert diagnosis.status == 1
    assert reason in diagnosis.errors


def test_doctor_works_while_required_settings_are_missing(run_command):
    diagnosis = run_command("cognito_doctor", "--json", environment={})
    assert diagnosis.status == 1
    assert "`manage.py dev cognito_doctor`" in json.loads(diagnosis.output)["not_checked"][0]
    assert set(diagnosis.ids) == {"setting-wrong"}
    titles = " ".join(finding["what"] for finding in diagnosis.findings)
    for name in ("SECRET_KEY", "PUBLIC_URL", "COGNITO_POOL_ID", "TOKEN_ENCRYPTION_KEYS"):
        assert name in titles
