"""The places where the client secret can be: the setting itself, a file, or Secrets Manager.

A secret of Cognito has letters, digits, ``_`` and ``+`` (`ClientSecretType` of its API), so that a
slash distinguishes a path, and a colon an ARN. Kubernetes mounts files. Each place has the value
alone, or the JSON object that Cognito writes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache, partial
from pathlib import Path

from ..cognito.client_secret import ClientSecret
from ..cognito.config import CognitoConfig
from ..cognito.errors import ConfigurationError
from . import aws

_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[\w/+=.@!-]+", re.A)
_VALUE = re.compile(r"[\x21-\x7e]+")  # the characters that a header can transport
_OTHER_PATHS = ("./", "../", "~", "file:")
_MAX_FILE_BYTES = 65_536  # the maximum of Secrets Manager, too
# Other threads wait for a read of a running site, with their requests. A start is more patient.
_READ_SECONDS = 2.0


class SecretKind(Enum):
    VALUE = auto()
    FILE = auto()
    SECRETS_MANAGER = auto()


@dataclass(frozen=True)
class SecretSource:
    """The place of the client secret that this configuration names."""

    config: CognitoConfig

    @property
    def kind(self) -> SecretKind:
        if self.config.client_secret.startswith("arn:"):
            return SecretKind.SECRETS_MANAGER
        if self.config.client_secret.startswith("/"):
            return SecretKind.FILE
        return SecretKind.VALUE

    def __str__(self) -> str:
        if self.kind is SecretKind.VALUE:
            return "the value of COGNITO_CLIENT_SECRET"
        place = "the file" if self.kind is SecretKind.FILE else "Secrets Manager,"
        return f"{place} {self.config.client_secret}"

    def read(self, *, seconds: float | None = None) -> str:
        """Return the current value. `seconds` is the timeout of `aws.call`.

        Raises:
            ConfigurationError: the place is malformed or cannot be read, or it holds no client
                secret or that of another app client.
        """
        content, place = self.config.client_secret, f"({self.config.client_secret}) "
        if self.kind is SecretKind.FILE:
            content = _read_file(Path(content))
        elif self.kind is SecretKind.SECRETS_MANAGER:
            content = _read_secrets_manager(content, self.config.issuer, seconds)
        else:
            place = ""
        secret, problem = content.strip(), ""
        if secret.startswith("{"):
            secret, problem = self._parse(secret)
        if self.kind is SecretKind.VALUE and secret.startswith(_OTHER_PATHS):
            problem = "looks like a path: a file must be named by its absolute path"
        # Cognito's secrets have no slash, but those of emulators can have one.
        elif not problem and (not _VALUE.fullmatch(secret) or (place and "/" in secret)):
            problem = "is not a client secret: it is empty, or has spaces or other characters"
        if problem:
            raise _problem(f"{place}{problem}")
        return secret

    def _parse(self, document: str) -> tuple[str, str]:
        """Return the secret in a JSON object, and "" or the problem."""
        try:
            members = json.loads(document)
        except (ValueError, RecursionError):
            return "", "is malformed JSON"
        secret = members.get("clientSecretValue")
        if not isinstance(secret, str) or not secret:
            return "", "has no clientSecretValue"
        if members.get("userPoolId") != self.config.pool_id:
            return "", "is the secret of another user pool: its userPoolId is not COGNITO_POOL_ID"
        if members.get("userPoolClientId") != self.config.client_id:
            return "", (
                "is the secret of another app client: its userPoolClientId is not COGNITO_CLIENT_ID"
            )
        return secret, ""


@lru_cache(maxsize=1)
def open_client_secret(config: CognitoConfig) -> ClientSecret:
    """Return the client secret of this process, read from its source once.

    Raises ConfigurationError, as `SecretSource.read`.
    """
    source = SecretSource(config)
    can_change = source.kind is not SecretKind.VALUE
    read_again = partial(source.read, seconds=_READ_SECONDS) if can_change else None
    return ClientSecret(source.read(), read_again)


def _read_file(path: Path) -> str:
    try:
        if not path.exists() or path.is_file():
            with path.open("rb") as file:
                return file.read(_MAX_FILE_BYTES).decode()
        reason = "it is not a file"  # a pipe would block, or be empty the next time
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except ValueError:  # which contains the secret
        reason = "it is not text in UTF-8"
    raise _problem(f"({path}) cannot be read: {reason}")


def _read_secrets_manager(arn: str, issuer: str, seconds: float | None) -> str:
    if not _ARN.fullmatch(arn):
        raise _problem(f"({arn}) is not the ARN of a secret in Secrets Manager")
    try:
        return aws.secret_string(arn, issuer=issuer, seconds=seconds)
    except aws.AwsError as error:
        raise _problem(f"({arn}) cannot be read: {str(error).rstrip('.')}") from error


def _problem(text: str) -> ConfigurationError:
    return ConfigurationError({"COGNITO_CLIENT_SECRET": text})
