"""The lines that CloudWatch reads from the log of a function."""

import json
import re

import pytest
import yaml

from accounts.core import metrics
from sso_project import lambda_handler
from sso_project.observability import metrics_view
from sso_project.observability.embedded_metrics import NAMESPACE, EmbeddedMetrics
from tests.imports import ROOT
from tests.sso_project.lambda_events import http_api

FUNCTION = "site-Function-1"


@pytest.fixture
def written(capsys):
    """Call `EmbeddedMetrics.write`, and return the lines as objects."""
    embedded = EmbeddedMetrics(FUNCTION)

    def write(gauges=()):
        embedded.write(gauges)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return write


def check_line(line):
    """Check the rules of the specification: every name leads to a member of the right type."""
    assert line["_aws"]["Timestamp"] > 1_700_000_000_000
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive.keys() == {"Namespace", "Dimensions", "Metrics"}
    assert directive["Namespace"] == NAMESPACE
    for dimensions in directive["Dimensions"]:
        assert len(dimensions) <= 30
        assert all(isinstance(line[name], str) for name in dimensions)
    for metric in directive["Metrics"]:
        assert metric["Unit"] in ("Count", "Seconds")
        assert isinstance(line[metric["Name"]], float | int)
    return directive


def test_counter_without_labels_is_written_with_the_others(written):
    metrics.count("sign_ins_started")
    metrics.count("sign_ins_started")
    [line] = written()
    directive = check_line(line)
    assert line["FunctionName"] == FUNCTION
    assert directive["Dimensions"] == [["FunctionName"]]
    assert line["sso_sign_ins_started_total"] == 2
    assert line["sso_sign_ins_returned_total"] == 0


def test_labels_are_dimensions_and_only_changes_are_written(written):
    metrics.count("sign_ins", result="ok")
    metrics.observe("token_endpoint", 0.25, call="refresh", outcome="ok")
    lines = {line.get("result", line.get("call")): line for line in written()}
    for line in lines.values():
        check_line(line)
    assert lines.keys() == {"ok", "refresh"}
    [directive] = lines["ok"]["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["FunctionName"], ["FunctionName", "result"]]
    assert lines["ok"]["sso_sign_ins_total"] == 1
    refresh = lines["refresh"]
    assert refresh["sso_token_endpoint_seconds_count"] == 1
    assert refresh["sso_token_endpoint_seconds_sum"] == pytest.approx(0.25)
    assert not any(name.endswith(("_bucket", "_created")) for name in refresh)
    assert written() == []


def test_handler_writes_at_the_end_of_an_invocation(db, capsys):
    lambda_handler._metrics.write()
    capsys.readouterr()
    response = lambda_handler.handler(http_api("/accounts/login/"), None)
    assert response["statusCode"] == 302
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["sso_sign_ins_started_total"] for line in lines if not line.get("result")] == [1]


def test_housekeeping_reports_what_the_database_holds(db, capsys, monkeypatch):
    monkeypatch.setattr(metrics_view.DATABASE, "_counted_at", float("-inf"))
    lambda_handler.manage({"command": ["cognito_housekeeping"]}, None)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line[:1] == "{"]
    [line] = [line for line in lines if "sso_pending_revocations" in line]
    check_line(line)
    assert line["sso_database_up"] == 1
    assert line["sso_sessions"] == 0


def test_warm_up_event_of_the_template_calls_no_view(monkeypatch, capsys):
    template = (ROOT / "infra/2-api-lambda.yaml").read_text(encoding="utf-8")
    [event] = re.findall(r"Input: '(\{\"warm_up.*)'", template)
    monkeypatch.setattr(lambda_handler, "_adapter", None)
    assert lambda_handler.handler(json.loads(event), None) == {"warm_up": "done"}
    assert capsys.readouterr().out == ""


def test_alarms_of_the_template_name_metrics_that_are_written(db, written, capsys):
    """And a dimension that is written with them, alone."""
    lambda_handler.manage({"command": ["cognito_housekeeping"]}, None)
    output = capsys.readouterr().out.splitlines()
    metrics.count("sign_ins_started")
    lines = [*written(), *(json.loads(line) for line in output if line[:1] == "{")]
    available = {name for line in lines for name in line if name.startswith("sso_")}
    text = (ROOT / "infra/2-api-lambda.yaml").read_text(encoding="utf-8")
    resources = yaml.safe_load(re.sub(r"!\w+", "", text))["Resources"]
    alarms = [item["Properties"] for item in resources.values() if "Alarm" in item["Type"]]
    stats = [
        metric["MetricStat"]["Metric"]
        for alarm in alarms
        for metric in alarm.get("Metrics", ())
        if "MetricStat" in metric
    ]
    own = [metric for metric in (*stats, *alarms) if metric.get("Namespace") == NAMESPACE]
    assert len(own) == 3
    assert {metric["MetricName"] for metric in own} <= available
    assert {dimension["Name"] for metric in own for dimension in metric["Dimensions"]} == {
        "FunctionName"
    }
