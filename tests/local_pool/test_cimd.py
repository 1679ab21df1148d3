"""Client-ID metadata documents: a URL as client_id, its policy, its cache, and refusals."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest

from .conftest import App
from .test_api import error

URL = "https://agent.example/oauth/client.json"
REDIRECT = "http://localhost:4444/callback"


class Agent:
    """A site that publishes the metadata document of its client."""

    def __init__(self) -> None:
        self.document: object = {
            "client_id": URL,
            "client_name": "An agent",
            "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "none",
        }
        self.status, self.cache_control, self.requests = 200, "", 0
        agent = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                agent.requests += 1
                self.send_response(agent.status)
                self.send_header("Cache-Control", agent.cache_control)
                self.send_header("Location", f"http://localhost:{agent.port}/elsewhere")
                self.end_headers()
                self.wfile.write(json.dumps(agent.document).encode())

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self.server = HTTPServer(("localhost", 0), Handler)
        self.port = self.server.server_port


@pytest.fixture
def agent() -> Iterator[Agent]:
    agent = Agent()
    thread = threading.Thread(target=agent.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield agent
    agent.server.shutdown()
    thread.join()
    agent.server.server_close()


@pytest.fixture
def app(make_local_pool, agent) -> App:
    return App(make_local_pool(metadata_hosts=[f"agent.example=http://localhost:{agent.port}"]))


def create_policy(app: App, pattern: str = "https://agent.example/oauth/*", **more) -> dict:
    body = {"ClientId": app.pool.config.public_client_id, "PolicyName": "agents"} | more
    made = app.api("CreateCIMDPolicy", URLPatterns=[pattern], **body)
    return made.json()["CIMDPolicy"]


def authorize(app: App, **changes) -> str:
    query = {"client_id": URL, "redirect_uri": REDIRECT, "scope": "openid email"} | changes
    return app.authorize(**query).headers["Location"]


def test_client_of_a_document_signs_users_in_and_refreshes(app, agent):
    create_policy(app)
    app.pool.restart()
    code = app.code(client_id=URL, redirect_uri=REDIRECT, scope="openid email")
    tokens = app.redeem(code, auth=None, client_id=URL, redirect_uri=REDIRECT).json()
    access, identity = (
        jwt.decode(tokens[name], options={"verify_signature": False})
        for name in ("access_token", "id_token")
    )
    assert access["client_id"] == identity["aud"] == URL
    refreshed = app.refresh(tokens["refresh_token"], auth=None, client_id=URL)
    assert refreshed.status_code == 200
    assert agent.requests == 1


def test_document_is_cached_as_long_as_it_says(app, agent):
    policy = create_policy(app)
    agent.cache_control = "max-age=172800"
    authorize(app)
    app.pool.clock.advance(172_790)
    authorize(app)
    assert agent.requests == 1
    app.pool.clock.advance(20)
    agent.cache_control = "max-age=5"  # out of range, so that the policy's duration counts
    authorize(app)
    assert agent.requests == 2
    app.pool.clock.advance(policy["CacheDuration"] + 1)
    authorize(app)
    assert agent.requests == 3


def test_cached_documents_are_listed_fetched_again_and_dropped(app, agent):
    policy = {"CIMDPolicyId": create_policy(app)["CIMDPolicyId"]}
    authorize(app)
    [entry] = app.api("ListClientMetadataURLs", **policy).json()["ClientMetadataURLs"]
    assert entry["URL"] == URL
    agent.document["redirect_uris"] = ["http://localhost:4444/other"]
    app.api("UpdateClientMetadataURLState", URL=URL, Action="REFRESH", **policy)
    assert "redirect_mismatch" in authorize(app)
    app.api("UpdateClientMetadataURLState", URL=URL, Action="INVALIDATE", **policy)
    assert app.api("ListClientMetadataURLs", **policy).json()["ClientMetadataURLs"] == []
    gone = app.api("UpdateClientMetadataURLState", URL=URL, Action="REFRESH", **policy)
    assert error(gone) == "CachedCIMDURLDoesNotExistException"


def test_grant_needs_client_and_document(app, agent):
    create_policy(app)
    agent.document |= {"scope": "openid", "grant_types": ["client_credentials"]}
    assert "unauthorized_client" in authorize(app, scope="openid")
    agent.document["grant_types"] = ["authorization_code"]
    app.pool.clock.advance(100_000)
    assert "/login?" in authorize(app, scope="openid")
    assert "error_description=invalid_scope" in authorize(app, scope="openid email")


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "https://agent.example/oauth/other.json"},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"redirect_uris": []},
        {"redirect_uris": ["http://example.com/"]},
        {"grant_types": "authorization_code"},
    ],
)
def test_wrong_document_is_refused(app, agent, changes):
    create_policy(app)
    agent.document |= changes
    assert "/error?error=invalid_request" in authorize(app)


@pytest.mark.parametrize("changes", [{"status": 404}, {"status": 302}, {"document": "text"}])
def test_document_that_cannot_be_read_is_refused(app, agent, changes):
    create_policy(app)
    vars(agent).update(changes)
    assert "/error?error=invalid_request" in authorize(app)
    assert agent.requests == 1


def test_only_urls_of_a_policy_are_fetched(app, agent):
    assert "/error?error=invalid_request" in authorize(app)
    create_policy(app, "https://agent.example/*")  # has no second folder
    assert "/error?error=invalid_request" in authorize(app)
    create_policy(app, "https://elsewhere.example/*")
    elsewhere = authorize(app, client_id="https://elsewhere.example/client.json")
    assert "/error?error=invalid_request" in elsewhere
    assert agent.requests == 0
    local = f"https://localhost:{agent.port}/client.json"
    agent.document["client_id"] = local
    create_policy(app, f"https://localhost:{agent.port}/*")
    assert "/login?" in authorize(app, client_id=local)


def test_policy_is_changed_and_deleted(app, agent):
    made = create_policy(app)
    policy = {"CIMDPolicyId": made["CIMDPolicyId"]}
    authorize(app)
    body = {"ClientId": made["ClientId"], "URLPatterns": ["https://other.example/*"]}
    changed = app.api("UpdateCIMDPolicy", CacheDuration=90_000, **body, **policy).json()
    assert changed["CIMDPolicy"]["CacheDuration"] == 90_000
    assert app.api("DescribeCIMDPolicy", **policy).json() == changed
    assert "/error?error=invalid_request" in authorize(app)
    [listed] = app.api("ListCIMDPolicies").json()["CIMDPolicies"]
    assert listed["PolicyName"] == "agents"
    app.api("DeleteCIMDPolicy", **policy)
    assert error(app.api("DescribeCIMDPolicy", **policy)) == "ResourceNotFoundException"
    machine = app.pool.config.machine_client_id
    refused = app.api("CreateCIMDPolicy", ClientId=machine, PolicyName="x", URLPatterns=[URL])
    assert error(refused) == "InvalidParameterException"
    app.pool.do("plan lite")
    refused = app.api("CreateCIMDPolicy", **{"PolicyName": "x"} | body)
    assert error(refused) == "FeatureUnavailableInTierException"
