"""The tables of the dashboard. Python renders the rows: a template takes several times as long."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import quote

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.core.times import local_formatter

from ..charts import Chart
from .figures import signs

register = template.Library()

_ROW = """<tr>
<th scope="row" class="table__name" title="{kpi}">{kpi}</th>
<td>{month}</td>
<td class="table__number">{value}</td>
<td class="table__wide muted">{updated}</td>
{links}</tr>"""
_LINK = """<a{css_class} href="figures/{{pk}}/{page}/?next={next_url}">{text}\
<span class="visually-hidden"> {{kpi}} {{month}}</span></a>
"""
_MONTH_ROW = '<tr><th scope="row">{}</th>{}</tr>'
_VALUE = '<td class="table__number">{}</td>'


@register.simple_tag(takes_context=True)
def figure_rows(context: template.Context, figures: Iterable[Any]) -> SafeString:
    """Render a row for each figure, with links for those who may change or delete it."""
    can, here = context["perms"]["stats"], context["request"].get_full_path()
    links = ""
    if can["change_stat"]:
        links += _link("", "edit", here, _("Edit"))
    if can["delete_stat"]:
        links += _link(' class="table__delete"', "delete", here, _("Delete"))
    if links:
        links = f'<td class="table__actions">\n{links}</td>\n'
    row, number, local_text = _ROW.replace("{links}", links), _number(), local_formatter()
    return SafeString(
        "\n".join(
            row.format(
                kpi=escape(item.kpi),
                month=f"{item.year}-{item.month:02d}",
                value=number(item.value),
                updated=escape(local_text(item.updated_at)),
                pk=int(item.pk),
            )
            for item in figures
        )
    )


def _number() -> Callable[[Decimal], str]:
    """Return `figure` for many numbers, as HTML. The language is read once."""
    escaped = {code: escape(text) for code, text in signs().items()}
    return lambda value: f"{value:,f}".translate(escaped)


def _link(css_class: str, page: str, here: str, text: str) -> str:
    """Return the pattern of a link to a page of the figure."""
    text = escape(text).replace("{", "{{").replace("}", "}}")
    return _LINK.format(css_class=css_class, page=page, next_url=quote(here, safe=""), text=text)


@register.simple_tag
def month_rows(chart: Chart) -> SafeString:
    """Render a row for each period of the chart, with a value for each series."""
    number, language = _number(), get_language()
    pattern = "Y" if chart.years else "M Y"
    text = escape(_("no figure"))
    missing = '<span aria-hidden="true">\N{EN DASH}</span>'
    missing += f'<span class="visually-hidden">{text}</span>'
    rows = [
        _MONTH_ROW.format(
            escape(_period_text(period, pattern, language)),
            "".join(_VALUE.format(missing if value is None else number(value)) for value in values),
        )
        for period, values in chart.table()
    ]
    return SafeString("\n".join(rows))


@register.filter
def period_text(period: Any, pattern: str = "M Y") -> str:
    """Return a month such as "Nov 2026", as Django's `date` does."""
    return _period_text(period, pattern, get_language())


@lru_cache(maxsize=4096)
def _period_text(period: Any, pattern: str, language: str | None) -> str:
    return date_format(period, pattern)


@register.simple_tag(takes_context=True)
def sort_header(
    context: template.Context, name: str, label: str, css_class: str = ""
) -> SafeString:
    """Render a heading that sorts by `name`, or reverses the order if it is sorted by `name`."""
    view, request = context.get("view"), context["request"]
    sort = view.sort if view else ""
    query = request.GET.copy()
    query["ordering"] = f"-{name}" if sort == name else name
    query.pop("page", None)
    direction, mark = {name: ("ascending", "↑"), f"-{name}": ("descending", "↓")}.get(
        sort, ("", "")
    )
    return format_html(
        '<th scope="col"{}{}><a class="sort" href="?{}#figures-title">{}{}</a></th>',
        format_html(' class="{}"', css_class) if css_class else "",
        format_html(' aria-sort="{}"', direction) if direction else "",
        query.urlencode(),
        label,
        format_html(' <span class="sort__mark" aria-hidden="true">{}</span>', mark) if mark else "",
    )
