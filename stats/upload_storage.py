"""Files to import, from the first look until somebody confirms them."""

from datetime import timedelta
from io import BytesIO, TextIOWrapper
from uuid import uuid4

from django.db import models
from django.utils import timezone
from import_export.tmp_storages import BaseStorage

KEPT = timedelta(days=1)


class Upload(models.Model):
    """One file that waits, in the database: every process of every machine finds it there, and a
    cache that is lost does not take it along."""

    name = models.CharField(max_length=32, primary_key=True)
    content = models.BinaryField()
    at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.name


class DatabaseStorage(BaseStorage):  # type: ignore[misc] # untyped
    """Where the admin's import keeps them. `read` raises FileNotFoundError: it was imported
    meanwhile, or nobody confirmed it for a day."""

    def save(self, data: bytes) -> None:
        Upload.objects.filter(at__lt=timezone.now() - KEPT).delete()
        self.name = uuid4().hex
        Upload.objects.create(name=self.name, content=data)

    def read(self) -> str | bytes:
        found = Upload.objects.filter(name=self.name).first()
        if found is None:
            raise FileNotFoundError(self.name)
        content = bytes(found.content)
        if "b" in self.read_mode:
            return content
        with TextIOWrapper(BytesIO(content), encoding=self.encoding) as text:
            return text.read()

    def remove(self) -> None:
        Upload.objects.filter(name=self.name).delete()
