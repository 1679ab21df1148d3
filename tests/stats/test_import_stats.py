"""`manage.py import_stats` imports all figures of a file, or none."""

from io import StringIO

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper

from stats.management.progress import Progress
from stats.models import Change, Stat

pytestmark = pytest.mark.django_db
FORMULA = (
    "The name must not begin with =, +, - or @, because a spreadsheet would run it as a formula."
)
GOOD = "kpi,year,month,value\nrevenue,2020,1,12.5\nRevenue,2020,2,-3\n"


@pytest.fixture
def load(tmp_path):
    def run(content=GOOD, name="figures.csv", **options):
        file = tmp_path / name
        if content is not None:
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        output = StringIO()
        call_command("import_stats", file, stdout=output, **options)
        return output.getvalue()

    return run


def refused(load, *args, **kwargs):
    with pytest.raises(CommandError) as caught:
        load(*args, **kwargs)
    assert Stat.objects.count() == Change.objects.count() == 0
    assert str(caught.value).endswith("Nothing was written.")
    return str(caught.value)


def test_figures_are_added_and_a_second_run_changes_nothing(load):
    assert load() == "2 rows: 2 added, 0 changed, 0 unchanged.\n"
    before = list(Stat.objects.values())
    assert load() == "2 rows: 0 added, 0 changed, 2 unchanged.\n"
    assert list(Stat.objects.values()) == before
    changed = GOOD.replace("12.5", "13")
    assert load(changed) == "2 rows: 0 added, 1 changed, 1 unchanged.\n"
    assert {change.through for change in Change.objects.all()} == {"import_stats"}


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n") + "\r\n,,,\r\n",
        "value,month,year,kpi\n12.5,1,2020,revenue\n-3,2,2020,Revenue\n",
        GOOD.replace("revenue", '"revenue"'),
        GOOD.replace(",", ";").replace("12.5", "12,5") + ";;;\n",
    ],
    ids=["with a mark", "from Windows", "other order", "quoted", "semicolons"],
)
def test_files_as_spreadsheets_write_them(load, content):
    assert load(content).startswith("2 rows: 2 added")


def test_xlsx_is_read(load, tmp_path):
    book = openpyxl.Workbook()
    for values in (["kpi", "year", "month", "value"], ["revenue", 2020, 1, 12.5], [None] * 4):
        book.active.append(values)
    book.save(tmp_path / "figures.xlsx")
    book.close()
    assert load(None, "figures.xlsx").startswith("1 rows: 1 added")
    assert str(Stat.objects.get().value) == "12.5"


def test_dry_run_writes_nothing(load):
    assert load(dry_run=True) == "2 rows are valid. Nothing was written.\n"
    assert Stat.objects.count() == 0


def test_quiet_run_prints_nothing(load):
    assert load(verbosity=0) == ""


def test_all_invalid_rows_are_reported_with_field_and_rule(load):
    lines = [
        "revenue,2020,13,1",
        "revenue,0,1,NaN",
        "=cmd,2020,1,1e400",
        "cost,2020,1,1234567890123456",
        "cost,2020,1",
        "a,2020,5,1,more",
        "a,2020,6,1",
        "A,2020,6,2",
    ]
    report = refused(load, "kpi,year,month,value\n" + "\n".join(lines)).splitlines()
    assert report == [
        "Row 1, month: Enter a month from 1 to 12.",
        "Row 2, year: Enter a year of four digits.",
        "Row 2, value: Enter a number, with a point as the decimal separator.",
        f"Row 3, kpi: {FORMULA}",
        "Row 3, value: Enter a number of at most 15 digits.",
        "Row 4, value: Enter a number of at most 15 digits.",
        "Row 5, value: This field is missing.",
        "Row 6, column 5: There is no such field.",
        "Row 8, month: Row 7 already has a figure of this KPI for this month.",
        "7 rows are invalid. Nothing was written.",
    ]


def test_only_the_first_errors_are_listed(load):
    lines = "\n".join(f"k{number},2020,13,1" for number in range(80))
    report = refused(load, f"kpi,year,month,value\n{lines}").splitlines()
    assert report[50:] == ["… and 30 more.", "80 rows are invalid. Nothing was written."]


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (
            GOOD.replace("revenue", "r\xe9sultat").encode("latin-1"),
            "a.csv",
            "isn't written in UTF-8",
        ),
        ("", "a.csv", "It holds none"),
        ("kpi,year\n", "a.csv", "must hold the columns kpi, year, month, value"),
        ('kpi,year,month,value\n"a', "a.csv", "is not CSV"),
        (b"PK\x03\x04broken", "a.xlsx", "not a readable XLSX workbook"),
        (None, "missing.csv", "can't be read: No such file"),
        (None, "missing.xlsx", "can't be read: No such file"),
    ],
)
def test_file_that_cannot_be_taken_says_why(load, content, name, words):
    assert words in refused(load, content, name)


def test_failed_import_writes_nothing(load, monkeypatch):
    from stats import writing

    calls = []

    def fail_at_second(figures, *args):
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("the disk is full")
        return original(figures, *args)

    original = writing._upsert_batch
    monkeypatch.setattr(writing, "_upsert_batch", fail_at_second)
    lines = "\n".join(f"k{number},2020,1,1" for number in range(writing.BATCH_SIZE + 1))
    with pytest.raises(RuntimeError):
        load(f"kpi,year,month,value\n{lines}")
    assert Stat.objects.count() == Change.objects.count() == 0


class Terminal(StringIO):
    def isatty(self):
        return True


def test_progress_is_drawn_and_removed_at_a_terminal():
    screen = Terminal()
    progress = Progress(OutputWrapper(screen), 200)
    progress.show(100)
    assert screen.getvalue().startswith("\r" + "█" * 15 + "·" * 15 + " 100 of 200")
    progress.end()
    assert screen.getvalue().endswith(" \r")


def test_progress_is_not_written_to_logs():
    log = StringIO()
    Progress(OutputWrapper(log), 200).show(100)
    quiet = Terminal()
    Progress(OutputWrapper(quiet), 200, quiet=True).show(100)
    assert log.getvalue() == quiet.getvalue() == ""
