from django.contrib import admin

from .models import Stat


@admin.register(Stat)
class StatAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # no [] at run time
    list_display = ("kpi", "period", "value", "updated_at")
    list_filter = ("kpi", "year")
    search_fields = ("kpi", "period")
    fields = ("kpi", "year", "month", "value", "created_at", "updated_at")
    readonly_fields = ("created_at", "updated_at")
