"""Changed one? `python -m django makemigrations host --settings tests.settings`, 0001 anew."""

from django.conf import settings
from django.db import models

PERSON = settings.AUTH_USER_MODEL


class Profile(models.Model):
    user = models.OneToOneField(PERSON, models.CASCADE)
    phone = models.TextField()
    motto = models.TextField()

    privacy_export_fields = ("motto",)


class Pet(models.Model):
    """Belongs to a row that belongs to the person."""

    profile = models.ForeignKey(Profile, models.CASCADE)
    name = models.TextField()

    privacy_export_fields = ("name",)

    def __str__(self):
        return self.name


class Invoice(models.Model):
    customer = models.ForeignKey(PERSON, models.PROTECT, related_name="+")
    number = models.TextField()

    privacy_export_fields = ("number",)

    def __str__(self):
        return self.number


class Booking(models.Model):
    guest = models.ForeignKey(PERSON, models.RESTRICT, related_name="+")


class VisibleArticles(models.Manager):
    def get_queryset(self):
        return super().get_queryset().filter(hidden=False)


class Article(models.Model):
    author = models.ForeignKey(PERSON, models.SET_NULL, null=True)
    title = models.TextField()
    hidden = models.BooleanField(default=False)

    objects = VisibleArticles()
    privacy_export_fields = ("title",)

    def __str__(self):
        return self.title


class ApiToken(models.Model):
    """The key is the secret, as in Django REST framework's."""

    key = models.CharField(max_length=40, primary_key=True)
    user = models.ForeignKey(PERSON, models.CASCADE)
    label = models.TextField()

    privacy_export_fields = ("user", "label")

    def __str__(self):
        return self.key


class ApiCall(models.Model):
    used = models.ForeignKey(ApiToken, models.CASCADE)
    path = models.TextField()


class Device(models.Model):
    """Lists no fields."""

    user = models.ForeignKey(PERSON, models.CASCADE)
    key_ring = models.TextField()
    unlock = models.TextField()


class Team(models.Model):
    name = models.TextField()
    members = models.ManyToManyField(PERSON)

    def __str__(self):
        return self.name


class Ledger(models.Model):
    """The database alone minds what becomes of it."""

    owner = models.ForeignKey(PERSON, models.DO_NOTHING)
