"""The audit log in the admin: list, filters and CSV export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from ..core.csv_cells import BYTE_ORDER_MARK, csv_writer
from ..core.request_meta import device_name
from ..core.times import local_text
from ..models import SignInEvent
from .cells import event_in_words, event_user, reason_in_words
from .read_only import ReadOnlyAdmin

COLUMNS = ("kind", "reason", "pool_username", "user", "reference", "ip_address", "device")


def csv_lines(events: QuerySet[SignInEvent]) -> Iterator[str]:
    """Yield a line of column names, then one line for each event."""
    write = csv_writer()
    yield BYTE_ORDER_MARK + write(["at", *COLUMNS, "details"])
    for event in events.select_related("user").iterator(chunk_size=1000):
        details = "; ".join(
            f"{name}={value}" for name, value in event.details.items() if name != "steps"
        )
        values = [getattr(event, name) for name in COLUMNS]
        # As texts: csv_writer escapes only texts, and users choose some of the values.
        cells = ["" if value is None else str(value) for value in values]
        yield write([event.at.isoformat(), *cells, details])


@admin.action(permissions=["view"], description="Export as CSV")
def export_csv(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
    name = f"sign-in-events-{timezone.now():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        csv_lines(queryset),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


class ReasonFilter(admin.AllValuesFieldListFilter):
    """The reasons that occur, in words."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": reason_in_words(str(choice["display"])) or _("none")}


@admin.register(SignInEvent)
class SignInEventAdmin(ReadOnlyAdmin):
    """The read-only pages of audit events. `manage.py cognito_housekeeping` deletes old events."""

    actions = (export_csv,)
    date_hierarchy = "at"
    list_display = ("moment", "what", "who", "reference", "from_ip", "browser")
    list_filter = ("kind", ("reason", ReasonFilter), ("user", admin.EmptyFieldListFilter))
    list_select_related = ("user",)
    search_fields = ("=reference", "pool_username", "=ip_address", "user__identities__email")
    search_help_text = "A reference, an IP address, a pool username, or a user's email address."
    readonly_fields = ("exact_time", "what", "user_link", "shown_details", "steps")
    fieldsets = (
        (None, {"fields": ("exact_time", "what", "reference", "pool_username", "user_link")}),
        (_("Details"), {"fields": ("ip_address", "device", "shown_details", "steps")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[SignInEvent]:
        return super().get_queryset(request).prefetch_related("user__identities")

    @admin.display(description=_("time"), ordering="at")
    def moment(self, event: SignInEvent) -> str:
        return format_html(
            '<span title="{}">{}</span>',
            self.exact_time(event),
            local_text(event.at),
        )

    @admin.display(description=_("time"))
    def exact_time(self, event: SignInEvent) -> str:
        """Return the time with seconds and time zone, to compare it with log lines."""
        return local_text(event.at, "j M Y, H:i:s e")

    @admin.display(description=_("event"), ordering="kind")
    def what(self, event: SignInEvent) -> str:
        return event_in_words(event)

    @admin.display(description=_("user"), ordering="pool_username")
    def who(self, event: SignInEvent) -> str:
        return event_user(event)

    @admin.display(description=_("browser"))
    def browser(self, event: SignInEvent) -> str:
        return device_name(event.device) if event.device else "-"

    @admin.display(description=_("details"))
    def shown_details(self, event: SignInEvent) -> str:
        details = [(name, value) for name, value in event.details.items() if name != "steps"]
        return format_html_join("", "<div>{}: {}</div>", details) or "-"

    @admin.display(description=_("steps"))
    def steps(self, event: SignInEvent) -> str:
        """Return the steps of the attempt, which `manage.py cognito_explain_sign_in` explains."""
        lines = []
        for step in event.details.get("steps", []):
            details = [
                f"{name}={value}" for name, value in step.items() if name not in ("at", "step")
            ]
            lines.append((step.get("step", ""), " ".join(details)))
        return format_html_join("", "<div>{} {}</div>", lines) or "-"
