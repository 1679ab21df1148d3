"""Key rotation and unknown key IDs, over HTTP with the local pool."""

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

COOLDOWN_SECONDS = 10  # of accounts.cognito.jwks.KeyStore

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ask(site):
    with requests.Session() as session:

        def send(access_token):
            headers = {"Authorization": f"Bearer {access_token}"}
            return session.get(f"{site}/api/user", headers=headers, timeout=60)

        yield send


def fetches(pool):
    return pool.counts()["jwks"]


def test_rotated_key_is_accepted_without_a_restart(ask, pool):
    before = pool.tokens_for("ada")["access_token"]
    assert ask(before).status_code == 200
    pool.pool.keys.rotate(keep_old=True)
    after = pool.tokens_for("ada")["access_token"]
    assert key_id_of(after) != key_id_of(before)
    assert ask(after).status_code == 200
    assert ask(before).status_code == 200
    assert fetches(pool) == 2


def test_token_of_a_withdrawn_key_is_refused_though_it_was_seen_before(ask, pool):
    before = pool.tokens_for("ada")["access_token"]
    assert ask(before).status_code == 200
    pool.pool.keys.rotate(keep_old=False)
    assert ask(pool.tokens_for("ada")["access_token"]).status_code == 200  # downloads the new set
    response = ask(before)
    assert (response.status_code, response.json()["code"]) == (401, "unknown_key")


def test_two_hundred_unknown_keys_make_one_fetch_and_block_no_user(ask, site, pool):
    good = pool.tokens_for("ada")["access_token"]
    assert ask(good).status_code == 200
    already = fetches(pool)

    def attack(number):
        return requests.get(
            f"{site}/api/user",
            headers={"Authorization": f"Bearer {with_key_id(good, f'unknown-{number}')}"},
            timeout=60,
        ).status_code

    started = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(attack, range(200))) == {401}
    cooldowns = (time.monotonic() - started) / COOLDOWN_SECONDS
    assert fetches(pool) - already <= 1 + cooldowns
    assert ask(good).status_code == 200


def key_id_of(token):
    return json.loads(decoded(token.split(".")[0]))["kid"]


def with_key_id(token, key_id):
    header = json.dumps({"alg": "RS256", "kid": key_id}).encode()
    return ".".join([urlsafe_b64encode(header).rstrip(b"=").decode(), *token.split(".")[1:]])


def decoded(part):
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
