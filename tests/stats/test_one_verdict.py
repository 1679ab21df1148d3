"""The admin, the command and the API return the same errors for the same row."""

import csv
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from stats.cleaning import FIELDS
from tests.stats.workbooks import workbook

pytestmark = pytest.mark.django_db
LONG = "7" * 30_000
ROWS = [
    ("cost", "2020", "13", "1"),
    ("cost", "20", "1", "1e400"),
    ("=cmd", "2020", "1", "NaN"),
    ("\uff1dcmd", "2020.5", "1_0", "1,5"),
    ("x" * 65, "\u0663", "1", "1234567890123456"),
    ("a\x07b", "2020", "1", f"{LONG}x"),
    (LONG, LONG, "1", "1"),
    ("fine", "2020", "5", "1"),
    ("Fine ", "2020", "5", "2"),
]


def as_csv():
    file = io.StringIO(newline="")
    csv.writer(file).writerows([FIELDS, *ROWS])
    return file.getvalue().encode()


def as_xlsx():
    cells = (
        "".join(map("<c t='inlineStr'><is><t>{}</t></is></c>".format, values))
        for values in ([*FIELDS], *ROWS)
    )
    content = "".join(f"<row>{line}</row>" for line in cells)
    return workbook(content.replace("\x07", "&#x9;"))  # the only control character in XML


def of_api(cognito_client):
    editor = cognito_client("grace", groups=["editors"], session=False)
    figures = [dict(zip(FIELDS, values, strict=True)) for values in ROWS]
    response = editor.post("/api/stats/bulk", json.dumps(figures), content_type="application/json")
    assert response.status_code == 400
    return {int(number): errors for number, errors in response.json()["fields"]["rows"].items()}


def of_admin(client, content):
    file = SimpleUploadedFile("figures", content)
    values = {"import_file": file, "format": "0", "resource": ""}
    result = client.post(reverse("admin:stats_stat_import"), values).context["result"]
    return {item.number: dict(item.field_specific_errors) for item in result.invalid_rows}


def sentences(verdicts):
    return [
        f"Row {number}, {field}: {message}"
        for number, errors in verdicts.items()
        for field, messages in errors.items()
        for message in messages
    ]


def test_csv_has_the_same_errors_everywhere(cognito_client, admin_client, tmp_path):
    verdicts = of_api(cognito_client)
    assert sorted(verdicts) == [1, 2, 3, 4, 5, 6, 7, 9]
    (tmp_path / "figures.csv").write_bytes(as_csv())
    assert of_admin(admin_client, as_csv()) == verdicts
    with pytest.raises(CommandError) as caught:
        call_command("import_stats", tmp_path / "figures.csv")
    assert str(caught.value).splitlines()[:-1] == sentences(verdicts)


def test_xlsx_has_the_same_errors_as_csv(admin_client):
    verdicts = of_admin(admin_client, as_csv())
    assert set(of_admin(admin_client, as_xlsx())) == set(verdicts)
    lengths = ("1024", str(len(LONG)))  # a long cell of a workbook is truncated
    assert str(of_admin(admin_client, as_xlsx())).replace(*lengths) == str(verdicts)
