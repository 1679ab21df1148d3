"""Import with a preview, and export of filtered figures, in the admin."""

import csv
import io
from datetime import timedelta

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from stats.files import read_rows
from stats.models import Change, Stat, Upload
from stats.upload_storage import MAX_UPLOAD_AGE
from tests.stats.workbooks import HEADINGS, workbook

pytestmark = pytest.mark.django_db
IMPORT, EXPORT = reverse("admin:stats_stat_import"), reverse("admin:stats_stat_export")
CONFIRM = reverse("admin:stats_stat_process_import")
CSV, XLSX = "0", "1"
GOOD = "kpi,year,month,value\nrevenue,2020,1,12.5\nRevenue,2020,2,-3\ncost,2020,1,7\n"


def upload(client, content, *, name="figures.csv", file_format=CSV):
    content = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile(name, content)
    return client.post(IMPORT, {"import_file": file, "format": file_format, "resource": ""})


def confirm(client, looked):
    form = looked.context["confirm_form"]
    values = {name: value for name, value in form.initial.items() if value is not None}
    return client.post(CONFIRM, values, follow=True)


def test_file_is_previewed_then_imported(admin_client, admin_user):
    Stat.objects.create(kpi="revenue", year=2020, month=1, value=1)
    Stat.objects.create(kpi="cost", year=2020, month=1, value=7)
    looked = upload(admin_client, GOOD)
    page = looked.content.decode()

    assert "Nothing has been imported yet. 1 new, 1 changed, 1 unchanged." in page
    assert "1 \N{RIGHTWARDS ARROW} 12.5" in page
    assert Stat.objects.count() == 2
    done = confirm(admin_client, looked)
    assert "Import finished: 1 new, 1 updated" in done.content.decode()
    assert Stat.objects.count() == 3
    changed = Stat.objects.get(kpi="revenue", month=1)
    assert (str(changed.value), changed.version) == ("12.5", 2)
    assert {(change.through, change.by) for change in Change.objects.all()} == {
        ("import", admin_user)
    }
    again = upload(admin_client, GOOD).content.decode()
    assert "0 new, 0 changed, 3 unchanged." in again


def test_xlsx_is_imported(admin_client):
    book, file = openpyxl.Workbook(), io.BytesIO()
    for values in (["kpi", "year", "month", "value"], ["revenue", 2020, 1, 0.1]):
        book.active.append(values)
    book.save(file)
    book.close()
    looked = upload(admin_client, file.getvalue(), name="f.xlsx", file_format=XLSX)
    confirm(admin_client, looked)
    assert str(Stat.objects.get().value) == "0.1"


def test_all_invalid_rows_are_reported_and_nothing_is_written(admin_client):
    lines = [
        "revenue,2020,13,1",
        "=cmd,2020,1,1e400",
        "cost,2020,1,NaN",
        "a,2020,1,1",
        "A,2020,1,2",
        "b,2020,1,1234567890123456",
        "c,0,1,1",
    ]
    page = upload(admin_client, "kpi,year,month,value\n" + "\n".join(lines)).content.decode()
    assert "6 of 7 rows are invalid. Nothing was written." in page
    for words in (
        "<strong>month</strong>: Enter a month from 1 to 12.",
        "<strong>kpi</strong>: The name must not begin with",
        "<strong>value</strong>: Enter a number, with a point as the decimal separator.",
        "<strong>value</strong>: Enter a number of at most 15 digits.",
        "<strong>month</strong>: Row 4 already has a figure of this KPI for this month.",
        "<strong>year</strong>: Enter a year of four digits.",
    ):
        assert words in page
    assert "confirm" not in page.split("<form", 2)[-1]
    assert Stat.objects.count() == Change.objects.count() == 0


