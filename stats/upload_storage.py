"""Storage of uploaded files, from the preview of an import to its confirmation."""

from datetime import timedelta
from io import BytesIO, TextIOWrapper
from uuid import uuid4

from django.db import models
from django.utils import timezone
from import_export.tmp_storages import BaseStorage

MAX_UPLOAD_AGE = timedelta(days=1)


class Upload(models.Model):
    """An uploaded file, in the database, so that every process on every machine can read it."""

    name = models.CharField(max_length=32, primary_key=True)
    content = models.BinaryField()
    at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.name


class DatabaseStorage(BaseStorage):  # type: ignore[misc] # untyped
    """The storage for the admin's import."""

    def save(self, data: bytes) -> None:
        Upload.objects.filter(at__lt=timezone.now() - MAX_UPLOAD_AGE).delete()
        self.name = uuid4().hex
        Upload.objects.create(name=self.name, content=data)

    def read(self) -> str | bytes:
        """Return the content.

        Raises:
            FileNotFoundError: the file was imported already, or is older than MAX_UPLOAD_AGE.
        """
        upload = Upload.objects.filter(name=self.name).first()
        if upload is None:
            raise FileNotFoundError(self.name)
        content = bytes(upload.content)
        if "b" in self.read_mode:
            return content
        with TextIOWrapper(BytesIO(content), encoding=self.encoding) as text:
            return text.read()

    def remove(self) -> None:
        Upload.objects.filter(name=self.name).delete()
