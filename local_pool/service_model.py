"""AWS's description of the API (botocore's service models), by which each request is checked.

The models are loaded at the first call, so that a pool starts quickly.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from .errors import INVALID, UserError

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel, Shape

SERVICES = {"GetSecretValue": "secretsmanager"}  # all others belong to cognito-idp
JSON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
}
# Java's classes of Unicode characters, which Python's patterns do not have.
JAVA_CLASSES = {
    r"\p{L}\p{M}\p{S}\p{N}\p{P}": r"!-~\u00a1-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\u2fff"
    r"\u3001-\U0010ffff",
    r"\p{Z}": r" \u00a0\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
}


@cache
def service_model(service: str = "cognito-idp") -> "ServiceModel":
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@cache
def operation_model(name: str) -> "OperationModel":
    return service_model(SERVICES.get(name, "cognito-idp")).operation_model(name)


def is_public(name: str) -> bool:
    """Return True for an operation that AWS accepts without a signature, also from a browser."""
    return name in service_model().operation_names and operation_model(name).auth_type == "none"


def check(name: str, body: Any) -> None:
    """Raise UserError with AWS's message unless the operation's input shape allows ``body``."""
    problems: list[str] = []
    shape = operation_model(name).input_shape
    if not isinstance(body, dict):
        raise UserError("SerializationException", "The body must be a JSON object.")
    if shape is not None:
        _check(shape, body, "", problems)
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise UserError(INVALID, count + "; ".join(problems))


def _check(shape: "Shape", value: Any, path: str, problems: list[str]) -> None:
    kinds = JSON_TYPES.get(shape.type_name)
    if kinds and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
        message = f"{path or 'The body'} must be of the type {shape.type_name}."
        raise UserError("SerializationException", message)
    rule = _broken_rule(shape, value)
    if rule:
        is_hidden = shape.metadata.get("sensitive") or shape.type_name in ("list", "map")
        shown = "" if is_hidden else f" '{value}'"
        problems.append(_problem(f"Value{shown}", path, rule))
    elif shape.type_name == "structure":
        _check_members(shape, value, path, problems)
    elif shape.type_name == "list":
        for number, item in enumerate(value, 1):
            _check(shape.member, item, f"{path}.{number}.member", problems)
    elif shape.type_name == "map":
        for key, item in value.items():
            _check(shape.key, key, f"{path}.key", problems)
            _check(shape.value, item, f"{path}.{key}.member", problems)


def _check_members(shape: Any, value: dict[str, Any], path: str, problems: list[str]) -> None:
    for name, member in shape.members.items():
        inner = f"{path}{'.' if path else ''}{name[0].lower()}{name[1:]}"
        if value.get(name) is not None:
            _check(member, value[name], inner, problems)
        elif name in shape.required_members:
            problems.append(_problem("Value null", inner, "not be null"))


def _problem(value: str, path: str, rule: str) -> str:
    return f"{value} at '{path}' failed to satisfy constraint: Member must {rule}"


def _broken_rule(shape: "Shape", value: Any) -> str:
    """Return the constraint that the value does not satisfy, or ""."""
    rules, is_number = shape.metadata, not hasattr(value, "__len__")
    size = value if is_number else len(value)
    kind = "value" if is_number else "length"
    if rules.get("enum") and value not in rules["enum"]:
        return f"satisfy enum value set: [{', '.join(rules['enum'])}]"
    if size is not None and "min" in rules and size < rules["min"]:
        return f"have {kind} greater than or equal to {rules['min']}"
    if size is not None and "max" in rules and size > rules["max"]:
        return f"have {kind} less than or equal to {rules['max']}"
    pattern = rules.get("pattern")
    if pattern and isinstance(value, str) and not _compile(pattern).fullmatch(value):
        return f"satisfy regular expression pattern: {pattern}"
    return ""


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    for java, python in JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.compile(pattern, re.ASCII)
