"""Session tracking: the sessions API, linked revocation, the limit, and the length of SSO."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from local_pool.errors import ConfigError, PoolError
from local_pool.testing import LocalPool

from .conftest import App
from .pages import Pages

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
INVALID, MISSING = "InvalidParameterException", "ResourceNotFoundException"
SET_POOL = "SetUserPoolSessionConfiguration"
SET_CLIENT = "SetUserPoolClientSessionConfiguration"
ADMIN = "openid aws.cognito.signin.user.admin"


@pytest.fixture
def app(make_local_pool):
    return App(make_local_pool(session_tracking=True, location="Berlin, Germany"))


class Device:
    """A browser that signs in at the app."""

    def __init__(self, app, username="ada", **changes):
        self.app = app
        self.browser = requests.Session()
        self.browser.headers["User-Agent"] = FIREFOX
        code = app.code(username, session=self.browser, **({"scope": ADMIN} | changes))
        self.tokens = app.redeem(code).json()

    def again(self, **changes):
        """Sign in again without the password, and return the tokens."""
        location = self.app.authorize(self.browser, **changes).headers["Location"]
        return self.app.redeem(parse_qs(urlsplit(location).query)["code"][0]).json()

    @property
    def is_signed_in(self):
        return "code=" in self.app.authorize(self.browser).headers["Location"]

    @property
    def can_refresh(self):
        return self.app.refresh(self.tokens["refresh_token"]).status_code == 200


def listed(app, username="ada"):
    """Return the user's sessions, the latest first."""
    sessions = app.api("AdminListUserSessions", Username=username).json()["Sessions"]
    return {session["SessionId"]: session for session in sessions}


def ids(app, kind, username="ada"):
    return [key for key in listed(app, username) if key.startswith(kind)]


def error(response):
    assert response.status_code == 400
    return response.json()["__type"]


def test_sessions_are_listed_with_parent_device_and_place(app):
    device = Device(app)
    own = app.api("ListUserSessions", AccessToken=device.tokens["access_token"]).json()["Sessions"]
    token = next(s for s in own if s["SessionType"] == "TOKEN")
    browser = next(s for s in own if s["SessionType"] == "SSO")
    assert token["OriginSessionId"] == browser["SessionId"]
    assert (token["IsCurrentSession"], browser["IsCurrentSession"]) == (True, False)
    assert browser["DeviceType"] == "Firefox on Linux"
    assert token["DeviceType"] == "python-requests"
    assert browser["LastIPAddress"] == token["LastIPAddress"] == "127.0.0.1"
    assert browser["LastLocation"] == {"City": "Berlin", "Country": "Germany"}
    assert "OriginSessionId" not in browser
    assert {s["IsCurrentSession"] for s in listed(app).values()} == {False}
    assert listed(app, "grace") == {}


def test_session_without_a_browser_has_no_parent_and_no_place(make_local_pool):
    app = App(make_local_pool(session_tracking=True))
    app.pool.tokens_for("ada")
    [session] = listed(app).values()
    assert session["OriginSessionId"] is None
    assert session["DeviceType"] == "unknown"
    assert session["LastLocation"] == {"City": None, "Country": "unknown"}


def test_refresh_makes_a_session_the_most_recently_active(app):
    first, second = Device(app), Device(app)
    created = {key: session["CreateDate"] for key, session in listed(app).items()}
    app.pool.clock.advance(100)
    assert first.can_refresh
    changed = [key for key, s in listed(app).items() if s["LastActiveDate"] >= created[key] + 100]
    assert sorted(key[:3] for key in changed) == ["sso", "tkn"]
    assert listed(app)[changed[0]]["CreateDate"] == created[changed[0]]
    assert second.is_signed_in


