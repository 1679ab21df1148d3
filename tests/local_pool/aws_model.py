"""AWS's own description of the APIs (botocore's service models), to check what the pool sends."""

import re
from functools import cache
from typing import Any

import botocore.session
from botocore.model import OperationModel, Shape
from botocore.validate import ParamValidator

# Not in the models: the protocol's own errors (https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html).
PROTOCOL_ERRORS = {"SerializationException", "UnknownOperationException"}


@cache
def operation_model(service: str, operation: str) -> OperationModel:
    return botocore.session.get_session().get_service_model(service).operation_model(operation)


def check_request(model: OperationModel, body: dict[str, Any]) -> None:
    """Raise AssertionError if boto3 would not send this request."""
    _check(body, model.input_shape)


def check_response(model: OperationModel, body: dict[str, Any] | None) -> None:
    """Raise AssertionError if a member is unknown, missing, or has another type or pattern.

    ``body`` None is an empty body, which an operation without an output shape sends.
    """
    body = _without_null(body)
    assert (body is None) == (model.output_shape is None)
    if model.output_shape is not None:
        _check(body, model.output_shape)
        _check_texts(body, model.output_shape)


def check_error(model: OperationModel, name: str) -> None:
    """Raise AssertionError if AWS does not list this error for the operation."""
    assert name in {shape.name for shape in model.error_shapes} | PROTOCOL_ERRORS, name


def _without_null(value: Any) -> Any:
    """Return the value without members that are null, which botocore ignores."""
    if isinstance(value, list):
        return [_without_null(item) for item in value]
    if isinstance(value, dict):
        return {k: _without_null(item) for k, item in value.items() if item is not None}
    return value


def _check(body: dict[str, Any], shape: Shape) -> None:
    report = ParamValidator().validate(body, shape)
    assert not report.has_errors(), report.generate_report()


def _check_texts(value: Any, shape: Shape) -> None:
    """Check patterns and enumerations, which botocore leaves to the server."""
    if shape.type_name == "structure" and not shape.is_document_type:
        for name, member in value.items():
            _check_texts(member, shape.members[name])
    elif shape.type_name == "list":
        for item in value:
            _check_texts(item, shape.member)
    elif shape.type_name == "string":
        assert value in (getattr(shape, "enum", None) or [value])
        pattern = shape.metadata.get("pattern", "")
        # The model has "secret/NAME" for this ARN. Secrets Manager itself has "secret:NAME".
        is_special = shape.name == "ClientSecretArnType"
        if not is_special and "\\p{" not in pattern:  # Java's classes of Unicode characters
            assert re.search(pattern, value), f"{value!r} does not match {pattern}"
