"""The checker of `make hostile`.

The phase fixture has no violation; each test changes one part.
"""

import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest

from tests.imports import ROOT
from tools.hostile.attack import CLOSED, NO_RESPONSE, OPEN, Allowance
from tools.hostile.attackers import AttackLog
from tools.hostile.attacks import ATTACKS, FAMILIES
from tools.hostile.bounds import RULES, TABLES, Context, bounds
from tools.hostile.checker import Phase, attack_called, findings, name_of
from tools.hostile.machine import MIN_AVAILABLE, Sample, available
from tools.hostile.measure import Measurements
from tools.hostile.report import Result, markdown
from tools.hostile.run import Noticed, all_names
from tools.hostile.target import INSIDER
from tools.hostile.weaknesses import WEAKNESSES
from tools.load.ledger import Kind, Ledger, RecordedResponse, Write

STARTED = 1_800_000_000.0  # Unix time, the beginning of a minute
SECONDS = 30.0


def log_of(name):
    """Return the log of an attack on a site that rejects all requests."""
    attack = attack_called(name)
    refusal = min(attack.acceptable - {CLOSED, OPEN} - set(attack.at_most))
    count = Counter({refusal: int(attack.per_second * SECONDS)})
    return AttackLog(name, attack.addresses, STARTED, SECONDS, count)


def samples(other_share):
    """Return samples of a minute in which other programs used this share of the machine."""
    busy = 100 + other_share * 200
    return [
        Sample(STARTED + second, second * 200, int(second * busy), second * 100)
        for second in range(60)
    ]


@pytest.fixture
def phase():
    ledger = Ledger(
        responses=[RecordedResponse(STARTED + 1, 0.1, "GET /profile/")],
        writes=[Write("load person-0 1", "1", "sub")],
        counts=Counter(sign_in=3, sign_out=1, refresh_by_header=2),
    )
    logs = [log_of(attack.name) for attack in ATTACKS]
    measured = Measurements(SECONDS, 4, rows={"stats.Stat": 1}, calls={"jwks": 4})
    return Phase(6, ledger, logs, measured, samples(other_share=0))


def with_log(phase, changed):
    return replace(phase, logs=[changed if log.name == changed.name else log for log in phase.logs])


def with_rows(phase, rows):
    return replace(phase, measured=replace(phase.measured, rows=rows))


def test_no_finding_in_a_good_phase(phase):
    assert findings(phase) == []


def test_sign_in_of_an_app_is_a_row_of_its_own(phase):
    rows = {"accounts.SignIn": 3 + phase.people + 1}
    assert any("accounts.SignIn" in finding for finding in findings(with_rows(phase, rows)))
    phase.ledger.counts["app_sign_in"] = 1
    assert findings(with_rows(phase, rows)) == []


@pytest.mark.parametrize("status", [NO_RESPONSE, 200, 500, 502, 503])
def test_unacceptable_response_is_found(phase, status):
    log = log_of("unknown key ids")
    log.statuses[status] += 1
    (finding,) = findings(with_log(phase, log))
    assert finding.startswith(f"unacceptable response: unknown key ids: {name_of(status)}, 1 times")


def test_status_is_acceptable_as_often_as_the_attack_says(phase):
    log = log_of("guessed codes")
    log.statuses = Counter({400: 60, 429: 60})
    assert findings(with_log(phase, log)) == []
    log.statuses[400] += 1
    (finding,) = findings(with_log(phase, log))
    assert finding == "too many responses: guessed codes: 400, 61 times, at most 60"


@pytest.mark.parametrize(
    ("began_at", "seconds", "limit"),
    [(STARTED, 59, 20), (STARTED, 60, 40), (STARTED + 59, 2, 40), (STARTED, 119, 40)],
)
def test_allowance_counts_the_windows_that_a_phase_touches(began_at, seconds, limit):
    assert Allowance(10, 60).limit(began_at, seconds, addresses=2) == limit


def test_attack_that_hardly_ran_is_found(phase):
    log = log_of("huge tokens")
    log.statuses = Counter({401: 1})
    (finding,) = findings(with_log(phase, log))
    assert finding.startswith("attack hardly ran: huge tokens: 1 of ")


def test_failed_honest_request_is_found(phase):
    phase.ledger.responses.append(RecordedResponse(STARTED + 2, 0.1, "GET /profile/", "502"))
    assert findings(phase) == ["honest request failed: GET /profile/: 502, 1 times"]


def test_slow_honest_request_is_found(phase):
    phase.ledger.responses.append(RecordedResponse(STARTED + 2, 2.1, "GET /profile/"))
    assert findings(phase) == ["honest request was slow: GET /profile/: 2.1 s, in second 1"]


def test_honest_request_is_not_slow_because_of_other_programs(phase):
    phase.ledger.responses.append(RecordedResponse(STARTED + 2, 3.9, "GET /profile/"))
    assert findings(replace(phase, samples=samples(other_share=0.5))) == []
    assert len(findings(replace(phase, samples=samples(other_share=0.4)))) == 1


