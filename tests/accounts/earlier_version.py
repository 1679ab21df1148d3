"""Rows as version 0.2 stores them, without the columns that it does not have."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from accounts.models import Identity, Revocation, SignIn


def insert(instance):
    """Store a new instance without these columns, and return its key."""
    fields = [
        field
        for field in instance._meta.concrete_fields
        if field.name not in ("pool_id", "auth_not_before") and not field.primary_key
    ]
    values = [
        field.get_db_prep_save(field.pre_save(instance, add=True), connection) for field in fields
    ]
    columns = ", ".join(field.column for field in fields)
    places = ", ".join(["%s"] * len(fields))
    table = instance._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({places}) RETURNING id", values)
        [key] = cursor.fetchone()
    stored = type(instance).objects.get(pk=key)
    assert stored.pool_id == ""
    return stored


def insert_identity(user, issuer, subject, **fields):
    return insert(Identity(user=user, issuer=issuer, subject=subject, **fields))


def insert_sign_in(user, issuer, subject, **fields):
    now = timezone.now()
    times = {"access_expires_at": now + timedelta(hours=1), "renew_at": now + timedelta(hours=1)}
    return insert(SignIn(user=user, issuer=issuer, subject=subject, **times, **fields))


def insert_revocation(kind, issuer, subject, **fields):
    now = timezone.now()
    times = {"at": now, "expires_at": now + timedelta(hours=1)}
    return insert(Revocation(kind=kind, issuer=issuer, subject=subject, **times, **fields))
