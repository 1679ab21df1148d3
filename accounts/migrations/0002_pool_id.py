"""Key identities, sign-ins and revocations by pool ID and subject. The issuer stays as information.

A pool has several issuers (the original, the updated one, and those of replica Regions), so an
issuer does not name it for good. The pool ID is the end of the issuer. An issuer that does not end
with a pool ID stays the key, until a token of a configured pool has this issuer.

Nothing is merged, and no identity is deleted. If a pool user has several identities, because the
issuer was switched earlier, one of them gets the pool ID. That is the first one in this order:

1. the identity of a deactivated user, so that no other account admits the pool user
2. of a superuser, then of staff, so that rights given by hand stay in use
3. the oldest, because data and links belong to it

The others keep their issuer as the pool ID: no token leads to them. If they belong to another user,
that user's browsers are signed out. `manage.py cognito_link_users --set-aside` lists them, and
docs/upgrading.md says what to do.

Old code can run during and after this migration. Rows that it inserts have no pool ID, and get one
when they are looked up. To reverse this migration, drop the columns: ended sign-ins stay ended.
"""

import re
from collections import defaultdict
from itertools import groupby, islice
from operator import itemgetter

from django.core.exceptions import FieldDoesNotExist
from django.db import migrations, models
from django.db.models import Count, Exists, F, OuterRef
from django.utils import timezone

# The folder of a host project may have another name.
from ..core.app_label import LABEL

POOL_ISSUER = re.compile(r"https?://[^?#]*/(?P<pool_id>[A-Za-z0-9_-]{1,53}_[0-9A-Za-z]+)")
BATCH_SIZE = 500


def assign_pools(apps, schema_editor):
    database = schema_editor.connection.alias
    identities = apps.get_model(LABEL, "Identity")._base_manager.using(database)
    sign_ins = apps.get_model(LABEL, "SignIn")._base_manager.using(database)
    of_other_users, of_same_user = later_identities(identities)
    # Each identity is updated once. PostgreSQL alters no table after a second update of a row.
    set_aside(identities, of_other_users)
    if of_other_users:
        same = {name: OuterRef(name) for name in ("user", "issuer", "subject")}
        their_own = identities.exclude(pool_id="").filter(**same)
        sign_ins.filter(Exists(their_own), ended_at=None).update(
            ended_at=timezone.now(),
            end_reason="set_aside",
            sealed_tokens="",
            version=F("version") + 1,
        )
    set_aside(identities, of_same_user)
    for name in ("Identity", "SignIn", "Revocation"):
        rows = apps.get_model(LABEL, name)._base_manager.using(database).filter(pool_id="")
        for issuer in list(rows.order_by().values_list("issuer", flat=True).distinct()):
            rows.filter(issuer=issuer).update(pool_id=pool_id_of(issuer))


def set_aside(identities, keys):
    keys = iter(keys)
    while batch := list(islice(keys, BATCH_SIZE)):
        identities.filter(pk__in=batch).update(pool_id=F("issuer"))


def later_identities(identities):
    """Return the keys of the identities that do not get the pool ID.

    First those of other users than the identity in their place, then those of the same user.
    """
    of_other_users, of_same_user = [], []
    subjects = identities.values("subject").order_by().annotate(count=Count("pk"))
    if not subjects.filter(count__gt=1).exists():
        return of_other_users, of_same_user
    user_model = identities.model._meta.get_field("user").related_model
    flags = [name for name in ("is_active", "is_superuser", "is_staff") if has(user_model, name)]
    columns = ("subject", "issuer", "pk", "user", *(f"user__{name}" for name in flags))
    # All rows in order, because a filter by the subjects makes PostgreSQL choose a slow plan.
    rows = identities.order_by("subject").values(*columns)
    for _, group in groupby(rows.iterator(), itemgetter("subject")):
        by_pool = defaultdict(list)
        for row in group:
            by_pool[pool_id_of(row["issuer"])].append(row)
        for same_pool_user in by_pool.values():
            first, *others = sorted(same_pool_user, key=precedence)
            for row in others:
                keys = of_same_user if row["user"] == first["user"] else of_other_users
                keys.append(row["pk"])
    return of_other_users, of_same_user


def pool_id_of(issuer):
    match = POOL_ISSUER.fullmatch(issuer)
    return match["pool_id"] if match else issuer


def has(model, name):
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:  # a host project's own user model may lack it
        return False
    return True


def precedence(row):
    return (
        row.get("user__is_active", True),
        not row.get("user__is_superuser", False),
        not row.get("user__is_staff", False),
        row["pk"],
    )


class Migration(migrations.Migration):

    dependencies = [
        (LABEL, '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='identity',
            name='pool_id',
            field=models.CharField(blank=True, db_default='', default='', max_length=255, verbose_name='pool ID'),
        ),
        migrations.AddField(
            model_name='revocation',
            name='pool_id',
            field=models.CharField(blank=True, db_default='', default='', max_length=255, verbose_name='pool ID'),
        ),
        migrations.AddField(
            model_name='signin',
            name='pool_id',
            field=models.CharField(blank=True, db_default='', default='', max_length=255, verbose_name='pool ID'),
        ),
        migrations.AlterField(
            model_name='signin',
            name='end_reason',
            field=models.CharField(blank=True, choices=[('signed_out', 'signed out'), ('replaced', 'signed in again in the same browser'), ('ended_by_person', 'ended from another browser of the same user'), ('by_operator', 'ended in the admin'), ('everywhere', 'signed out everywhere'), ('idle', 'not used for too long'), ('too_old', 'reached the longest time a sign-in may last'), ('refused', 'the provider no longer renews it'), ('unverified', 'its renewed tokens did not pass our checks'), ('deactivated', 'account deactivated'), ('switched_off', 'break-glass was switched off'), ('set_aside', 'another account has its pool user')], max_length=32),
        ),
        migrations.RunPython(assign_pools, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='identity',
            constraint=models.UniqueConstraint(fields=('subject', 'pool_id'), name='sso_identity_subject_pool'),
        ),
    ]