@pytest.mark.parametrize("linked", [False, True])
def test_administrator_ends_a_token_session(app, linked):
    device, other = Device(app), Device(app)
    app.pool.clock.advance(1)
    again = device.again()
    token = ids(app, "tkn")[0]
    body = {"RevokeAssociatedSessions": "LINKED"} if linked else {}
    assert app.api("AdminRevokeUserSession", Username="ada", SessionId=token, **body).json() == {}
    assert app.refresh(again["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.user_info(again["access_token"]).status_code == 401
    assert token not in listed(app)
    # The other sign-in of this browser stays, and the session of the browser ends only if linked.
    assert device.can_refresh
    assert device.is_signed_in is not linked
    assert other.is_signed_in
    assert other.can_refresh


@pytest.mark.parametrize("linked", [False, True])
def test_administrator_ends_a_browser_session(app, linked):
    device = Device(app)
    [browser] = ids(app, "sso")
    body = {"RevokeAssociatedSessions": "LINKED" if linked else "NONE"}
    app.api("AdminRevokeUserSession", Username="ada", SessionId=browser, **body)
    assert not device.is_signed_in
    assert device.can_refresh is not linked
    assert [key[:3] for key in listed(app)] == ([] if linked else ["tkn"])


def test_user_ends_other_sessions_but_not_the_current_one(app):
    device, other = Device(app), Device(app)
    access = {"AccessToken": device.tokens["access_token"]}
    sessions = app.api("ListUserSessions", **access).json()["Sessions"]
    current = next(s["SessionId"] for s in sessions if s["IsCurrentSession"])
    assert error(app.api("RevokeUserSession", SessionId=current, **access)) == (
        "InvalidParameterException"
    )
    for session in sessions:
        if session["SessionType"] == "TOKEN" and session["SessionId"] != current:
            linked = {"SessionId": session["SessionId"], "RevokeAssociatedSessions": "LINKED"}
            assert app.api("RevokeUserSession", **linked, **access).json() == {}
            gone = app.api("RevokeUserSession", **linked, **access)
            assert error(gone) == "ResourceNotFoundException"
    assert not other.is_signed_in
    assert not other.can_refresh
    assert device.is_signed_in
    assert device.can_refresh


@pytest.mark.parametrize("linked", [False, True])
def test_revoked_token_takes_the_browser_session_along_if_linked(app, linked):
    device = Device(app)
    again = device.again()
    body = {"RevokeAssociatedSessions": "LINKED"} if linked else {}
    client = {"ClientId": app.pool.client_id, "ClientSecret": app.pool.client_secret}
    app.api("RevokeToken", Token=again["refresh_token"], **client, **body)
    assert app.refresh(again["refresh_token"]).status_code == 400
    assert device.can_refresh
    assert device.is_signed_in is not linked


def test_sign_in_above_the_limit_evicts_the_least_recently_used_session(app):
    configured = app.api(
        "SetUserPoolSessionConfiguration",
        UserSessionTracking="ENABLED",
        TokenSession={"MaxPerUser": 2},
    )
    assert configured.json()["TokenSession"] == {"MaxPerUser": 2}
    first, second = Device(app), Device(app)
    app.pool.clock.advance(10)
    assert first.can_refresh  # so the second one is the least recently used
    others = Device(app, "grace")
    app.pool.clock.advance(10)
    third = Device(app)
    assert len(ids(app, "tkn")) == 2
    assert app.refresh(second.tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.user_info(second.tokens["access_token"]).status_code == 401
    assert all(device.can_refresh for device in (first, third, others))
    assert second.is_signed_in  # the browser's session stays


def test_lower_limit_acts_at_the_next_sign_in(app):
    devices = [Device(app) for _ in range(4)]
    app.pool.do("sessions on 2")
    assert len(ids(app, "tkn")) == 4
    app.pool.clock.advance(1)
    devices.append(Device(app))
    assert [device.can_refresh for device in devices].count(True) == len(ids(app, "tkn")) == 2
    assert devices[-1].can_refresh


def test_session_is_evicted_on_command(app):
    first = Device(app)
    app.pool.clock.advance(1)
    second = Device(app)
    assert app.pool.do("evict ada").startswith("ada has lost the session tkn")
    assert (first.can_refresh, second.can_refresh) == (False, True)
    with pytest.raises(PoolError, match="linus has no session"):
        app.pool.do("evict linus")


@pytest.mark.parametrize(("minutes", "inside", "outside"), [(0, None, 0), (129_600, 129_599, 1)])
def test_app_client_decides_how_long_it_accepts_the_browser_session(app, minutes, inside, outside):
    device = Device(app)
    client = {"ClientId": app.pool.client_id}
    read = app.api("GetUserPoolClientSessionConfiguration", **client).json()
    assert read["SSOSession"] == {"MaxValidityMinutes": 60}
    length = {"MaxValidityMinutes": minutes}
    app.api("SetUserPoolClientSessionConfiguration", SSOSession=length, **client)
    assert app.api("GetUserPoolClientSessionConfiguration", **client).json()["SSOSession"] == length
    if inside is not None:
        app.pool.clock.advance(60 * inside)
        assert device.is_signed_in
    app.pool.clock.advance(60 * outside)
    assert not device.is_signed_in


def test_one_browser_session_can_be_too_old_for_one_client_and_good_for_another(app):
    device, public = Device(app), app.pool.config.public_client_id
    app.pool.do("sso web 1m")
    app.pool.clock.advance(61)
    assert not device.is_signed_in
    other = app.authorize(device.browser, client_id=public)
    assert "code=" in other.headers["Location"]


def test_length_of_single_sign_on_sleeps_while_tracking_is_off(app):
    app.pool.do("sso web 0")
    device = Device(app)
    assert not device.is_signed_in
    app.pool.do("sessions off")
    assert device.is_signed_in
    app.pool.clock.advance(3600)
    assert not device.is_signed_in
    app.pool.do("sessions on")
    assert not device.is_signed_in


def test_without_tracking_nothing_is_listed_and_linked_has_no_effect(make_local_pool):
    app = App(make_local_pool())
    device = Device(app)
    default = app.api("GetUserPoolSessionConfiguration").json()
    assert (default["UserSessionTracking"], default["TokenSession"]) == (
        "DISABLED",
        {"MaxPerUser": 20},
    )
    access = {"AccessToken": device.tokens["access_token"]}
    for response in (
        app.api("AdminListUserSessions", Username="ada"),
        app.api("ListUserSessions", **access),
        app.api("AdminRevokeUserSession", Username="ada", SessionId="sso" + "a" * 25),
        app.api(
            "SetUserPoolClientSessionConfiguration",
            ClientId=app.pool.client_id,
            SSOSession={"MaxValidityMinutes": 5},
        ),
    ):
        assert error(response) == "InvalidParameterException"
    client = {"ClientId": app.pool.client_id, "ClientSecret": app.pool.client_secret}
    token = {"Token": device.tokens["refresh_token"], "RevokeAssociatedSessions": "LINKED"}
    assert app.api("RevokeToken", **token, **client).json() == {}
    assert device.is_signed_in


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        ("AdminListUserSessions", {"Username": "nobody"}, "UserNotFoundException"),
        ("AdminRevokeUserSession", {"SessionId": "sso" + "a" * 25}, MISSING),
        ("AdminRevokeUserSession", {}, INVALID),
        ("ListUserSessions", {"AccessToken": "no.good.token"}, "NotAuthorizedException"),
        (SET_POOL, {"UserSessionTracking": "ON"}, INVALID),
        (SET_POOL, {"TokenSession": {"MaxPerUser": 101}}, INVALID),
        (SET_POOL, {"TokenSession": {"MaxPerUser": 0}}, INVALID),
        (SET_CLIENT, {"SSOSession": {"MaxValidityMinutes": 129_601}}, INVALID),
        (SET_CLIENT, {"SSOSession": {"MaxValidityMinutes": -1}}, INVALID),
        (SET_CLIENT, {"ClientId": "another"}, MISSING),
        ("GetUserPoolClientSessionConfiguration", {"ClientId": "another"}, MISSING),
    ],
)
def test_wrong_call_is_refused_with_the_error_of_the_model(app, operation, body, expected):
    good = {
        "AdminListUserSessions": {"Username": "ada"},
        "AdminRevokeUserSession": {"Username": "ada"},
        "SetUserPoolSessionConfiguration": {
            "UserSessionTracking": "ENABLED",
            "TokenSession": {"MaxPerUser": 5},
        },
        "SetUserPoolClientSessionConfiguration": {
            "ClientId": app.pool.client_id,
            "SSOSession": {"MaxValidityMinutes": 5},
        },
    }.get(operation, {})
    assert error(app.api(operation, **(good | body))) == expected


def test_token_without_the_scope_lists_nothing(app):
    tokens = Device(app, scope="openid").tokens
    refused = app.api("ListUserSessions", AccessToken=tokens["access_token"])
    assert error(refused) == "NotAuthorizedException"


def test_user_cannot_end_the_session_of_another_user(app):
    other, mine = Device(app, "grace"), Device(app)
    [session] = ids(app, "tkn", "grace")
    access = {"AccessToken": mine.tokens["access_token"], "SessionId": session}
    assert error(app.api("RevokeUserSession", **access)) == "ResourceNotFoundException"
    wrong = app.api("AdminRevokeUserSession", Username="ada", SessionId=session)
    assert error(wrong) == "ResourceNotFoundException"
    assert other.can_refresh


@pytest.mark.parametrize("end", ["sign-out", "disable", "delete"])
def test_sessions_that_ended_in_another_way_are_not_listed(app, end):
    Device(app)
    sub = app.pool.get_user("ada").sub
    app.pool.do(f"{end} ada")
    if end == "delete":
        state = app.pool.pool.state
        assert not any(s.sub == sub for s in state.sessions.values())
    else:
        assert [key[:3] for key in listed(app)] == (["sso"] if end == "sign-out" else [])


def test_tracked_sessions_survive_a_restart_and_expired_ones_are_deleted(app):
    Device(app)
    before = listed(app)
    app.pool.restart()
    assert listed(app) == before
    app.pool.clock.advance(91 * 86400)
    app.pool.tokens_for("grace")
    assert {s.sub for s in app.pool.pool.state.tracked_sessions.values()} == {
        app.pool.get_user("grace").sub
    }


def test_lite_plan_has_no_sessions_api(app):
    app.pool.do("plan lite")
    body = {"UserSessionTracking": "ENABLED", "TokenSession": {"MaxPerUser": 5}}
    refused = app.api("SetUserPoolSessionConfiguration", **body)
    assert error(refused) == "FeatureUnavailableInTierException"


def test_console_shows_the_sessions_of_each_user(app):
    device = Device(app)
    console = Pages(f"{app.pool.url}/_local/")
    for session_id in listed(app):
        assert session_id in console.text
    console.submit("/_local/faults", do="evict ada")
    assert "ada has lost the session" in console.text
    assert not device.can_refresh


def test_wrong_settings_are_refused(app):
    wrong = {"max_sessions_per_user": 0}, {"sso_minutes": {"another": 5}}
    too_long = {"sso_minutes": {app.pool.client_id: 129_601}}
    for settings in (*wrong, too_long):
        with pytest.raises(ConfigError):
            LocalPool(**settings)
    for command in ("sessions maybe", "sessions on 101", "sso web 91d", "sso another 5m"):
        with pytest.raises(PoolError):
            app.pool.do(command)
