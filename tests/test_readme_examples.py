"""Run the Python of the README: its views have URLs in this module, and its tests are run here."""

import re

import pytest
from django.http import HttpResponse
from django.urls import include, path
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.imports import ROOT

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls(__name__),
    pytest.mark.undocumented_responses,  # the examples have no serializers
]

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.split("## Protect a view in one line, test it in three", 1)[1].split("\n## ", 1)[0]
VIEWS, TESTS = re.findall(r"^```python\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)

example = {
    "__name__": __name__,
    "APIView": APIView,
    "Response": Response,
    "HttpResponse": HttpResponse,
}
exec(compile(VIEWS, "README.md (views)", "exec"), example)
exec(compile(TESTS, "README.md (tests)", "exec"), globals())

urlpatterns = [
    path("api/report", example["ReportView"].as_view()),
    path("report/", example["report_page"]),
    path("", include("sso_project.urls")),
]


def test_readme_has_the_examples():
    assert {"test_report_is_for_admins", "test_page_is_for_admins"} <= set(globals())
