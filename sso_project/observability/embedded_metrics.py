"""Metrics on AWS Lambda, where nothing can scrape `/metrics`: lines of the log for CloudWatch.

Lambda ends instances without notice, so each invocation writes what it has counted. CloudWatch
reads the lines in its embedded metric format:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator

from prometheus_client.metrics_core import Metric

from .metrics import COUNTERS, HISTOGRAMS

NAMESPACE = "sso"
_DIMENSION = "FunctionName"  # as in the metrics of Lambda itself
_SUFFIXES = ("_total", "_count", "_sum")  # not the buckets, each of which would be a metric to pay

Labels = tuple[tuple[str, str], ...]


class EmbeddedMetrics:
    """The counters of `metrics.py`, and their values at the end of the last invocation.

    `sso_request_seconds` is left out: Lambda and API Gateway count requests, and its labels would
    make thousands of metrics.
    """

    def __init__(self, function_name: str) -> None:
        self._function_name = function_name
        self._written = dict(_totals())

    def write(self, gauges: Iterable[Metric] = ()) -> None:
        """Write what has changed since the last call to standard output, and `gauges`."""
        changes: dict[Labels, dict[str, float]] = {}
        for (labels, name), total in _totals():
            changes.setdefault(labels, {})[name] = total - self._written.get((labels, name), 0.0)
            self._written[labels, name] = total
        for labels, values in changes.items():
            # All counters without labels, also those that did not change. An alarm compares them,
            # and CloudWatch calculates nothing from a metric without data.
            self._write_line(labels, values if not labels else _nonzero(values))
        self._write_line(
            (), {sample.name: sample.value for gauge in gauges for sample in gauge.samples}
        )

    def _write_line(self, labels: Labels, values: dict[str, float]) -> None:
        if not values or (not labels and not any(values.values())):
            return
        dimensions = [[_DIMENSION], [_DIMENSION, *dict(labels)]] if labels else [[_DIMENSION]]
        metrics = [
            {"Name": name, "Unit": "Seconds" if name.endswith("_sum") else "Count"}
            for name in values
        ]
        directive = {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": metrics}
        line = {
            "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
            _DIMENSION: self._function_name,
            **dict(labels),
            **values,
        }
        sys.stdout.write(f"{json.dumps(line)}\n")
        sys.stdout.flush()


def _nonzero(values: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value}


def _totals() -> Iterator[tuple[tuple[Labels, str], float]]:
    """Yield each total by its labels and the name that it has in `/metrics`."""
    for metric in (*COUNTERS.values(), *HISTOGRAMS.values()):
        for family in metric.collect():
            for sample in family.samples:
                if sample.name.endswith(_SUFFIXES):
                    yield (tuple(sorted(sample.labels.items())), sample.name), sample.value
