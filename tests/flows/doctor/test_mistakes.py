"""Common mistakes in the configuration of a running pool or of the site are reported."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.fernet import Fernet

from local_pool.testing import Client, LocalPool
from tests.cognito.loopback import ScriptedServer, respond

SITE = "http://localhost:8000"


@dataclass(frozen=True)
class Mistake:
    ids: str | tuple[str, ...]  # exactly these findings
    texts: tuple[str, ...]  # parts of the first finding's `what`
    pool: Mapping[str, Any] = field(default_factory=dict)
    arrange: Callable[[LocalPool], None] = lambda pool: None
    environment: Callable[[LocalPool], Mapping[str, str]] = lambda pool: {}
    arguments: tuple[str, ...] = ()


def client_with(**changes: Any) -> Mapping[str, Any]:
    """Return options for a pool with one more client, which has these settings."""
    settings = {
        "secret": "mistaken-secret",
        "callback_urls": (f"{SITE}/signin",),
        "logout_urls": (f"{SITE}/signout",),
        **changes,
    }
    return {"clients": [Client("7mistakenclient", **settings)]}


def client_with_callback(url: str) -> Mapping[str, Any]:
    return client_with(callback_urls=(url,))


def client_with_sign_out(url: str) -> Mapping[str, Any]:
    return client_with(logout_urls=(url,))


def mistaken_client(pool: LocalPool) -> Mapping[str, str]:
    return {"COGNITO_CLIENT_ID": "7mistakenclient", "COGNITO_CLIENT_SECRET": "mistaken-secret"}


MISTAKES = {
    "pool id is malformed": Mistake(
        "setting-wrong", ("COGNITO_POOL_ID",), environment=lambda pool: {"COGNITO_POOL_ID": "dev"}
    ),
    "secret is missing": Mistake(
        "setting-wrong",
        ("COGNITO_CLIENT_SECRET", "missing"),
        environment=lambda pool: {"COGNITO_CLIENT_SECRET": ""},
    ),
    "scope that Cognito refuses": Mistake(
        "setting-wrong",
        ("COGNITO_SCOPES", "offline_access"),
        environment=lambda pool: {"COGNITO_SCOPES": "openid,offline_access"},
    ),
    "encryption key is cut short": Mistake(
        "setting-wrong",
        ("TOKEN_ENCRYPTION_KEYS",),
        environment=lambda pool: {"TOKEN_ENCRYPTION_KEYS": "AAAA"},
    ),
    "pool does not exist": Mistake(
        "pool-unknown",
        ("local-1_Elsewhere", "404"),
        environment=lambda pool: {
            "COGNITO_POOL_ID": "local-1_Elsewhere",
            "COGNITO_ISSUER": f"{pool.url}/local-1_Elsewhere",
        },
    ),
    "pool is down": Mistake(
        ("issuer-unreachable", "domain-unreachable"),
        ("openid-configuration",),
        arrange=LocalPool.stop,
    ),
    "issuer with another host name": Mistake(
        "issuer-differs",
        ("http://127.0.0.1",),
        environment=lambda pool: {
            "COGNITO_ISSUER": pool.issuer.replace("localhost", "127.0.0.1"),
            "COGNITO_JWKS_URL": f"{pool.issuer}/.well-known/jwks.json",
        },
    ),
    "issuer of another pool": Mistake(
        "issuer-of-another-pool",
        ("COGNITO_ISSUER", "local-1_Elsewhere", "COGNITO_POOL_ID"),
        environment=lambda pool: {"COGNITO_ISSUER": f"{pool.url}/local-1_Elsewhere"},
    ),
    "discovery document is garbage": Mistake(
        "issuer-unreachable",
        ("is not a discovery document",),
        arrange=lambda pool: pool.faults.add("discovery", "garbage", lasting=60),
    ),
    "key set is empty": Mistake(
        "keys-unusable",
        ("jwks.json",),
        arrange=lambda pool: pool.faults.add("jwks", "no-keys", lasting=60),
    ),
    "key set is not served": Mistake(
        "keys-unreachable",
        ("503",),
        arrange=lambda pool: pool.faults.add("jwks", "503", lasting=60),
    ),
    "clock is behind": Mistake(
        "clock-skew", ("s behind that of localhost",), arrange=lambda pool: pool.clock.advance(90)
    ),
    "clock is ahead": Mistake(
        "clock-skew",
        ("s ahead of that of localhost",),
        arrange=lambda pool: pool.clock.advance(-90),
    ),
    "domain does not respond": Mistake(
        "domain-unreachable",
        ("COGNITO_CLIENT_DOMAIN", "http://localhost:1"),
        environment=lambda pool: {"COGNITO_CLIENT_DOMAIN": "http://localhost:1"},
    ),
    "client id with a typo": Mistake(
        "client-unknown",
        ("4localwebclient5demo6only8",),
        environment=lambda pool: {"COGNITO_CLIENT_ID": "4localwebclient5demo6only8"},
    ),
    "secret of another client": Mistake(
        "secret-refused",
        ("COGNITO_CLIENT_SECRET", "4localwebclient5demo6only7"),
        environment=lambda pool: {"COGNITO_CLIENT_SECRET": "secret-of-another-client"},
    ),
    "client without a secret": Mistake(
        "client-without-secret",
        ("7mistakenclient", "has no secret"),
        pool=client_with(secret=None),
        environment=mistaken_client,
    ),
    "client without the code grant": Mistake(
        "code-flow-off",
        ("7mistakenclient", "authorization code grant"),
        pool=client_with(flows=("implicit",)),
        environment=mistaken_client,
    ),
    "scope that the client lacks": Mistake(
        "scope-not-allowed",
        ("profile", "COGNITO_SCOPES"),
        pool=client_with(scopes=("openid", "email")),
        environment=mistaken_client,
    ),
    "callback with a slash": Mistake(
        "callback-not-registered",
        (f"{SITE}/signin is not registered", f"{SITE}/signin/ is registered instead."),
        pool=client_with_callback(f"{SITE}/signin/"),
        environment=mistaken_client,
    ),
    "callback with another scheme": Mistake(
        "callback-not-registered",
        ("https://localhost:8000/signin is registered instead.",),
        pool=client_with_callback("https://localhost:8000/signin"),
        environment=mistaken_client,
    ),
    "callback on another port": Mistake(
        "callback-not-registered",
        ("http://localhost:3000/signin is registered instead.",),
        pool=client_with_callback("http://localhost:3000/signin"),
        environment=mistaken_client,
    ),
    "callback on 127.0.0.1": Mistake(
        "callback-not-registered",
        ("http://127.0.0.1:8000/signin is registered instead.",),
        pool=client_with_callback("http://127.0.0.1:8000/signin"),
        environment=mistaken_client,
    ),
    "callback on another site": Mistake(
        "callback-not-registered",
        (f"{SITE}/signin is not registered at app client 7mistakenclient.",),
        pool=client_with_callback("https://elsewhere.example.com/oauth"),
        environment=mistaken_client,
    ),
    "sign-out URL with a slash": Mistake(
        "sign-out-not-registered",
        (f"{SITE}/signout is not registered", f"{SITE}/signout/ is registered instead."),
        pool=client_with_sign_out(f"{SITE}/signout/"),
        environment=mistaken_client,
    ),
    "public client that does not exist": Mistake(
        "public-client-unusable",
        ("COGNITO_PUBLIC_CLIENT_ID is 5unknown",),
        environment=lambda pool: {"COGNITO_PUBLIC_CLIENT_ID": "5unknown"},
    ),
    "public client without the documentation's callback": Mistake(
        "public-callback-not-registered",
        (
            f"{SITE}/docs/oauth2-redirect is not registered",
            f"{SITE}/docs/oauth2-redirect/ is registered instead.",
        ),
        pool={
            "clients": [Client("7public", None, callback_urls=(f"{SITE}/docs/oauth2-redirect/",))]
        },
        environment=lambda pool: {"COGNITO_PUBLIC_CLIENT_ID": "7public"},
    ),
    "single-page app that is registered with a slash": Mistake(
        "spa-callback-not-registered",
        (
            "https://spa.example.com/signin,",
            "https://spa.example.com/signin/ is registered instead.",
        ),
        pool=client_with(callback_urls=(f"{SITE}/signin", "https://spa.example.com/signin/")),
        environment=lambda pool: {
            **mistaken_client(pool),
            "COGNITO_SPA_REDIRECT_URIS": "https://spa.example.com/signin",
        },
    ),
    "callback at www": Mistake(
        ("callback-not-registered", "sign-out-not-registered", "public-callback-not-registered"),
        (
            "https://app.example.com/signin is not registered",
            "https://www.app.example.com/signin is registered instead.",
        ),
        pool=client_with_callback("https://www.app.example.com/signin"),
        environment=lambda pool: {
            **mistaken_client(pool),
            "DEBUG": "0",
            "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "PUBLIC_URL": "https://app.example.com",
        },
    ),
    "single-page app that is not registered": Mistake(
        "spa-callback-not-registered",
        ("https://spa.example.com/signin",),
        environment=lambda pool: {"COGNITO_SPA_REDIRECT_URIS": "https://spa.example.com/signin"},
    ),
    "host that is not allowed": Mistake(
        (
            "public-url-differs",
            "host-not-allowed",
            "cookies-not-secure",
            "callback-not-registered",
            "sign-out-not-registered",
            "public-callback-not-registered",
        ),
        ("https://app.example.com", "PUBLIC_URL"),
        arguments=("--base-url", "https://app.example.com"),
    ),
    "secure cookies without https": Mistake(
        ("public-url-differs", "cookies-not-returned"),
        (SITE,),
        environment=lambda pool: {"PUBLIC_URL": "https://localhost:8000"},
        arguments=("--base-url", SITE),
    ),
    "access tokens outlive the revocations": Mistake(
        "access-token-too-long",
        ("COGNITO_LONGEST_ACCESS_TOKEN", "3600"),
        environment=lambda pool: {"COGNITO_LONGEST_ACCESS_TOKEN": "1800"},
        arguments=("--describe",),
    ),
    "refresh tokens expire before the session": Mistake(
        "refresh-token-too-short",
        ("SESSION_ABSOLUTE_SECONDS", "86400"),
        pool={"refresh_token_seconds": 86_400},
        arguments=("--describe",),
    ),
    "rotation without grace": Mistake(
        "rotation-without-grace",
        ("a grace period of 0 s",),
        pool={"rotate_refresh_tokens": True, "refresh_grace_seconds": 0},
        arguments=("--describe",),
    ),
    "usernames can be guessed": Mistake(
        "user-existence-shown",
        ("PreventUserExistenceErrors",),
        pool={"prevent_user_existence_errors": False},
        arguments=("--describe",),
    ),
    "implicit grant is allowed": Mistake(
        "implicit-flow-on",
        ("7mistakenclient",),
        pool=client_with(flows=("code", "implicit")),
        environment=mistaken_client,
        arguments=("--describe",),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_reported(doctor, mistake):
    with LocalPool(**mistake.pool) as pool:
        mistake.arrange(pool)
        diagnosis = doctor(pool, "--json", *mistake.arguments, **mistake.environment(pool))
        ids = (mistake.ids,) if isinstance(mistake.ids, str) else mistake.ids
        assert diagnosis.ids == list(ids), diagnosis.output
        assert diagnosis.status == 1
        first = diagnosis.findings[0]
        assert [text for text in mistake.texts if text not in first["what"]] == []
        assert first["why"]
        assert first["fix"]
        assert pool.client_secret not in diagnosis.output
        assert "mistaken-secret" not in diagnosis.output
        assert "secret-of-another-client" not in diagnosis.output


def test_secret_in_a_file_that_is_refused_is_reported_with_its_place(doctor, pool, tmp_path):
    file = tmp_path / "client-secret"
    file.write_text("secret-of-another-client")
    diagnosis = doctor(pool, "--json", COGNITO_CLIENT_SECRET=str(file))
    assert (diagnosis.status, diagnosis.ids) == (1, ["secret-refused"]), diagnosis.output
    [finding] = diagnosis.findings
    assert f"the secret in the file {file} (COGNITO_CLIENT_SECRET)" in finding["what"]
    assert f"store the current secret in the file {file}" in finding["fix"][-1]
    assert "secret-of-another-client" not in diagnosis.output


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("/nowhere/client-secret", "cannot be read: No such file or directory"),
        ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbCdEf", "cannot be read: "),
        ("arn:aws:ssm:eu-west-1:123456789012:parameter/x", "is not the ARN of a secret"),
    ],
)
def test_place_without_a_secret_is_a_wrong_setting(doctor, pool, value, problem):
    diagnosis = doctor(pool, "--json", COGNITO_CLIENT_SECRET=value)
    assert (diagnosis.status, diagnosis.ids) == (1, ["setting-wrong"]), diagnosis.output
    assert f"COGNITO_CLIENT_SECRET ({value}) {problem}" in diagnosis.findings[0]["what"]


def test_other_web_site_at_the_domain_is_reported(doctor, pool):
    """Many single-page apps respond to every URL with a page."""
    with ScriptedServer() as site:
        site.play(respond(200, b"<html><form></form></html>"))
        diagnosis = doctor(pool, "--json", COGNITO_CLIENT_DOMAIN=site.url)
    assert (diagnosis.status, diagnosis.ids) == (1, ["domain-not-hosted-ui"]), diagnosis.output
    assert f"{site.url}/oauth2/authorize" in diagnosis.findings[0]["what"]


def test_domain_of_another_pool_is_reported(doctor, pool):
    with LocalPool(id="local-1_OtherPool", client_id="6otherclient") as other:
        diagnosis = doctor(pool, "--json", COGNITO_CLIENT_DOMAIN=other.url)
    assert diagnosis.ids == ["domain-of-another-pool"]
    assert f"COGNITO_CLIENT_DOMAIN={pool.url}" in diagnosis.findings[0]["fix"][0]


def test_keys_of_another_pool_are_reported(doctor, pool):
    with LocalPool(id="local-1_OtherPool", fresh_keys=True) as other:
        jwks_url = f"{other.issuer}/.well-known/jwks.json"
        diagnosis = doctor(pool, "--json", COGNITO_JWKS_URL=jwks_url, COGNITO_ISSUER=pool.issuer)
    assert (diagnosis.status, diagnosis.ids) == (1, ["keys-of-another-pool"]), diagnosis.output
    [finding] = diagnosis.findings
    assert f"COGNITO_JWKS_URL is {jwks_url}" in finding["what"]
    assert f"COGNITO_JWKS_URL={pool.issuer}/.well-known/jwks.json" in finding["fix"][0]
