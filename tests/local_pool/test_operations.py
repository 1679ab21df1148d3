"""The table OPERATIONS.md, and the answers for operations that the local pool does not have."""

from pathlib import Path

import pytest
import requests

import local_pool
from local_pool import operations, service_model
from local_pool.api import ACCEPTED, OPERATIONS

from .test_api import error

TABLE = Path(local_pool.__file__).with_name("OPERATIONS.md")
ALL = set(service_model.service_model().operation_names)
ABSENT = sorted(ALL - OPERATIONS.keys())


def test_table_is_current():
    message = "run: python -m local_pool operations > local_pool/OPERATIONS.md"
    assert operations.table(OPERATIONS, ACCEPTED) == TABLE.read_text(), message


def test_every_operation_is_one_of_the_api():
    assert OPERATIONS.keys() - ALL == {"GetSecretValue"}
    assert ACCEPTED.keys() <= OPERATIONS.keys()
    for name, members in ACCEPTED.items():
        shape = service_model.operation_model(name).input_shape
        assert set(members) - {"ClientId"} <= set(shape.members), name


@pytest.mark.parametrize("name", ABSENT)
def test_absent_operation_has_an_alternative(name):
    assert operations.instead_of(name)


def test_absent_operation_answers_with_the_alternative(app):
    response = app.api("CreateUserPool")
    assert error(response) == "UnknownOperationException"
    message = response.json()["message"]
    assert "Start a pool per process" in message
    page = requests.get(f"{app.pool.url}/_local/operations", timeout=60)
    assert page.url in message
    assert page.text == TABLE.read_text()
    assert "has no operation DestroyEverything." in app.api("DestroyEverything").json()["message"]


def test_member_without_an_effect_is_refused_where_it_would_change_something(app):
    refused = app.api("UpdateUserPool", DeletionProtection="ACTIVE")
    assert error(refused) == "InvalidParameterException"
    assert refused.json()["message"] == "The local pool cannot change DeletionProtection."
