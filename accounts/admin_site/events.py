"""The record of sign-ins in the admin: to look at, to filter, to take along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join

from ..core.csv_cells import BYTE_ORDER_MARK, csv_writer
from ..core.request_meta import device_name
from ..models import SignInEvent
from .read_only import ReadOnlyAdmin

COLUMNS = ("kind", "reason", "pool_username", "user", "reference", "ip_address", "device")


def csv_lines(events: QuerySet[SignInEvent]) -> Iterator[str]:
    """Yield the headings and a line for each event."""
    write = csv_writer()
    yield BYTE_ORDER_MARK + write(["at", *COLUMNS, "details"])
    for event in events.select_related("user").iterator(chunk_size=1000):
        details = "; ".join(
            f"{name}={value}" for name, value in event.details.items() if name != "steps"
        )
        # Users choose their names and the names of their browsers.
        cells = [getattr(event, name) for name in COLUMNS]
        texts = ["" if cell is None else str(cell) for cell in cells]
        yield write([event.at.isoformat(), *texts, details])


@admin.action(permissions=["view"], description="Export as CSV")
def export_csv(modeladmin: Any, request: HttpRequest, rows: QuerySet[Any]) -> Any:
    name = f"sign-in-events-{timezone.now():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        csv_lines(rows),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


@admin.register(SignInEvent)
class SignInEventAdmin(ReadOnlyAdmin):
    """Nobody edits or deletes them; `manage.py housekeeping` forgets them when it is time."""

    actions = (export_csv,)
    date_hierarchy = "at"
    list_display = (
        "moment",
        "kind",
        "reason",
        "pool_username",
        "person_link",
        "reference",
        "ip_address",
        "browser",
    )
    list_filter = ("kind", "reason", "at", ("user", admin.EmptyFieldListFilter))
    list_select_related = ("user",)
    search_fields = ("=reference", "pool_username", "=ip_address", "user__identities__email")
    search_help_text = "A reference, an address, a name at the pool, or a person's e-mail address."
    readonly_fields = ("moment", "person_link", "told", "steps")
    fieldsets = (
        (
            None,
            {"fields": ("moment", "kind", "reason", "reference", "pool_username", "person_link")},
        ),
        ("What was noted", {"fields": ("ip_address", "device", "told", "steps")}),
    )

    @admin.display(description="when", ordering="at")
    def moment(self, event: SignInEvent) -> str:
        """To the second, as logs have it."""
        return date_format(timezone.localtime(event.at), "j M Y, H:i:s e")

    @admin.display(description="browser")
    def browser(self, event: SignInEvent) -> str:
        return device_name(event.device) if event.device else "-"

    @admin.display(description="details")
    def told(self, event: SignInEvent) -> str:
        told = [(name, value) for name, value in event.details.items() if name != "steps"]
        return format_html_join("", "<div>{}: {}</div>", told) or "-"

    @admin.display(description="steps")
    def steps(self, event: SignInEvent) -> str:
        """The attempt step by step, as `manage.py explain_sign_in` retells it."""
        lines = []
        for step in event.details.get("steps", []):
            rest = [f"{name}={value}" for name, value in step.items() if name not in ("at", "step")]
            lines.append((step.get("step", ""), " ".join(rest)))
        return format_html_join("", "<div>{} {}</div>", lines) or "-"