def test_other_programs_do_not_excuse_everything():
    assert available(samples(other_share=0.3), STARTED + 1, STARTED + 9) == pytest.approx(0.7)
    assert available(samples(other_share=0), STARTED + 1, STARTED + 9) == 1.0
    assert available(samples(other_share=0.99), STARTED + 1, STARTED + 9) == MIN_AVAILABLE
    assert available(samples(other_share=0.5)[:1], STARTED + 1, STARTED + 9) == 1.0


def test_violation_and_contradiction_are_found(phase):
    phase.ledger.violation(Kind.WRONG_RESPONSE, "person-0 was shown a page of another user")
    changed = replace(phase, contradictions=["lost write: load person-0 1"])
    first, second = findings(changed)
    assert first.startswith("honest user: ")
    assert second == "database: lost write: load person-0 1"


def test_phase_without_honest_requests_is_found(phase):
    phase.ledger.responses.clear()
    assert findings(phase) == ["honest users: no request was sent"]


def grown(measured, rule, number):
    """Return the measurements with this number for `rule`."""
    calls = {
        "codes sent to Cognito": "token:authorization_code",
        "refreshes at Cognito": "token:refresh_token",
        "revocations at Cognito": "revoke",
        "downloads of the key set": "jwks",
    }
    fields = {
        "temporary folder": "temporary_bytes",
        "metrics folder": "metrics_bytes",
        "memory of a worker": "memory_bytes",
        "workers that ended": "lost_workers",
    }
    if rule.name in calls:
        return replace(measured, calls={calls[rule.name]: number})
    if rule.name in fields:
        return replace(measured, **{fields[rule.name]: number})
    return replace(measured, rows={rule.name if rule.name in TABLES else "other.Table": number})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_bound_is_kept_at_its_limit_and_exceeded_above(phase, rule):
    limit = int(rule.limit(Context(phase.measured, phase.ledger, phase.people)))
    at_limit = replace(phase, measured=grown(phase.measured, rule, limit))
    assert findings(at_limit) == []
    above = replace(phase, measured=grown(phase.measured, rule, limit + 1))
    (finding,) = findings(above)
    assert finding.startswith(f"bound exceeded: {rule.name}: ")


def test_limits_of_rows_do_not_grow_with_the_attack(phase):
    by_budget = {"accounts.RateCounter", "accounts.RefreshResult"}  # per minute
    names = {*TABLES, "temporary folder", "metrics folder", "memory of a worker"} - by_budget
    hour = replace(phase.measured, seconds=3600)
    short, long = (
        {bound.name: bound.limit for bound in bounds(Context(m, phase.ledger, 6))}
        for m in (phase.measured, hour)
    )
    assert {name: short[name] for name in names} == {name: long[name] for name in names}


def test_server_errors_and_accepted_forgeries_are_never_acceptable():
    not_implemented = {501, 505}  # by gunicorn, of what is not HTTP, and of transfer codings
    for attack in ATTACKS:
        errors = {status for status in attack.acceptable if status >= 500}
        assert errors <= not_implemented, attack.name
    for family in ("forged tokens", "uploads", "replays", "insiders"):
        for attack in FAMILIES[family]:
            assert not {200, 201, 204} & attack.acceptable, attack.name


def test_names_are_unique_and_weaknesses_name_attacks():
    names = [attack.name for attack in ATTACKS]
    assert len(names) == len(set(names))
    assert {name for weakness in WEAKNESSES for name in weakness.attacks} <= set(names)
    assert len(all_names()) == len(set(all_names()))
    assert INSIDER not in all_names()


def test_every_weakness_replaces_something_that_exists():
    code = "from tools.hostile.weaknesses import WEAKNESSES\nfor item in WEAKNESSES: item.patch()"
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": ""}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def noticed(phase, weakness=WEAKNESSES[0]):
    return Noticed(weakness, [f"{weakness.noticed_by}: as planted"])


def test_run_passes_only_when_every_weakness_was_noticed(phase):
    good = Result(SECONDS, phase, [noticed(phase)])
    assert good.passed
    assert "The run **passed**" in markdown(good)
    bad = Result(SECONDS, phase, [Noticed(WEAKNESSES[0], ["something else"])])
    assert not bad.passed
    assert f"weakness went unnoticed: without {WEAKNESSES[0].control}" in markdown(bad)


def test_report_lists_all_errors(phase):
    phase.ledger.responses.append(RecordedResponse(time.time(), 0.1, "GET /profile/", "502"))
    result = Result(SECONDS, phase, [noticed(phase)])
    assert not result.passed
    report = markdown(result)
    assert "The run **failed**" in report
    assert "- honest request failed: GET /profile/: 502, 1 times" in report
    assert "| `GET /profile/` | 2 |" in report
    for attack in ATTACKS:
        assert f"| {attack.name} |" in report
