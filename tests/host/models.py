"""Models of a host project.

After a change, recreate 0001: `python -m django makemigrations host --settings tests.settings`.
"""

from django.conf import settings
from django.db import models

USER_MODEL = settings.AUTH_USER_MODEL


class Profile(models.Model):
    user = models.OneToOneField(USER_MODEL, models.CASCADE)
    phone = models.TextField()
    motto = models.TextField()

    privacy_export_fields = ("motto",)


class Pet(models.Model):
    """Belongs to an instance that belongs to the user."""

    profile = models.ForeignKey(Profile, models.CASCADE)
    name = models.TextField()

    privacy_export_fields = ("name",)

    def __str__(self):
        return self.name


class Invoice(models.Model):
    customer = models.ForeignKey(USER_MODEL, models.PROTECT, related_name="+")
    number = models.TextField()

    privacy_export_fields = ("number",)

    def __str__(self):
        return self.number


class Booking(models.Model):
    guest = models.ForeignKey(USER_MODEL, models.RESTRICT, related_name="+")


class VisibleArticles(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(hidden=False)


class Article(models.Model):
    author = models.ForeignKey(USER_MODEL, models.SET_NULL, null=True)
    title = models.TextField()
    hidden = models.BooleanField(default=False)

    objects = VisibleArticles()
    privacy_export_fields = ("title",)

    def __str__(self):
        return self.title


class ApiToken(models.Model):
    """The key is the secret, as in Django REST framework's."""

    key = models.CharField(max_length=40, primary_key=True)
    user = models.ForeignKey(USER_MODEL, models.CASCADE)
    label = models.TextField()

    privacy_export_fields = ("user", "label")

    def __str__(self):
        return self.key


class ApiCall(models.Model):
    used = models.ForeignKey(ApiToken, models.CASCADE)
    path = models.TextField()


class Device(models.Model):
    """Lists no fields."""

    user = models.ForeignKey(USER_MODEL, models.CASCADE)
    key_ring = models.TextField()
    unlock = models.TextField()


class Team(models.Model):
    name = models.TextField()
    members = models.ManyToManyField(USER_MODEL)

    def __str__(self):
        return self.name


class Ledger(models.Model):
    """The database alone minds what becomes of it."""

    owner = models.ForeignKey(USER_MODEL, models.DO_NOTHING)
