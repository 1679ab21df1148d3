"""The operations about resource servers, which define custom scopes."""

from dataclasses import replace

from .api_shapes import Body, Operations, page
from .declarations import ResourceServer
from .errors import INVALID, UserError
from .pool import Pool


def _find(pool: Pool, body: Body) -> ResourceServer:
    server = pool.resource_servers.get(body["Identifier"])
    if server is None:
        raise UserError("ResourceNotFoundException", "Resource server does not exist.")
    return server


def _describe(pool: Pool, server: ResourceServer) -> Body:
    scopes = [{"ScopeName": k, "ScopeDescription": v or k} for k, v in server.scopes.items()]
    return {
        "UserPoolId": pool.config.id,
        "Identifier": server.identifier,
        "Name": server.name,
        "Scopes": scopes,
    }


def _store(pool: Pool, server: ResourceServer, body: Body) -> Body:
    pool.require_primary()
    sent = body.get("Scopes") or []
    scopes = {scope["ScopeName"]: scope["ScopeDescription"] for scope in sent}
    changed = replace(server, name=body["Name"], scopes=scopes)
    pool.put("resource_servers", server.identifier, changed)
    return {"ResourceServer": _describe(pool, changed)}


def create_resource_server(pool: Pool, body: Body) -> Body:
    identifier = body["Identifier"]
    if identifier in pool.resource_servers:
        message = f"{identifier} already exists in user pool {pool.config.id}."
        raise UserError(INVALID, message)
    return _store(pool, ResourceServer(identifier, "", {}), body)


def delete_resource_server(pool: Pool, body: Body) -> None:
    server = _find(pool, body)
    pool.require_primary()
    pool.remove("resource_servers", server.identifier)


def list_resource_servers(pool: Pool, body: Body) -> Body:
    described = [_describe(pool, server) for server in pool.resource_servers.values()]
    return page(body, "ResourceServers", described, limit="MaxResults")


OPERATIONS: Operations = {
    "CreateResourceServer": create_resource_server,
    "DeleteResourceServer": delete_resource_server,
    "DescribeResourceServer": lambda pool, body: {
        "ResourceServer": _describe(pool, _find(pool, body))
    },
    "ListResourceServers": list_resource_servers,
    "UpdateResourceServer": lambda pool, body: _store(pool, _find(pool, body), body),
}
