"""Upload code and files to S3, with the headers that keep open pages working, and empty buckets."""

from __future__ import annotations

import hashlib
import mimetypes
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

IMMUTABLE, CHANGING = "max-age=31536000,immutable", "no-cache"
_DJANGO_HASH = re.compile(r"\.[0-9a-f]{12}\.")
# A file name with a hash, in a folder that builds fill with such files: assets/app-DkX3a_bC.js,
# static/js/main.3f2a1b4c.js. A file in another folder can have the same name in the next build.
_BUILD_HASH = re.compile(r"(?:^|/)(?:assets|static|_next|_app)/(?:.*/)?[^/]+[.-][\w-]{8,}\.\w+$")


def upload_code(s3: Any, bucket: str, region: str, archive: Path) -> str:
    """Upload the zip under a name that its content determines, and return the name."""
    key = f"site-{hashlib.sha256(archive.read_bytes()).hexdigest()[:16]}.zip"
    if bucket not in {item["Name"] for item in s3.list_buckets()["Buckets"]}:
        place = {"LocationConstraint": region}
        s3.create_bucket(
            Bucket=bucket,
            **({} if region == "us-east-1" else {"CreateBucketConfiguration": place}),
        )
    print(f"{bucket}: upload {key} …", flush=True)
    s3.upload_file(str(archive), bucket, key)
    return key


def upload_static_files(s3: Any, bucket: str, archive: Path) -> None:
    """Upload the static files of the zip. Old ones stay, because open pages load them."""
    print(f"{bucket}: upload the static files …", flush=True)
    with zipfile.ZipFile(archive) as files:
        for name in files.namelist():
            if name.startswith("staticfiles/") and not name.endswith("/"):
                key = name.replace("staticfiles/", "static/", 1)
                cache = IMMUTABLE if _DJANGO_HASH.search(name) else CHANGING
                _put(s3, bucket, key, files.read(name), cache)


def upload_app(s3: Any, bucket: str, prefix: str, folder: Path) -> None:
    """Upload a built single-page app. Old files stay, because open pages load them.

    Its pages are uploaded last, so that they never name a file that is missing.
    """
    print(f"{bucket}: upload {folder} to /{prefix} …", flush=True)
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    for file in sorted(files, key=lambda file: file.suffix == ".html"):
        name = file.relative_to(folder).as_posix()
        cache = IMMUTABLE if _BUILD_HASH.search(name) else CHANGING
        _put(s3, bucket, prefix + name, file.read_bytes(), cache)


def _put(s3: Any, bucket: str, key: str, content: bytes, cache_control: str) -> None:
    kind = mimetypes.guess_type(key)[0] or "application/octet-stream"
    s3.put_object(
        Bucket=bucket, Key=key, Body=content, ContentType=kind, CacheControl=cache_control
    )


def empty(s3: Any, bucket: str) -> bool:
    """Delete all files of a bucket, also old versions. Return False if there is no such bucket."""
    print(f"{bucket}: delete all files …", flush=True)
    try:
        for key, version in list(_versions(s3, bucket)):
            s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        return False
    return True


def _versions(s3: Any, bucket: str) -> Iterator[tuple[str, str]]:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for item in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            yield item["Key"], item["VersionId"]
