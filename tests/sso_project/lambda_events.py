"""The events of an HTTP request from four platforms of AWS, with the documented members.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
and set-up-lambda-proxy-integrations.html, lambda/latest/dg/urls-invocation.html, services-alb.html.
"""

from urllib.parse import parse_qs, urlencode

CLIENT = "203.0.113.7"
EDGE = "198.51.100.4"  # a proxy between the client and AWS


def http_api(path="/", *, method="GET", query="", headers=(), cookies=(), body=None,
             encoded=False, stage="$default", source=CLIENT, host="localhost"):  # fmt: skip
    """Return an event of an HTTP API, payload 2.0. A named stage is part of the path."""
    raw_path = path if stage == "$default" else f"/{stage}{path}"
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": {
            "accept": "*/*",
            "host": host,
            "user-agent": "curl/8.5.0",
            "x-amzn-trace-id": "Root=1-67891233-abcdef012345678912345678",
            "x-forwarded-for": f"192.0.2.99, {source}",  # the first was written by the client
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **dict(headers),
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdefghij",
            "domainName": "abcdefghij.execute-api.eu-west-1.amazonaws.com",
            "domainPrefix": "abcdefghij",
            "http": {"method": method, "path": raw_path, "protocol": "HTTP/1.1",
                     "sourceIp": source, "userAgent": "curl/8.5.0"},
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": stage,
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1773342238000,
        },
        "isBase64Encoded": encoded,
    }  # fmt: skip
    if query:
        event["queryStringParameters"] = {k: ",".join(v) for k, v in parse_qs(query).items()}
    if cookies:
        event["cookies"] = list(cookies)
    if body is not None:
        event["body"] = body
    return event


def function_url(path="/", **request):
    """Return an event of a function URL: payload 2.0 with another domain and a null authorizer."""
    event = http_api(path, **request)
    context = event["requestContext"]
    context |= {"domainName": "abcdefghij.lambda-url.eu-west-1.on.aws", "authentication": None,
                "authorizer": None}  # fmt: skip
    return event


def rest_api(path="/", *, method="GET", query="", headers=(), cookies=(), body=None,
             encoded=False, stage="prod", source=CLIENT, host="localhost"):  # fmt: skip
    """Return an event of a REST API, payload 1.0. The stage is in requestContext.path only."""
    parsed = parse_qs(query, keep_blank_values=True)
    sent = {
        "Accept": ["*/*"],
        "Host": [host],
        "X-Forwarded-For": [f"192.0.2.99, {source}, {EDGE}"],
        "X-Forwarded-Port": ["443"],
        "X-Forwarded-Proto": ["https"],
        **{name: [value] for name, value in dict(headers).items()},
    }
    if cookies:
        sent["Cookie"] = list(cookies)
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {name: values[-1] for name, values in sent.items()},
        "multiValueHeaders": sent,
        "queryStringParameters": {k: v[-1] for k, v in parsed.items()} or None,
        "multiValueQueryStringParameters": parsed or None,
        "pathParameters": {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdefghij",
            "domainName": "abcdefghij.execute-api.eu-west-1.amazonaws.com",
            "httpMethod": method,
            "identity": {"sourceIp": source, "userAgent": "curl/8.5.0", "user": None},
            "path": f"/{stage}{path}",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "resourcePath": "/{proxy+}",
            "stage": stage,
        },
        "body": body,
        "isBase64Encoded": encoded,
    }


def load_balancer(path="/", *, multi_value=True, method="GET", query="", headers=(), cookies=(),
                  body="", encoded=False, source=CLIENT, host="localhost"):  # fmt: skip
    """Return an event of a load balancer. Queries are encoded; several values are optional."""
    sent = {
        "accept": ["*/*"],
        "host": [host],
        "x-amzn-trace-id": ["Root=1-5c536348-3d683b8b04734faae651f476"],
        "x-forwarded-for": [f"192.0.2.99, {source}"],
        "x-forwarded-port": ["443"],
        "x-forwarded-proto": ["https"],
        **{name.lower(): [value] for name, value in dict(headers).items()},
    }
    if cookies:
        sent["cookie"] = ["; ".join(cookies)]
    pairs = [pair.split("=", 1) for pair in query.split("&")] if query else []
    several = {name: [v for n, v in pairs if n == name] for name, _ in pairs}
    event = {
        "requestContext": {
            "elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:"
                                      "targetgroup/site/49e9d65c45c6791a"}
        },
        "httpMethod": method,
        "path": path,
        "body": body or "",
        "isBase64Encoded": encoded,
    }  # fmt: skip
    if multi_value:
        return event | {"multiValueHeaders": sent, "multiValueQueryStringParameters": several}
    return event | {
        "headers": {name: values[-1] for name, values in sent.items()},
        "queryStringParameters": {name: values[-1] for name, values in several.items()},
    }


def form(**fields):
    """Return the arguments of a request that submits a form."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return {"body": urlencode(fields), "headers": headers, "method": "POST"}
