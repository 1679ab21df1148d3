"""The user model of the peers, as in django-cognito-jwt's documentation."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models


class PersonManager(UserManager["Person"]):
    def get_or_create_for_cognito(self, payload: Mapping[str, Any]) -> "Person":
        try:
            return self.get(cognito_id=payload["sub"])
        except self.model.DoesNotExist:
            return self.create(
                cognito_id=payload["sub"], username=payload["sub"], email=payload["email"]
            )


class Person(AbstractUser):
    cognito_id = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 (unique)

    objects: ClassVar[PersonManager] = PersonManager()

    class Meta:
        app_label = "peers"
