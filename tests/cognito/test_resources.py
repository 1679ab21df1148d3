"""Resources (RFC 8707), and the access tokens that are bound to them or have an actor."""

import pytest

from accounts.cognito import errors
from accounts.cognito.jwks import KeyStore
from accounts.cognito.resources import canonical, covering, resource_problem
from accounts.cognito.token_checks import AccessRules
from accounts.cognito.verifier import TokenVerifier
from tests.cognito.keys import (
    CLIENT_ID,
    ISSUER,
    POOL_ID,
    REMOVED,
    key_set,
    make_access_token,
    make_machine_token,
)

OURS = "https://api.example.com"
UNLISTED = "https://agent.example.com/client.json"


@pytest.fixture
def verifier(clock):
    rules = AccessRules(
        resources=(OURS, f"{OURS}/mcp", "figures", "myapp:api"),
        unlisted_scopes=frozenset({"figures/read", "figures/write"}),
        actors=frozenset({"agent"}),
    )
    keys = KeyStore(key_set, clock=clock)
    return TokenVerifier(
        pool_id=POOL_ID, keys={ISSUER: keys}, client_ids=[CLIENT_ID], rules=rules, clock=clock
    )


@pytest.mark.parametrize(
    "audience",
    [
        OURS,
        f"{OURS}/",
        f"{OURS}:443",
        "HTTPS://API.Example.com/",
        [OURS],
        ["https://other.example.com", f"{OURS}/"],
        f"{OURS}/mcp",
        "figures",
        "myapp:api",
    ],
    ids=str,
)
@pytest.mark.parametrize("make", [make_access_token, make_machine_token])
def test_token_bound_to_one_of_our_resources_is_accepted(verifier, make, audience):
    claims = verifier.access_claims(make(aud=audience))
    assert claims.audience == (tuple(audience) if isinstance(audience, list) else (audience,))


@pytest.mark.parametrize(
    "audience",
    [
        "https://other.example.com",
        "http://api.example.com",
        f"{OURS}:8443",
        f"{OURS}/mcp/",
        f"{OURS}/MCP",
        f"{OURS}/mcp?x=1",
        f"{OURS}/#fragment",
        f"{OURS}.example.org",
        f"{OURS}.",
        f" {OURS}",
        f"{OURS}\t",
        f"{OURS}\\",
        f"{OURS}/%",
        "https://user@api.example.com",
        "https://user:pw@api.example.com",
        "http\u017f://api.example.com",
        "https://api.e\u212aample.com",
        "//api.example.com",
        "api.example.com",
        "FIGURES",
        "figures/",
        "another0client",
        ["https://other.example.com", "https://third.example.com"],
        [CLIENT_ID, "https://other.example.com"],
    ],
    ids=str,
)
@pytest.mark.parametrize("make", [make_access_token, make_machine_token])
def test_token_bound_to_another_resource_is_refused_by_name(verifier, make, audience):
    with pytest.raises(errors.WrongResource, match="bound to another resource") as refused:
        verifier.access_claims(make(aud=audience))
    assert refused.value.claim == "aud"
    last = audience[-1] if isinstance(audience, list) else audience
    assert last in refused.value.message


@pytest.mark.parametrize(
    "audience", ["", [], 7, True, {}, {OURS: 1}, [7], [""], [OURS, 7], [[OURS]]]
)
def test_audience_of_another_type_is_refused(verifier, audience):
    with pytest.raises(errors.ClaimRejected, match="aud must be a resource") as refused:
        verifier.access_claims(make_access_token(aud=audience))
    assert type(refused.value) is errors.ClaimRejected


@pytest.mark.parametrize("audience", [REMOVED, None, CLIENT_ID, [CLIENT_ID]], ids=str)
def test_token_that_is_not_bound_is_accepted(verifier, audience):
    """A trigger of the pool can add the client ID as `aud`, which binds the token to nothing."""
    assert verifier.access_claims(make_access_token(aud=audience)).audience == ()


def test_long_name_of_another_resource_is_shortened(verifier):
    with pytest.raises(errors.WrongClient) as refused:
        verifier.access_claims(make_access_token(aud="https://" + "x" * 5000))
    assert len(refused.value.message) < 300


@pytest.mark.parametrize("client_id", ["5selfregistered", UNLISTED, f"{OURS}/"])
@pytest.mark.parametrize("make", [make_access_token, make_machine_token])
def test_unlisted_client_needs_one_of_our_resources_and_a_named_scope(verifier, make, client_id):
    changes = {"client_id": client_id, "aud": OURS, "scope": "openid figures/read"}
    if make is make_machine_token:
        changes["sub"] = client_id
    assert verifier.access_claims(make(**changes)).client_id == client_id
    for change in (
        {"aud": REMOVED},
        {"aud": client_id},
        {"aud": "https://other.example.com"},
        {"scope": REMOVED},
        {"scope": "openid figures"},
        {"scope": "figures/read2"},
        {"iss": "https://example.com"},
        {"client_id": REMOVED},
    ):
        with pytest.raises(errors.ClaimRejected):
            verifier.access_claims(make(**changes | change))


