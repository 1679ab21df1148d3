"""The operations about the secrets of app clients, and ``GetSecretValue`` of Secrets Manager.

boto3: ``client("secretsmanager", endpoint_url=…, region_name="local-1")``, with any credentials.
"""

import json

from . import client_secrets
from .api_shapes import ACCOUNT, Body, Operations, find_client
from .declarations import Client
from .errors import UserError
from .pool import Pool
from .records import ClientSecret


def add_user_pool_client_secret(pool: Pool, body: Body) -> Body:
    chosen = body.get("ClientSecret", "")
    key, record, value = client_secrets.add(pool, find_client(pool, body), chosen)
    generated = {} if chosen else {"ClientSecretValue": value}
    return {"ClientSecretDescriptor": _describe_secret(key, record) | generated}


def list_user_pool_client_secrets(pool: Pool, body: Body) -> Body:
    active = client_secrets.active_secrets(pool, find_client(pool, body))
    return {"ClientSecrets": [_describe_secret(*item) for item in active.items()]}


def _describe_secret(key: str, record: ClientSecret) -> Body:
    return {"ClientSecretId": key, "ClientSecretCreateDate": record.created}


def delete_user_pool_client_secret(pool: Pool, body: Body) -> None:
    client_secrets.delete(pool, find_client(pool, body), body["ClientSecretId"])


def describe(pool: Pool, client: Client) -> Body:
    """Return the member with the secret, or with the ARN of a secret in Secrets Manager."""
    if client.client_id in pool.state.published_secrets:
        return {"ClientSecretArn": _arn(pool, client.client_id)}
    return {"ClientSecret": client_secrets.current_value(pool, client)}


def _name(pool: Pool, client_id: str) -> str:
    return f"cognito/{pool.config.id}/{client_id}"


def _arn(pool: Pool, client_id: str) -> str:
    name = _name(pool, client_id)
    return f"arn:aws:secretsmanager:{pool.config.region}:{ACCOUNT}:secret:{name}-AbCdEf"


def get_secret_value(pool: Pool, body: Body) -> Body:
    sent = body["SecretId"]
    for client_id, version in pool.state.published_secrets.items():
        arn, name = _arn(pool, client_id), _name(pool, client_id)
        if sent in (arn, name) and body.get("VersionStage", "AWSCURRENT") == "AWSCURRENT":
            value = client_secrets.current_value(pool, pool.clients[client_id])
            content = {"userPoolId": pool.config.id, "userPoolClientId": client_id}
            secret = json.dumps(content | {"clientSecretValue": value})
            stages = ["AWSCURRENT"]
            answer = {"ARN": arn, "Name": name, "VersionId": version, "VersionStages": stages}
            return answer | {"SecretString": secret}
    message = "Secrets Manager can't find the specified secret."
    raise UserError("ResourceNotFoundException", message)


OPERATIONS: Operations = {
    "AddUserPoolClientSecret": add_user_pool_client_secret,
    "DeleteUserPoolClientSecret": delete_user_pool_client_secret,
    "GetSecretValue": get_secret_value,
    "ListUserPoolClientSecrets": list_user_pool_client_secrets,
}
