"""What Sentry would receive, with the settings that docs/operations.md shows."""

from contextlib import contextmanager

import pytest
import sentry_sdk
from django.core.handlers.base import BaseHandler
from sentry_sdk.transport import Transport

from accounts.core.masking import mask_event


@contextmanager
def sentry_events():
    """Keep the events of the block in a list."""
    events: list[object] = []

    class Keep(Transport):
        def capture_envelope(self, envelope):
            events.extend(item.payload.json for item in envelope.items if item.payload.json)

    patch = pytest.MonkeyPatch()
    # Sentry's patches stay after its client is closed. This one would wrap middleware for the rest
    # of the process, and the wrapper of asynchronous middleware skips `__call__`.
    patch.setattr(BaseHandler, "load_middleware", BaseHandler.load_middleware)
    sentry_sdk.init(
        dsn="http://x@localhost:1/1",
        transport=Keep,
        traces_sample_rate=1,
        before_send=mask_event,
        before_send_transaction=mask_event,
        before_breadcrumb=mask_event,
    )
    try:
        yield events
        sentry_sdk.flush()
    finally:
        sentry_sdk.get_client().close()
        # Its other patches do nothing if the client does not have their integrations.
        sentry_sdk.init(default_integrations=False, auto_enabling_integrations=False)
        patch.undo()
