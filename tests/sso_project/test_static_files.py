"""The files that `collectstatic` collects."""

from io import StringIO

from django.core.management import call_command


def test_files_that_no_page_uses_are_left_out():
    output = StringIO()
    call_command("collectstatic", dry_run=True, interactive=False, stdout=output)
    assert "swagger-ui-bundle.js'" in output.getvalue()
    assert "redoc" not in output.getvalue()
