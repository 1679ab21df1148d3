"""The output and the files of a run, with and without errors."""

import json
import xml.etree.ElementTree as ElementTree
from collections import Counter

import pytest

from tests.imports import ROOT
from tools.bench import __main__ as command
from tools.bench.goals import GOALS, Goal, amount, result
from tools.bench.measuring import MeasurementError, Series, Spread, ratio
from tools.bench.outcome import Figure, Outcome
from tools.bench.picture import Bar, Chart, draw
from tools.bench.report import as_json, as_markdown, replace_table

MACHINE = {"date": "2026-01-02 03:04 UTC", "Python": "3.11"}
DOCUMENT = ROOT / "docs/performance.md"


def outcome_of(middle, **series):
    good = Series("one", [middle, middle])
    results = dict([result("list, peer", lambda: ratio(good, Series("other", [1.0, 1.0])))])
    figure = Figure("A table", "one", Spread(5.0, 4.0, 6.25), "req/s", {"median, ms": 1.234})
    return Outcome(results, [figure])


def failed_outcome():
    bad = Series("one", [9.0], Counter({"status 500 instead of 200": 2}))
    return Outcome(dict([result("list, peer", lambda: ratio(bad, Series("other", [1.0])))]))


@pytest.mark.parametrize(
    ("at_least", "value", "verdict"),
    [(True, 8.0, True), (True, 7.99, False), (False, 8.0, True), (False, 8.01, False)],
)
def test_goal_is_met_up_to_its_limit(at_least, value, verdict):
    assert Goal("what", 8, at_least=at_least).is_met_by(value) is verdict


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.1525, "x", "0.15 x"), (12.34, "ms", "12.3 ms"), (250.4, "", "250"), (8, "x", "8 x")],
)
def test_numbers_have_three_significant_digits(value, unit, text):
    assert amount(value, unit) == text


def test_table_has_goal_measurement_and_verdict():
    text = as_markdown(outcome_of(10.5), MACHINE)
    assert "| ≥ 10 x | 10.5 x |" in text
    assert "| met |" in text
    assert "| one | 5 | 4 to 6.25 | 1.23 |" in text
    assert "Python 3.11" in text
    assert "| not met |" in as_markdown(outcome_of(7.5), MACHINE)


def test_ratio_of_a_run_with_errors_is_not_printed():
    text = as_markdown(failed_outcome(), MACHINE)
    assert "| no figure | one: 2 x status 500 instead of 200 | no figure |" in text
    assert "9" not in text.partition("no figure")[2].partition("no figure")[2].splitlines()[0]


def test_json_contains_all_results():
    results = json.loads(json.dumps(as_json(outcome_of(10.5), MACHINE)))
    assert results["machine"] == MACHINE
    assert results["goals"]["list, peer"]["found"]["middle"] == 10.5
    assert results["goals"]["list, peer"]["verdict"] == "met"
    assert results["figures"][0]["more"] == {"median, ms": 1.234}


def test_only_text_between_the_marks_is_replaced():
    before = "# A\n<!-- make bench: begin -->\nold\n<!-- make bench: end -->\n## B\n"
    after = replace_table(before, "new")
    assert after == ("# A\n<!-- make bench: begin -->\n\nnew\n\n<!-- make bench: end -->\n## B\n")
    assert replace_table(after, "new") == after
    with pytest.raises(MeasurementError, match="the document has no"):
        replace_table("# A\n", "new")


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """A function that runs the command with an outcome; returns status, output and folder."""
    document = tmp_path / "performance.md"
    document.write_text("<!-- make bench: begin -->\nold\n<!-- make bench: end -->\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(command, "DOCUMENT", document)
    monkeypatch.setattr(command, "PICTURE", tmp_path / "performance.svg")
    monkeypatch.setattr(command, "description", lambda: MACHINE)

    def main(outcome, *words):
        monkeypatch.setattr(command, "measure", lambda parts, options: outcome)
        return command.main(list(words)), capsys.readouterr(), tmp_path

    return main


def test_good_run_prints_writes_and_is_a_success(run):
    status, printed, folder = run(outcome_of(7.5))
    assert status == 0
    assert "not met" in printed.out
    assert json.loads((folder / "results/results.json").read_text())["goals"]
    assert (folder / "performance.md").read_text().splitlines()[1] == "old"
    assert not (folder / "performance.svg").exists()


def test_good_run_goes_into_the_documents_when_asked(run):
    status, _, folder = run(outcome_of(10.5), "--write-docs")
    assert status == 0
    assert "10.5 x" in (folder / "performance.md").read_text()
    assert (folder / "performance.svg").exists()


def test_run_with_errors_fails_and_leaves_the_documents(run):
    status, printed, folder = run(failed_outcome(), "--write-docs")
    assert status == 1
    assert "2 x status 500" in printed.err
    assert "docs/ was not changed" in printed.err
    assert "old" in (folder / "performance.md").read_text()
    assert not (folder / "performance.svg").exists()


def test_failing_part_is_an_error_and_the_others_continue(monkeypatch):
    class Site:
        __enter__ = __exit__ = lambda *args: None

    def importing(name):
        class Part:
            @staticmethod
            def run(site, options):
                if name.endswith("micro"):
                    raise MeasurementError("no key")
                return outcome_of(10.5)

        return Part

    monkeypatch.setattr(command, "Site", Site)
    monkeypatch.setattr(command.importlib, "import_module", importing)
    outcome = command.measure(["micro", "macro"], None)
    assert outcome.errors == ["micro: no key"]
    assert outcome.results


@pytest.mark.parametrize(
    "words", [["--rounds", "0"], ["--write-docs", "--part", "micro"], ["--part", "nothing"]]
)
def test_wrong_arguments_are_explained(words, capsys):
    with pytest.raises(SystemExit) as leaving:
        command.arguments(words)
    assert leaving.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_every_part_can_be_chosen():
    assert {file.stem for file in (ROOT / "tools/bench/parts").glob("*.py")} >= set(command.PARTS)
    assert command.arguments(["--part", "micro", "--part", "storm"]).part == ["micro", "storm"]


def test_picture_is_an_svg_for_light_and_dark_pages():
    chart = Chart("Rates & more", "req/s", [Bar("a <b>", 100.0, "ours"), Bar("c", 50.0, "peer")])
    document = draw([chart])
    root = ElementTree.fromstring(document)
    svg = "{http://www.w3.org/2000/svg}"
    widths = [int(bar.get("width")) for bar in root.iter(f"{svg}rect")]
    assert widths[0] == pytest.approx(2 * widths[1], abs=1)
    assert "a <b>" in [text.text for text in root.iter(f"{svg}text")]
    assert "prefers-color-scheme: dark" in document


def test_every_goal_is_in_the_document_with_a_figure():
    table = DOCUMENT.read_text(encoding="utf-8").partition("make bench: begin")[2]
    for goal in GOALS.values():
        assert f"| {goal.what} | {goal.target} |" in table
    assert "no figure" not in table
    assert (ROOT / "docs/performance.svg").exists()
