"""The error tree and the list of other errors in docs/architecture.md."""

import importlib
import pkgutil
import re

from rest_framework.exceptions import APIException

import accounts
from accounts.cognito.errors import CognitoError
from tests.imports import ROOT

CHAPTER = (
    (ROOT / "docs/architecture.md")
    .read_text(encoding="utf-8")
    .split("\n## Errors\n", 1)[1]
    .split("\n## ", 1)[0]
)
_LINE = re.compile(r"( *)(\w+)( \*)? +(\w+) +\S.*")


def subclasses_of(kind):
    """Return all classes of `accounts` below `kind`."""
    below = kind.__subclasses__()
    return {kind for kind in below if kind.__module__.startswith("accounts.")}.union(
        *(subclasses_of(child) for child in below)
    )


def test_documented_tree_is_complete():
    documented, path = {}, []
    for line in CHAPTER.split("```")[1].strip().splitlines():
        spaces, name, star, code = _LINE.fullmatch(line).groups()
        path[len(spaces) // 2 :] = [name]
        documented[name] = (code, path[-2] if len(path) > 1 else "Exception", bool(star))
    assert documented == {
        kind.__name__: (
            kind.code,
            kind.__base__.__name__,
            kind.__module__ == "accounts.problems.errors",
        )
        for kind in {CognitoError} | subclasses_of(CognitoError)
    }


def test_every_class_has_its_own_code():
    codes = [vars(kind)["code"] for kind in {CognitoError} | subclasses_of(CognitoError)]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes)


def test_every_other_public_error_is_listed():
    for module in pkgutil.walk_packages(accounts.__path__, "accounts."):
        importlib.import_module(module.name)
    others = {
        (kind.__name__, f"{kind.__module__.replace('.', '/')}.py")
        for kind in subclasses_of(BaseException)
        if not issubclass(kind, (CognitoError, APIException))
        and not kind.__name__.startswith("_")
        and "." not in kind.__qualname__  # those of a model, such as SignIn.DoesNotExist
    }
    assert set(re.findall(r"\| `(\w+)` \| `(\S+)` \|", CHAPTER)) == others
