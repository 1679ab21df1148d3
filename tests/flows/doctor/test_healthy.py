"""A correct configuration has no findings, and wrong use of the command has an error message."""

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
    assert "Checked: pool" in diagnosis.output
    assert "Nothing is wrong." in diagnosis.output
    assert "Not checked: token lifetimes" in diagnosis.output


def test_healthy_site_with_a_description_has_no_findings(doctor, pool):
    diagnosis = doctor(pool, "--describe")
    assert (diagnosis.status, "Not checked" in diagnosis.output) == (0, False), diagnosis.output


def test_type_of_the_issuer_is_noted(doctor, pool):
    for issuer_type in ("original", "updated"):
        pool.do(f"issuer {issuer_type}")
        diagnosis = doctor(pool, "--describe")
        assert diagnosis.status == 0, diagnosis.output
        assert f"Note: the pool issues tokens with its {issuer_type} issuer" in diagnosis.output


def test_place_of_the_secret_is_named(doctor, pool, tmp_path):
    file = tmp_path / "client-secret"
    file.write_text(f"{pool.client_secret}\n")
    subject = json.loads(doctor(pool, "--json").output)["subject"]
    assert "with the value of COGNITO_CLIENT_SECRET, site" in subject
    diagnosis = doctor(pool, "--json", COGNITO_CLIENT_SECRET=str(file))
    assert diagnosis.status == 0, diagnosis.output
    assert f"with the file {file}, site" in json.loads(diagnosis.output)["subject"]
    assert pool.client_secret not in diagnosis.output


def test_examination_leaves_no_sign_in_at_the_pool(doctor, pool):
    doctor(pool)
    assert pool.pool.state.sign_ins == {}
    assert pool.pool.state.codes == {}


def test_description_is_read_from_standard_input(doctor, pool):
    description = {"ClientId": pool.client_id, "EnableTokenRevocation": False,
                   "PreventUserExistenceErrors": "ENABLED",
                   "SupportedIdentityProviders": ["COGNITO"]}  # fmt: skip
    text = json.dumps({"UserPoolClient": description})
    diagnosis = doctor(pool, "--json", "--client-json", "-", stdin=text)
    assert diagnosis.ids == ["revocation-off"]


def test_path_of_base_url_precedes_the_paths_of_the_site(doctor):
    """A stage of API Gateway adds a path, which the registered URLs have and PUBLIC_URL has not."""
    site = "http://localhost:8000"
    client = Client("7stageclient", "stage-secret", callback_urls=(f"{site}/prod/signin",),
                    logout_urls=(f"{site}/prod/signout",))  # fmt: skip
    with LocalPool(clients=[client]) as pool:
        values = {"COGNITO_CLIENT_ID": "7stageclient", "COGNITO_CLIENT_SECRET": "stage-secret",
                  "COGNITO_PUBLIC_CLIENT_ID": ""}  # fmt: skip
        diagnosis = doctor(pool, "--base-url", f"{site}/prod/", **values)
        assert diagnosis.status == 0, diagnosis.output
        assert f"site {site}/prod" in diagnosis.output
        without_path = doctor(pool, "--json", **values)
    assert without_path.ids == ["callback-not-registered", "sign-out-not-registered"]


def test_text_report_has_numbered_findings(doctor, pool):
    diagnosis = doctor(pool, COGNITO_CLIENT_SECRET="secret-of-another-client")
    assert diagnosis.status == 1
    finding = "1. secret-refused\n   What Cognito does not accept COGNITO_CLIENT_SECRET"
    assert finding in diagnosis.output
    assert diagnosis.output.endswith("1 finding.\n")


@pytest.mark.parametrize(("arguments", "sentence"), SENTENCES)
def test_invalid_option_has_an_error_message(doctor, pool, arguments, sentence):
    diagnosis = doctor(pool, *arguments)
    assert diagnosis.status == 1
    assert sentence in diagnosis.errors
    assert diagnosis.output == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "it is not JSON"),
        ("[]", "no UserPoolClient"),
        ('{"UserPoolClient": {"ClientId": "other"}}', "it describes app client other"),
        (
            '{"ClientId": "4localwebclient5demo6only7", "AccessTokenValidity": "long"}',
            "its token lifetimes or rotation settings are malformed",
        ),
        (
            '{"ClientId": "4localwebclient5demo6only7", "RefreshTokenRotation": "on"}',
            "its token lifetimes or rotation settings are malformed",
        ),
        (
            '{"ClientId": "4localwebclient5demo6only7", "CallbackURLs": [1]}',
            "its CallbackURLs is not a list of strings",
        ),
    ],
)
def test_invalid_description_has_an_error_message(doctor, pool, text, reason):
    diagnosis = doctor(pool, "--client-json", "-", stdin=text)
    assert diagnosis.status == 1
    assert reason in diagnosis.errors


def test_missing_settings_are_reported(run_command):
    diagnosis = run_command("cognito_doctor", "--json", environment={})
    assert diagnosis.status == 1
    assert "`manage.py dev cognito_doctor`" in json.loads(diagnosis.output)["not_checked"][0]
    assert set(diagnosis.ids) == {"setting-wrong"}
    text = " ".join(finding["what"] for finding in diagnosis.findings)
    for name in ("SECRET_KEY", "PUBLIC_URL", "COGNITO_POOL_ID", "TOKEN_ENCRYPTION_KEYS"):
        assert name in text
