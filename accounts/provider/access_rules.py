"""COGNITO_RESOURCES, COGNITO_UNLISTED_CLIENT_SCOPES and COGNITO_ACTORS. Plain Python."""

from __future__ import annotations

from collections.abc import Sequence

from ..cognito.errors import ConfigurationError
from ..cognito.pool import are_scopes
from ..cognito.resources import resource_problem
from ..cognito.token_checks import AccessRules


def parse_access_rules(
    *, resources: Sequence[str], unlisted_scopes: Sequence[str], actors: Sequence[str]
) -> AccessRules:
    """Return the rules. The first of `resources` is the site itself.

    Raises ConfigurationError that names every wrong value.
    """
    problems = {}
    for resource in resources[1:]:
        if problem := resource_problem(resource):
            problems["COGNITO_RESOURCES"] = f"({resource}) {problem}"
    # Every client can get openid and a user's own Cognito scope: they do not select a client.
    if not are_scopes(unlisted_scopes) or not all(
        "/" in scope and not scope.startswith("aws.cognito") for scope in unlisted_scopes
    ):
        problems["COGNITO_UNLISTED_CLIENT_SCOPES"] = (
            "must be scopes of a resource server, such as reports/read"
        )
    if not all(actors):
        problems["COGNITO_ACTORS"] = "must not contain an empty value"
    if problems:
        raise ConfigurationError(problems)
    return AccessRules(
        resources=tuple(dict.fromkeys(filter(None, resources))),
        unlisted_scopes=frozenset(unlisted_scopes),
        actors=frozenset(actors),
    )
