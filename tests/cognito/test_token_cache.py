import threading
import time
import tracemalloc

import pytest

from accounts.cognito.errors import TokenExpired, TokenRejected, UnknownKey
from accounts.cognito.jwks import KeyStore
from accounts.cognito.token_cache import TokenCache
from accounts.cognito.verifier import TokenVerifier, TrustedPools
from accounts.provider.settings import read_config
from accounts.testing import mint_access_token
from accounts.testing.tokens import key_set


class Clock:
    def __init__(self):
        self.now = time.time()

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


class Keys:
    """A key set that can change, with the number of its downloads."""

    def __init__(self, issuer):
        self.document = key_set(issuer)
        self.fetches = 0

    def __call__(self):
        self.fetches += 1
        return self.document


@pytest.fixture
def keys():
    return Keys(read_config().issuer)


@pytest.fixture
def make(clock, keys):
    def build(**limits):
        config = read_config()
        store = KeyStore(keys, clock=clock, in_background=lambda work: work())
        verifier = TokenVerifier(
            pool_id=config.pool_id,
            keys={config.issuer: store},
            client_ids=config.accepted_clients,
            clock=clock,
        )
        return TokenCache(TrustedPools([verifier]), clock=clock, **limits)

    return build


def test_token_is_verified_once(make):
    tokens, token, calls = make(), mint_access_token(), []
    first = tokens.verify(token, principal_of=calls.append)
    assert tokens.verify(token, principal_of=calls.append) is first
    assert calls == [first.claims]


def test_expiry_is_checked_on_every_use(make, clock):
    tokens, token = make(), mint_access_token()
    expires_at = tokens.verify(token, principal_of=str).claims.expires_at
    clock.now = expires_at - 1
    tokens.verify(token, principal_of=str)
    clock.now = expires_at
    with pytest.raises(TokenExpired):
        tokens.verify(token, principal_of=str)


def test_token_is_dropped_when_its_key_is_withdrawn(make, clock, keys):
    tokens, token = make(), mint_access_token(claims={"exp": int(clock.now) + 7200})
    tokens.verify(token, principal_of=str)
    keys.document = key_set("http://localhost:1/another")
    clock.now += 3601  # an hour old: the next use renews the key set
    tokens.verify(token, principal_of=str)
    with pytest.raises(UnknownKey):
        tokens.verify(token, principal_of=str)
    assert (len(tokens), tokens.bytes) == (0, 0)


def test_cached_tokens_renew_the_key_set(make, clock, keys):
    tokens, token = make(), mint_access_token(claims={"exp": int(clock.now) + 86_000})
    for _ in range(4):
        tokens.verify(token, principal_of=str)
        clock.now += 3601
    assert keys.fetches == 4


@pytest.mark.parametrize("place", ["header", "payload", "signature"])
def test_token_that_differs_in_one_character_is_not_cached(make, place):
    tokens, token = make(), mint_access_token()
    tokens.verify(token, principal_of=str)
    parts = dict(zip(("header", "payload", "signature"), token.split("."), strict=True))
    for position in (0, len(parts[place]) // 2, len(parts[place]) - 1):
        part = parts[place]
        other = "A" if part[position] != "A" else "Q"
        changed = {**parts, place: part[:position] + other + part[position + 1 :]}
        with pytest.raises(TokenRejected):
            tokens.verify(".".join(changed.values()), principal_of=str)
    assert len(tokens) == 1


def test_signature_of_another_token_is_not_cached(make):
    tokens, token, other = make(), mint_access_token(), mint_access_token(groups=["admins"])
    tokens.verify(token, principal_of=str)
    payload, signature = other.split(".")[1], token.split(".")[2]
    for forged in (
        f"{token.split('.')[0]}.{payload}.{signature}",
        f"{other.rpartition('.')[0]}.{signature}",
        signature,
        f".{signature}",
    ):
        with pytest.raises(TokenRejected):
            tokens.verify(forged, principal_of=str)
    assert tokens.verify(token, principal_of=str).claims.groups != ("admins",)


def test_refused_principal_is_not_cached(make):
    tokens, token = make(), mint_access_token()

    def refuse(claims):
        raise PermissionError

    for _ in range(2):
        with pytest.raises(PermissionError):
            tokens.verify(token, principal_of=refuse)
    assert (len(tokens), tokens.bytes) == (0, 0)


def test_entries_are_bounded_and_the_oldest_are_dropped(make):
    tokens = make(max_entries=3)
    minted = [mint_access_token() for _ in range(5)]
    calls = []
    for token in [*minted, *minted[2:]]:
        tokens.verify(token, principal_of=calls.append)
    assert len(tokens) == 3
    assert len(calls) == 5


def test_bytes_are_bounded(make):
    tokens = make(max_bytes=60_000)
    groups = [f"group-{number}" for number in range(100)]
    for _ in range(20):
        tokens.verify(mint_access_token(groups=groups), principal_of=str)
        assert tokens.bytes <= 60_000
    assert 0 < len(tokens) < 20


def test_estimate_is_not_below_what_an_entry_takes(make):
    tokens = make()
    minted = [mint_access_token(groups=["admins", "editors"]) for _ in range(300)]
    tokens.verify(minted.pop(), principal_of=str)
    before_bytes = tokens.bytes
    tracemalloc.start()
    for token in minted:
        tokens.verify(token, principal_of=lambda claims: None)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert taken <= (tokens.bytes - before_bytes) * 1.1


def test_threads_agree(make):
    tokens = make(max_entries=8)
    minted = [mint_access_token() for _ in range(16)]
    subjects, errors = set(), []

    def use():
        try:
            for token in minted * 5:
                subjects.add(tokens.verify(token, principal_of=str).claims.subject)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(subjects) == 1
    assert len(tokens) <= 8
    assert tokens.bytes == sum(entry.size for entry in tokens._entries.values())


def test_tokens_themselves_are_not_stored(make):
    tokens, token = make(), mint_access_token()
    verified = tokens.verify(token, principal_of=str)
    values = [str(getattr(verified, name)) for name in verified.__slots__]
    parts = token.split(".")[1:]
    assert not any(part in text for text in [*values, repr(tokens._entries)] for part in parts)
