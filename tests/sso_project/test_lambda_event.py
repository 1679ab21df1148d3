"""Events that are not HTTP requests, and requests whose members are missing or null."""

import base64
import json

import pytest

from sso_project.lambda_event import http_request, request_headers
from sso_project.lambda_handler import handler
from tests.sso_project.lambda_events import function_url, http_api, load_balancer, rest_api

pytestmark = pytest.mark.django_db  # after each request, Django checks its connection
OTHER_EVENTS = {
    "schedule": {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events",
                 "detail": {}, "resources": ["arn:aws:events:eu-west-1:123456789012:rule/warm"]},
    "scheduler": {},
    "warm-up plugin": {"source": "serverless-plugin-warmup"},
    "warm-up of Zappa": {"command": "zappa.handler.keep_warm_callback"},
    "warmer": {"warmer": True, "concurrency": 3},
    "SQS": {"Records": [{"eventSource": "aws:sqs", "body": "{}", "messageId": "1"}]},
    "S3": {"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": "a"}}}]},
    "SNS": {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "{}"}}]},
    "Cognito trigger": {"version": "1", "triggerSource": "PostConfirmation_ConfirmSignUp",
                        "userName": "ada", "request": {}, "response": {}},
    "CloudFront": {"Records": [{"cf": {"request": {"uri": "/", "method": "GET"}}}]},
    "list": [], "null": None, "text": "ping", "number": 1, "boolean": True,
    "version that does not exist": {**http_api("/"), "version": "3.0"},
    "version that is not a text": {**http_api("/"), "version": 2.0},
    "body that is not base64": http_api("/", method="POST", body="a", encoded=True),
    "body that is not a text": {**rest_api("/"), "body": {"a": 1}},
}  # fmt: skip
API_EVENTS = {
    "WebSocket connection": {
        "headers": {"Host": "localhost"}, "multiValueHeaders": {"Host": ["localhost"]},
        "isBase64Encoded": False,
        "requestContext": {"routeKey": "$connect", "eventType": "CONNECT", "connectionId": "a=",
                           "stage": "prod", "domainName": "localhost"}},
    "WebSocket message": {"requestContext": {"routeKey": "$default", "eventType": "MESSAGE"},
                          "body": "{}", "isBase64Encoded": False},
    "authorizer of a REST API": {**rest_api("/"), "type": "REQUEST",
                                 "methodArn": "arn:aws:execute-api:eu-west-1:1:a/prod/GET/"},
    "authorizer of an HTTP API": {**http_api("/"), "type": "REQUEST", "identitySource": ["x"],
                                  "routeArn": "arn:aws:execute-api:eu-west-1:1:a/prod/GET/"},
    "VPC Lattice": {"version": "2.0", "path": "/", "method": "GET", "headers": {},
                    "requestContext": {"serviceArn": "arn:aws:vpc-lattice:…", "region": "a"}},
    "context that is not an object": {**rest_api("/"), "requestContext": "prod"},
}  # fmt: skip


@pytest.mark.parametrize("event", OTHER_EVENTS.values(), ids=OTHER_EVENTS)
def test_event_that_is_not_a_request_gets_a_response(event):
    response = handler(event, None)
    body = json.loads(response["body"])
    assert body["code"] == "no_request"
    assert body["detail"] == body["error"]
    assert body["detail"].startswith("This event is not an HTTP request")


@pytest.mark.parametrize("event", API_EVENTS.values(), ids=API_EVENTS)
def test_event_of_another_kind_of_api_is_refused(event):
    response = handler(event, None)
    assert response["statusCode"] == 400
    assert json.loads(response["body"])["code"] == "no_request"


def test_warm_up_call_succeeds():
    assert handler(OTHER_EVENTS["schedule"], None)["statusCode"] == 200


WRONG = [True, 3, "x", [1], {"a": 1}, {"a": None}, {"a": [1]}, {"host": []}, {1: "a"}]


@pytest.mark.parametrize("make", [http_api, function_url, rest_api, load_balancer])
def test_member_of_another_type_raises_no_exception(make, settings):
    settings.ALLOWED_HOSTS = ["*"]
    events = [make("/healthz")]
    for place in ((), ("requestContext",), ("requestContext", "http"), ("requestContext", "elb")):
        names = make("/healthz")
        for name in place:
            names = names.get(name, {})
        for name in names:
            for wrong in WRONG:
                event = target = make("/healthz")
                for part in place:
                    target = target[part]
                target[name] = wrong
                events.append(event)
    assert {handler(event, None)["statusCode"] for event in events} <= {200, 400, 404}


def test_values_of_an_event_are_not_logged(caplog):
    caplog.set_level("INFO")
    handler({"source": "aws.events", "password": "a-secret"}, None)
    assert "password" in caplog.text
    assert "a-secret" not in caplog.text


@pytest.mark.parametrize("make", [http_api, function_url, rest_api, load_balancer])
@pytest.mark.parametrize("value", ["missing", None])
@pytest.mark.parametrize(
    "member",
    ["headers", "multiValueHeaders", "cookies", "body", "queryStringParameters", "rawQueryString",
     "multiValueQueryStringParameters", "pathParameters", "isBase64Encoded", "stageVariables"],
)  # fmt: skip
def test_member_can_be_missing_or_null(make, member, value, settings):
    settings.ALLOWED_HOSTS = ["*"]
    event = make("/healthz") | ({member: None} if value is None else {})
    if value == "missing":
        event.pop(member, None)
    status = handler(event, None)["statusCode"]
    assert status == (500 if make is load_balancer and member == "multiValueHeaders" else 200)


def test_encoded_body_without_headers_is_a_request():
    event = rest_api("/", method="POST", body=base64.b64encode(b"a").decode(), encoded=True)
    assert http_request({**event, "headers": None, "multiValueHeaders": None}) is not None


def test_headers_are_read_in_both_forms():
    event = {"headers": {"A": "1", "d_e": "2", "é": "3", "\u212a": "4"}}
    assert request_headers(event) == {"a": ["1"]}
    event = {"multiValueHeaders": {"X-A": ["1", "2"], "x-a": ["3"]}, "headers": {"x-a": "2"}}
    assert request_headers(event) == {"x-a": ["1", "2", "3"]}
