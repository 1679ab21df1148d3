"""The CloudFormation stacks of a deployment: create or update them, wait, and delete them."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import ClientError

from . import INFRA

MAX_POLL_SECONDS = 5.0
_REVIEW = "REVIEW_IN_PROGRESS"  # an empty stack, whose change set was not executed
# CloudFormation can only delete these.
_DEAD = {"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", _REVIEW}


class Stacks:
    """The stacks NAME-pool, NAME-site and NAME-apps. `part` is the second half of the name."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def describe(self, part: str) -> dict[str, Any]:
        """Return the description of a stack, or {} if it does not exist."""
        try:
            [stack] = self._client.describe_stacks(StackName=f"{self._name}-{part}")["Stacks"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            return {}
        return {} if stack["StackStatus"] == "DELETE_COMPLETE" else dict(stack)

    def outputs(self, part: str) -> dict[str, str]:
        """Return the outputs of a stack, or {} if it does not exist."""
        outputs = self.describe(part).get("Outputs", ())
        return {item["OutputKey"]: item["OutputValue"] for item in outputs}

    def parameters(self, part: str) -> dict[str, str]:
        """Return the parameters of a stack, or {} if it does not exist or must be created again."""
        stack = self.describe(part)
        parameters = () if stack.get("StackStatus") in _DEAD else stack.get("Parameters", ())
        return {item["ParameterKey"]: item["ParameterValue"] for item in parameters}

    def settle(self, part: str) -> str:
        """Wait while a stack changes, and return its status, or "" if it does not exist.

        It can change at the start too, if the previous run was interrupted.
        """
        pause = min(0.5, MAX_POLL_SECONDS)
        while True:
            status = str(self.describe(part).get("StackStatus", ""))
            if not status.endswith("_IN_PROGRESS") or status == _REVIEW:
                return status
            time.sleep(pause)
            pause = min(2 * pause, MAX_POLL_SECONDS)

    def deploy(self, part: str, template: str, values: dict[str, str]) -> dict[str, str]:
        """Create or update a stack, wait for it, and return its outputs.

        Raises SystemExit with AWS's reasons if that fails.
        """
        stack = f"{self._name}-{part}"
        status = self._ready(part)
        kind = "update" if status else "create"
        print(f"{stack}: {kind} the stack from {template} …", flush=True)
        try:
            getattr(self._client, f"{kind}_stack")(
                StackName=stack,
                TemplateBody=(INFRA / template).read_text(encoding="utf-8"),
                Capabilities=["CAPABILITY_IAM"],
                Parameters=[
                    {"ParameterKey": name, "ParameterValue": str(value)}
                    for name, value in values.items()
                ],
            )
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise
            return self.outputs(part)
        if self.settle(part) not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise SystemExit(f"{stack} failed: {self._reasons(stack)}")
        return self.outputs(part)

    def _ready(self, part: str) -> str:
        """Wait until a stack can be created or updated, and return its status, "" for creation.

        Repair what an interruption or a failure left. Raises SystemExit if that is not possible.
        """
        stack = f"{self._name}-{part}"
        status = self.settle(part)
        if status == "UPDATE_ROLLBACK_FAILED":
            print(f"{stack}: continue the rollback of the failed update …", flush=True)
            self._client.continue_update_rollback(StackName=stack)
            if (status := self.settle(part)) == "UPDATE_ROLLBACK_FAILED":
                raise SystemExit(f"{stack} cannot be rolled back: {self._reasons(stack)}")
        if status == "DELETE_FAILED" and part == "pool":  # a new stack would have a new, empty pool
            raise SystemExit(
                f"{stack} is deleted in part. Complete that: --delete --and-users {self._name}"
            )
        if status in _DEAD:
            self.delete(part)
            return ""
        return status

    def _reasons(self, stack: str) -> str:
        events = self._client.describe_stack_events(StackName=stack)["StackEvents"]
        failed = [item for item in events if item.get("ResourceStatus", "").endswith("_FAILED")]
        return " ".join(
            f"{item['LogicalResourceId']}: {item.get('ResourceStatusReason', '')}"
            for item in failed[:5]
        )

    def delete(self, part: str) -> None:
        """Delete a stack and wait for it. Do nothing if it does not exist."""
        stack = f"{self._name}-{part}"
        if not self.describe(part):
            return
        print(f"{stack}: delete the stack …", flush=True)
        self._client.delete_stack(StackName=stack)
        if status := self.settle(part):
            raise SystemExit(f"{stack} was not deleted ({status}): {self._reasons(stack)}")