@pytest.mark.parametrize(
    ("content", "file_format", "words"),
    [
        (GOOD.replace("revenue", "r\xe9sultat").encode("latin-1"), CSV, "written in UTF-8"),
        (GOOD.replace("value", "amount"), CSV, "must hold the columns kpi, year, month, value"),
        (GOOD.replace("\n", ",1\n").replace("value,1", "value,note"), CSV, "must hold the columns"),
        ("no archive", XLSX, "must hold the columns"),
        (b"PK\x03\x04no archive", CSV, "not a readable XLSX workbook"),
        ("x" * 10_500_000, CSV, "The file is larger than 10 MB."),
        ("", CSV, "empty"),
    ],
    ids=["latin-1", "columns", "unknown column", "no xlsx", "broken", "large", "empty"],
)
def test_file_that_cannot_be_taken_says_why(admin_client, content, file_format, words):
    page = upload(admin_client, content, file_format=file_format)
    assert page.status_code == 200
    assert words in page.content.decode()
    assert Stat.objects.count() == 0


def test_error_of_an_unreadable_file_is_shown_once(admin_client):
    page = upload(admin_client, GOOD.replace("value", "amount")).content.decode()
    assert page.count("must hold the columns") == 1
    assert "Row 1" not in page


@pytest.mark.parametrize("file_format", [CSV, XLSX])
@pytest.mark.parametrize(
    "content",
    [GOOD + ",,,\n\n", GOOD.replace(",", ";").replace("12.5", "12,5"), "\ufeff" + GOOD],
)
def test_content_decides_how_a_file_is_read(admin_client, content, file_format):
    looked = upload(admin_client, content, file_format=file_format)
    confirm(admin_client, looked)
    values = Stat.objects.order_by("kpi_key", "month").values_list("value", flat=True)
    assert [str(value) for value in values] == ["7", "12.5", "-3"]


def test_invalid_rows_have_the_numbers_of_the_file(admin_client):
    lines = "a,2020,1,1\n,,,\n\nb,2020,13,1\nA,2020,1,1\nc,2020,1,1,5\nd,2020,1\n"
    page = upload(admin_client, "kpi,year,month,value\n" + lines)
    wrong = {
        invalid.number: dict(invalid.field_specific_errors)
        for invalid in page.context["result"].invalid_rows
    }
    assert wrong == {
        4: {"month": ["Enter a month from 1 to 12."]},
        5: {"month": ["Row 1 already has a figure of this KPI for this month."]},
        6: {"column 5": ["There is no such field."]},
        7: {"value": ["This field is missing."]},
    }


def test_unknown_format_is_refused(admin_client):
    looked = upload(admin_client, GOOD)
    values = {**looked.context["confirm_form"].initial, "format": "x"}
    page = admin_client.post(CONFIRM, values, follow=True).content.decode()
    assert "The confirmation is incomplete." in page
    assert Stat.objects.count() == 0


def test_byte_order_mark_is_ignored(admin_client):
    assert "3 new" in upload(admin_client, "\ufeff" + GOOD).content.decode()


def test_zip_bomb_is_refused(admin_client):
    bomb = workbook(HEADINGS + " " * 65_000_000)
    page = upload(admin_client, bomb, name="bomb.xlsx", file_format=XLSX)
    assert "too large for 100,000 rows" in page.content.decode()


