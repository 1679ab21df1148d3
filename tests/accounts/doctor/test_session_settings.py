"""The settings of sessions at Cognito, compared with those of this site."""

import dataclasses
import re

import pytest

from accounts.doctor import session_settings
from accounts.doctor.examination import examine
from accounts.doctor.session_settings import SessionSettings, note, session_problems
from accounts.provider import Limits, provider
from accounts.provider.aws import AwsError
from local_pool.testing import LocalPool

DAY = 86_400


def problems(settings, **limits):
    current = dataclasses.replace(provider(), limits=Limits(**limits))
    return list(session_problems(settings, current))


def tracking(maximum=20, minutes=60):
    return SessionSettings(True, maximum, {provider().config.client_id: minutes})


@pytest.mark.parametrize(
    ("limit", "maximum", "ids"),
    [
        (0, None, []),
        (20, None, ["session-tracking-off"]),
        (20, 20, []),
        (0, 20, ["session-limit-differs"]),
        (20, 5, ["session-limit-differs"]),
    ],
)
def test_limit_of_the_pool_is_that_of_this_site(limit, maximum, ids):
    settings = tracking(maximum) if maximum else SessionSettings(False, 0)
    findings = problems(settings, sessions_per_user=limit)
    assert [finding.id for finding in findings] == ids
    if ids == ["session-limit-differs"]:
        assert f"set COGNITO_SESSIONS_PER_USER={maximum}," in findings[0].fix[0]


@pytest.mark.parametrize(("minutes", "ids"), [(0, []), (14 * 1440, []), (14 * 1440 + 1, ["x"])])
def test_hosted_ui_does_not_outlast_the_session_of_this_site(minutes, ids):
    findings = problems(tracking(20, minutes), sessions_per_user=20, session_absolute=14 * DAY)
    assert [finding.id for finding in findings] == ["hosted-ui-session-too-long" for _ in ids]


def test_note_says_what_signing_out_does_and_when_a_password_is_required():
    assert "does not track sessions" in note(SessionSettings(False, 0))
    text = note(SessionSettings(True, 20, {"server": 0, "public": 90}))
    assert "20 per user at most" in text
    assert "0 minutes (server), 90 minutes (public)" in text


def test_commands_of_the_fixes_mend_the_local_pool(settings):
    """Apply each fix, and find nothing afterwards."""
    with LocalPool() as pool:
        values = {"POOL_ID": pool.pool_id, "CLIENT_ID": pool.client_id, "ISSUER": pool.issuer}
        settings.COGNITO = {
            **settings.COGNITO,
            **values,
            "CLIENT_DOMAIN": pool.url,
            "JWKS_URL": "",
            "PUBLIC_CLIENT_ID": "",
            "LIMITS": {"sessions_per_user": 7, "session_absolute": DAY},
        }
        pool.do("plan essentials")
        ids = []
        for _ in range(2):
            [finding] = session_problems(session_settings.fetch(provider()), provider())
            ids.append(finding.id)
            [command] = re.findall(r"`python -m local_pool do (.*)`", finding.fix[-1])
            pool.do(command)
            if finding.id == "session-tracking-off":
                pool.do(f"sso {pool.client_id} 2d")
        assert ids == ["session-tracking-off", "hosted-ui-session-too-long"]
        assert list(session_problems(session_settings.fetch(provider()), provider())) == []


@pytest.mark.django_db
def test_sessions_that_may_not_be_read_are_not_checked():
    def refuse(provider):
        raise AwsError("Use credentials that allow cognito-idp:GetUserPoolSessionConfiguration.")

    examination = examine(describe_sessions=refuse)
    assert "the pool's sessions: Use credentials" in " ".join(examination.not_checked)