def test_unlisted_client_is_refused_by_default(clock):
    verifier = TokenVerifier(
        pool_id=POOL_ID,
        keys={ISSUER: KeyStore(key_set, clock=clock)},
        client_ids=[CLIENT_ID],
        rules=AccessRules(resources=(OURS,)),
        clock=clock,
    )
    with pytest.raises(errors.WrongClient, match="another app client"):
        verifier.access_claims(make_access_token(client_id=UNLISTED, aud=OURS, scope="openid"))


@pytest.mark.parametrize(
    ("act", "actors"),
    [
        (REMOVED, ()),
        (None, ()),
        ({"sub": "agent"}, ("agent",)),
        ({"sub": "agent", "iss": "https://x.example"}, ("agent",)),
        ({"sub": "agent", "act": {"sub": "earlier"}}, ("agent", "earlier")),
        ({"sub": "agent", "act": {"sub": "b", "act": {"sub": "c"}}}, ("agent", "b", "c")),
    ],
    ids=str,
)
def test_actors_are_told_apart_from_the_subject(verifier, act, actors):
    claims = verifier.access_claims(make_access_token(act=act))
    assert claims.actors == actors
    assert claims.actor == (actors[0] if actors else None)


@pytest.mark.parametrize(
    "act",
    [
        {"sub": "mallory"},
        {"sub": "AGENT"},
        {"sub": "agent "},
        {"sub": "mallory", "act": {"sub": "agent"}},
    ],
    ids=str,
)
def test_current_actor_must_be_allowed_whoever_acted_before(verifier, act):
    with pytest.raises(errors.ActorRejected, match="does not allow"):
        verifier.access_claims(make_access_token(act=act))


@pytest.mark.parametrize(
    "act",
    [
        "agent",
        "",
        7,
        True,
        False,
        [],
        [{"sub": "agent"}],
        {},
        {"sub": ""},
        {"sub": 7},
        {"sub": ["agent"]},
        {"iss": "agent"},
        {"sub": "agent", "act": "earlier"},
        {"sub": "agent", "act": {}},
        {"sub": "agent", "act": False},
    ],
    ids=str,
)
def test_malformed_actor_is_refused(verifier, act):
    with pytest.raises(errors.ClaimRejected) as refused:
        verifier.access_claims(make_access_token(act=act))
    assert refused.value.claim in {"act", "sub"}


def test_chain_of_actors_as_long_as_a_token_allows_is_read(verifier):
    act = {"sub": "first"}
    for _ in range(400):
        act = {"sub": "earlier", "act": act}
    claims = verifier.access_claims(make_access_token(act={"sub": "agent", "act": act}))
    assert len(claims.actors) == 402


def test_actor_of_a_machine_is_checked_too(verifier):
    assert verifier.access_claims(make_machine_token(act={"sub": "agent"})).is_machine
    with pytest.raises(errors.ActorRejected):
        verifier.access_claims(make_machine_token(act={"sub": "mallory"}))


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("https://a.example", "https://a.example/"),
        ("HTTP://A.example:80/B?C", "http://a.example/B?C"),
        ("http://a.example:443", "http://a.example:443/"),
        ("https://a.example?x", "https://a.example/?x"),
        ("https://[::1]:443/x", "https://[::1]/x"),
        ("https://a.example/x#y", "https://a.example/x#y"),
        ("urn:Example", "urn:Example"),
        ("", ""),
    ],
)
def test_equal_urls_have_one_canonical_form(identifier, expected):
    assert canonical(identifier) == expected
    assert canonical(expected) == expected


@pytest.mark.parametrize(
    "identifier",
    ["https://a.example", "https://a.example/b?c=d", "http://localhost:8000", "figures", "app:api"],
)
def test_url_or_name_is_a_resource(identifier):
    assert resource_problem(identifier) is None


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        "two words",
        "ümlaut",
        "x" * 257,
        "https://a.example/#x",
        "name#x",
        "http://a.example",
        "https:a.example",
        "https://",
        "https://user@a.example",
        "HTTP://a.example",
        "https://a.example:x",
    ],
)
def test_anything_else_is_not(identifier):
    assert resource_problem(identifier)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", OURS),
        ("/", OURS),
        ("/mcp", f"{OURS}/mcp"),
        ("/mcp/", f"{OURS}/mcp"),
        ("/mcp/tools?x=/a", f"{OURS}/mcp"),
        ("/mcpx", OURS),
        ("/MCP", OURS),
        ("/a/mcp", OURS),
    ],
)
def test_most_specific_resource_covers_a_url(path, expected):
    assert covering(f"{OURS}{path}", [f"{OURS}/mcp", "figures", OURS]) == expected


def test_no_resource_covers_a_url_of_another_host():
    assert covering("https://api.example.com.evil.example/", [OURS, "https"]) is None