def test_upload_is_stored_in_the_database_until_it_is_imported(admin_client, settings):
    """It does not depend on the cache or on the process."""
    settings.CACHES = {
        "default": {
            "BACKEND": "sso_project.cache.JSONRedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    looked = upload(admin_client, GOOD.replace("\n", "\r\n"))
    assert Upload.objects.count() == 1
    assert "Import finished: 3 new" in confirm(admin_client, looked).content.decode()
    assert Upload.objects.count() == 0


def test_unconfirmed_upload_is_deleted_after_a_day(admin_client):
    upload(admin_client, GOOD)
    Upload.objects.update(at=timezone.now() - MAX_UPLOAD_AGE - timedelta(seconds=1))
    upload(admin_client, GOOD)
    assert Upload.objects.count() == 1


def test_missing_upload_must_be_uploaded_again(admin_client):
    looked = upload(admin_client, GOOD)
    Upload.objects.all().delete()
    assert "Upload it again." in confirm(admin_client, looked).content.decode()
    assert Stat.objects.count() == 0


def test_file_that_is_no_longer_readable_is_not_imported(admin_client):
    looked = upload(admin_client, GOOD)
    Upload.objects.update(content=b"PK\x03\x04")
    assert "not a readable XLSX workbook" in confirm(admin_client, looked).content.decode()
    assert Stat.objects.count() == 0


def test_file_that_became_invalid_is_not_imported(admin_client):
    looked = upload(admin_client, GOOD)
    Upload.objects.update(content=GOOD.replace("2020,1,12.5", "2020,13,12.5").encode())
    assert "Nothing was imported" in confirm(admin_client, looked).content.decode()
    assert Stat.objects.count() == 0


def test_import_takes_a_constant_number_of_queries(admin_client):
    lines = "\n".join(f"k{n // 120},{2000 + n // 12 % 10},{n % 12 + 1},{n}" for n in range(2_000))
    with CaptureQueriesContext(connection) as looking:
        looked = upload(admin_client, f"kpi,year,month,value\n{lines}\n")
    assert looked.content.decode().count("<tr><td>New") == 200
    with CaptureQueriesContext(connection) as importing:
        confirm(admin_client, looked)
    assert Stat.objects.count() == 2_000
    # The library sets a savepoint for each row, which costs the database nothing.
    real = [
        [query for query in queries if "SAVEPOINT" not in query["sql"]]
        for queries in (looking, importing)
    ]
    assert len(real[0]) <= 12
    assert len(real[1]) <= 120


# --- Export ---------------------------------------------------------------------------------------


def export(client, query="", file_format=CSV):
    response = client.post(EXPORT + query, {"format": file_format, "resource": ""})
    assert response.status_code == 200
    return response.getvalue()


def test_export_holds_filtered_figures_and_can_be_imported(admin_client):
    confirm(admin_client, upload(admin_client, GOOD))
    assert export(admin_client, "?kpi=revenue").decode("utf-8-sig").splitlines() == [
        "kpi,year,month,value",
        "Revenue,2020,2,-3",
        "revenue,2020,1,12.5",
    ]
    everything = export(admin_client).decode()
    assert "0 new, 0 changed, 3 unchanged." in upload(admin_client, everything).content.decode()
    book = openpyxl.load_workbook(io.BytesIO(export(admin_client, "?year=2020&q=cost", XLSX)))
    assert list(book.active.values) == [("kpi", "year", "month", "value"), ("cost", 2020, 1, 7)]
    book.close()


@pytest.mark.parametrize("file_format", [CSV, XLSX])
def test_export_has_no_formulas_and_can_be_read_again(admin_client, file_format):
    names = ["=cmd|calc", "x;=2*3", "x,=2*3", "\uff1d1", "Umsätze", "'plain"]
    Stat.objects.bulk_create([Stat(kpi=name, year=2020, month=1, value=-1) for name in names])
    content = export(admin_client, file_format=file_format)
    assert {texts["kpi"] for _, texts in read_rows(io.BytesIO(content), 10)} == set(names)
    if file_format == CSV:
        assert content.startswith(b"\xef\xbb\xbf")
        tables = [
            csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=separator)
            for separator in (",", ";", "\t")
        ]
        texts = [cell for table in tables for texts in table for cell in texts]
    else:
        book = openpyxl.load_workbook(io.BytesIO(content))
        cells = [cell for sheet_row in book.active.iter_rows() for cell in sheet_row]
        assert "f" not in {cell.data_type for cell in cells}
        assert [cell.value for cell in book.active["D"]][1:] == [-1] * len(names)
        texts = [cell.value for cell in cells if cell.data_type == "s"]
        book.close()
    signs = (*"=+-@", "\uff1d")
    assert {text for text in texts if text.startswith(signs)} <= {"-1"}


@pytest.mark.parametrize("address", [IMPORT, EXPORT])
def test_page_holds_nothing_inline(admin_client, address):
    from tests.test_design import Page

    assert Page(admin_client.get(address).content.decode()).inline == []
