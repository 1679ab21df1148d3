"""Deploy the user pool, the site on Lambda and single-page apps, or delete them.

    infra/deploy SETTINGS.toml            show what is missing and what would be done
    infra/deploy SETTINGS.toml --apply    do it; run it again after an interruption
    infra/deploy SETTINGS.toml --delete   delete apps and site; keep pool, secret and database

infra/README.md describes SETTINGS.toml. AWS credentials are those of the AWS CLI.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from . import missing, settings
from .release import Account, apply
from .teardown import delete


def plan(account: Account) -> Iterator[str]:
    """Yield what `--apply` would do, one sentence a line."""
    declared = account.settings
    sites_url = declared.apps_domain or account.stacks.outputs("apps").get("SitesUrl", "")
    parts = {"pool": declared.pool_parameters(sites_url), "site": declared.site}
    if declared.apps is not None:
        parts["apps"] = declared.apps
    for part, values in parts.items():
        stack = f"{declared.name}-{part}"
        if not (present := account.stacks.parameters(part)):
            yield f"Would create the stack {stack}."
            continue
        changes = [
            f"{name}: {present.get(name)} -> {value}"
            for name, value in values.items()
            if present.get(name) != value
        ]
        yield f"Would update the stack {stack} ({'; '.join(changes) or 'same parameters'})."
    if not account.secret():
        verb = "restore" if account.has_deleted_secret() else "create"
        yield f"Would {verb} the secret {declared.name}."
    yield "Would upload the code and the static files, and run migrate before the code serves."
    for name, folder in declared.folders.items():
        yield f"Would upload the app {name} from {folder}."
    yield "Add --apply to do it."


def _options() -> argparse.Namespace:
    doc = __doc__ or ""
    parser = argparse.ArgumentParser(
        "infra/deploy", description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("settings", type=Path, metavar="SETTINGS.toml")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--apply", action="store_true", help="deploy")
    action.add_argument("--delete", action="store_true", help="delete apps and site")
    parser.add_argument("--zip", type=Path, help="an existing output of infra/build-zip")
    parser.add_argument(
        "--and-users", metavar="NAME", help="with --delete: the pool and the secret of NAME, too"
    )
    return parser.parse_args()


def main() -> int:
    """Return 0, or 1 if something is missing."""
    options = _options()
    account = Account(settings.read(options.settings))
    if options.delete:
        if options.and_users not in (None, account.settings.name):
            raise SystemExit(f"--and-users must be {account.settings.name}, the name to delete.")
        delete(account, with_pool=options.and_users is not None)
        return 0
    lacking = list(missing.find(account))
    print("\n".join(lacking) or "Nothing is missing.")
    if not options.apply:
        print("\n".join(plan(account)))
    elif not lacking:
        apply(account, options.zip)
    return int(bool(lacking))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"AWS: {error}")
