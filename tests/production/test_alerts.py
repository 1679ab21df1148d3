"""deploy/alerts.yml only uses existing metrics and labels, and each alert has a runbook."""

import re

import pytest
import yaml

from accounts.cognito import errors
from sso_project.observability import metrics, metrics_view
from tests.imports import ROOT

RULES = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
METRICS = [
    value
    for value in vars(metrics).values()
    if hasattr(value, "_labelnames") and hasattr(value, "_name")
]
FROM_DATABASE = {"sso_database_up", "sso_sessions", "sso_pending_revocations"}
SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_count", "_sum"]}
SAMPLES = {
    metric._name + suffix: {*metric._labelnames, *(["le"] if suffix == "_bucket" else [])}
    for metric in METRICS
    for suffix in SUFFIXES[metric._type]
} | {key: set() for key in FROM_DATABASE}


def codes(kind=errors.CognitoError):
    return {kind.code}.union(*(codes(child) for child in kind.__subclasses__()))


def used(expression):
    """Return the metrics of an expression with the labels and values of their selectors."""
    for name, selector in re.findall(r"\b(sso_\w+)(?:\{([^}]*)\})?", expression):
        yield name, re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"', selector)


def ids(rule):
    return rule["alert"]


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_rule_uses_metrics_and_labels_that_exist(rule):
    metrics = list(used(rule["expr"]))
    assert metrics
    for name, selectors in metrics:
        assert name in SAMPLES
        for label, values in selectors:
            assert label in SAMPLES[name]
            if label in ("outcome", "result"):
                label_values = codes() | {"ok", "failed", "crowded", "refused"}
                assert set(values.split("|")) <= label_values


class Rates:
    """The rates of two counters now, a day ago and a week ago, for PromQL's `sum(rate(…))`."""

    def __init__(self, started, returned):
        self.values = {"started": started, "returned": returned}

    def holds(self, expression):
        """Evaluate the PromQL of the sign-in rules: sums of rates, factors, < > and `and`."""

        def rate(match):
            name, offset = match.groups()
            return str(self.values[name][{"": 0, "1d": 1, "1w": 2}[offset or ""]])

        pattern = r"sum\(rate\(sso_sign_ins_(\w+)_total\[\w+\](?: offset (\w+))?\)\)"
        terms = re.sub(pattern, rate, expression)
        assert re.fullmatch(r"(?:and|[\d.<>*\s])+", terms), terms
        return bool(eval(" ".join(terms.split()), {"__builtins__": {}}))


USUAL, NIGHT = 0.5, 0.001


@pytest.mark.parametrize(
    ("started", "returned", "pages", "tickets"),
    [
        ((USUAL, USUAL, USUAL), (USUAL, USUAL, USUAL), False, False),
        ((USUAL, USUAL, USUAL), (0, USUAL, USUAL), True, True),  # redirect_mismatch
        ((NIGHT, NIGHT, NIGHT), (0, NIGHT, NIGHT), False, False),
        ((50, NIGHT, NIGHT), (0, NIGHT, NIGHT), False, True),  # a crawler at night
        ((50, 50, 50), (0, 0, 0), False, True),  # one that comes each night
        ((50, USUAL, USUAL), (USUAL, USUAL, USUAL), False, True),  # one by day
        ((50, USUAL, NIGHT), (NIGHT, USUAL, NIGHT), False, True),  # one on a holiday
        ((0, USUAL, USUAL), (0, USUAL, USUAL), False, False),  # no one signs in at all
    ],
)
def test_crawler_that_starts_sign_ins_fires_no_alert(started, returned, pages, tickets):
    rules = {rule["alert"]: rule for rule in RULES}
    rates = Rates(started, returned)
    page, ticket = rules["SignInsDoNotReturn"], rules["FewSignInsReturn"]
    assert (page["labels"]["severity"], ticket["labels"]["severity"]) == ("page", "ticket")
    assert (rates.holds(page["expr"]), rates.holds(ticket["expr"])) == (pages, tickets)


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_rule_has_a_summary_and_a_runbook(rule):
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"].endswith(".")
    text = (ROOT / rule["annotations"]["runbook"]).read_text(encoding="utf-8")
    for heading in ("## What it means", "## What to check", "## What to do"):
        assert heading in text
    assert rule["alert"] in text


def test_every_metric_of_sign_ins_and_tokens_is_watched_by_an_alert():
    watched = {name for rule in RULES for name, _ in used(rule["expr"])}
    bases = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in watched}
    assert {metric._name for metric in METRICS} | FROM_DATABASE == bases


def test_every_runbook_belongs_to_an_alert():
    runbooks = {rule["annotations"]["runbook"] for rule in RULES}
    there = {f"docs/runbooks/{file.name}" for file in (ROOT / "docs/runbooks").glob("*.md")}
    assert {name for name in there if "rotate" not in name} == runbooks


def test_database_gauges_are_those_of_the_collector(db):
    metrics = {family.name for family in metrics_view.DatabaseCollector().collect()}
    assert metrics == FROM_DATABASE
