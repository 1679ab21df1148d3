from django.contrib import admin

from .models import Stat
from .templatetags.figures import figure


@admin.register(Stat)
class StatAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # no [] at run time
    list_display = ("kpi", "period", "exact_value", "updated_at")
    list_filter = ("kpi", "year")
    search_fields = ("kpi", "period")
    fields = ("kpi", "year", "month", "value")

    @admin.display(description="value", ordering="value")
    def exact_value(self, stat: Stat) -> str:
        # The admin would pad it to all the decimal places that the column can hold.
        return figure(stat.value)
