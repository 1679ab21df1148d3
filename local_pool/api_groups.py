"""The operations about groups and their members."""

from collections.abc import Callable
from dataclasses import replace

from . import users
from .api_shapes import Body, Operations, describe_user, find_user, page
from .declarations import Group
from .errors import UserError
from .pool import Pool

MEMBERS = {"Description": "description", "RoleArn": "role_arn", "Precedence": "precedence"}


def _find(pool: Pool, body: Body) -> Group:
    group = pool.groups.get(body["GroupName"])
    if group is None:
        raise UserError("ResourceNotFoundException", "Group not found.")
    return group


def _describe(pool: Pool, group: Group) -> Body:
    members = {name: getattr(group, field) for name, field in MEMBERS.items()}
    return {
        "GroupName": group.name,
        "UserPoolId": pool.config.id,
        "CreationDate": group.created,
        "LastModifiedDate": group.modified,
    } | {name: value for name, value in members.items() if value not in (None, "")}


def _changes(pool: Pool, body: Body) -> Body:
    pool.require_primary()
    return {field: body[name] for name, field in MEMBERS.items() if name in body}


def create_group(pool: Pool, body: Body) -> Body:
    name, now = body["GroupName"], pool.clock()
    if name in pool.groups:
        message = "A group with the name already exists."
        raise UserError("GroupExistsException", message)
    group = Group(name, **_changes(pool, body), created=now, modified=now)
    pool.put("groups", name, group)
    return {"Group": _describe(pool, group)}


def update_group(pool: Pool, body: Body) -> Body:
    group = replace(_find(pool, body), **_changes(pool, body), modified=pool.clock())
    pool.put("groups", group.name, group)
    return {"Group": _describe(pool, group)}


def delete_group(pool: Pool, body: Body) -> None:
    """Delete a group, which its members also leave."""
    group = _find(pool, body)
    pool.require_primary()
    for user in list(pool.state.people.values()):
        if group.name in user.groups:
            users.set_group(pool, user, group.name, False)
    pool.remove("groups", group.name)


def list_groups(pool: Pool, body: Body) -> Body:
    return page(body, "Groups", [_describe(pool, group) for group in pool.groups.values()])


def list_users_in_group(pool: Pool, body: Body) -> Body:
    group, everyone = _find(pool, body), list(pool.state.people.values())
    members = [describe_user(user, "Attributes") for user in everyone if group.name in user.groups]
    return page(body, "Users", members)


def admin_list_groups_for_user(pool: Pool, body: Body) -> Body:
    groups = [_describe(pool, group) for group in pool.groups_of(find_user(pool, body))]
    return page(body, "Groups", groups)


def _set_member(member: bool) -> Callable[[Pool, Body], None]:
    def set_member(pool: Pool, body: Body) -> None:
        users.set_group(pool, find_user(pool, body), body["GroupName"], member)

    return set_member


OPERATIONS: Operations = {
    "AdminAddUserToGroup": _set_member(True),
    "AdminListGroupsForUser": admin_list_groups_for_user,
    "AdminRemoveUserFromGroup": _set_member(False),
    "CreateGroup": create_group,
    "DeleteGroup": delete_group,
    "GetGroup": lambda pool, body: {"Group": _describe(pool, _find(pool, body))},
    "ListGroups": list_groups,
    "ListUsersInGroup": list_users_in_group,
    "UpdateGroup": update_group,
}
