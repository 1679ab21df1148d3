"""Delete a deployment. The pool and the data stay, unless the operator names the deployment."""

from __future__ import annotations

from . import storage
from .release import Account


def delete(account: Account, *, with_pool: bool) -> None:
    """Delete apps, site and uploads, and `with_pool` also the pool with its users and the secret.

    The database is not part of the templates, and stays in any case.
    """
    s3 = account.client("s3")
    for part, output in (("apps", "SitesBucketName"), ("site", "StaticBucketName")):
        if bucket := account.stacks.outputs(part).get(output):
            storage.empty(s3, bucket)
        account.stacks.delete(part)
    if storage.empty(s3, account.code_bucket()):
        s3.delete_bucket(Bucket=account.code_bucket())
    if with_pool:
        _delete_pool(account)
        print("Everything is deleted but the database, which you created.")
        return
    print("Apps and site are deleted. The pool, the secret and the database were kept.")
    name = account.settings.name
    print(f"To delete the pool with all users and the secret, too, add: --and-users {name}")


def _delete_pool(account: Account) -> None:
    """Delete the stack, the pool that it leaves, and the secret (AWS keeps that for 30 days).

    The secret is last: it names the pool if the stack was deleted before an interruption.
    """
    cognito, name = account.client("cognito-idp"), account.settings.name
    pool_id = account.stacks.outputs("pool").get("CognitoPoolId")
    pool_id = pool_id or account.secret_members().get("COGNITO_POOL_ID")
    account.stacks.delete("pool")
    if pool_id:
        print(f"{pool_id}: delete the user pool with all users …", flush=True)
        try:
            # It resets all other settings, which no longer matter.
            cognito.update_user_pool(UserPoolId=pool_id, DeletionProtection="INACTIVE")
            cognito.delete_user_pool(UserPoolId=pool_id)
        except cognito.exceptions.ResourceNotFoundException:
            pass  # an interrupted run has deleted it
    if account.secret():
        print(f"{name}: delete the secret …", flush=True)
        account.client("secretsmanager").delete_secret(SecretId=name)
