"""Many figures, created quickly by the database."""

from django.db import connection
from django.utils import timezone

from stats.models import Revision, Stat

_SQL = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < %s)
INSERT INTO stats_stat (kpi, kpi_key, year, month, value, version, created_at, updated_at)
SELECT {name}, {name}, {first_year} + (n %% {months}) / 12, n %% 12 + 1, n + 0.5, 1, %s, %s
FROM numbers
"""


def fill(count, *, months=120, first_year=2010):
    """Create `count` figures of KPIs `store 00000` and so on, each with `months` months."""
    name = f"'store ' || substr('0000' || (n / {months}), -5)"
    if connection.vendor == "postgresql":
        name = f"'store ' || lpad((n / {months})::text, 5, '0')"
    now = timezone.now()
    with connection.cursor() as cursor:
        sql = _SQL.format(name=name, months=months, first_year=first_year)
        cursor.execute(sql, [count, now, now])
    Revision.grow("default")
    assert Stat.objects.count() == count
