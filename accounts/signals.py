"""Django signals for audit events: use them for welcome emails, alerts, or a log of your own.

They are sent after the transaction is committed, with these keyword arguments:

    user           an instance of AUTH_USER_MODEL, or None if the user is unknown
    pool_username  the username at the pool at that time, or ""
    reason         a stable code (of a refusal, an end, the source of rights), or ""
    reference      the reference of the attempt, or ""
    details        dict[str, str], such as `added` and `removed` of `rights_changed` (with
                   `group` if a group's permissions changed); no token, no code
    request        the HttpRequest, or None for commands and background work

An exception of a receiver is logged and has no other effect (`Signal.send_robust`). A receiver runs
within the request, so put slow work into a queue.
"""

from django.dispatch import Signal

signed_in = Signal()
sign_in_refused = Signal()
signed_out = Signal()  # once for each sign-in that ended, for any reason
rights_changed = Signal()
event_recorded = Signal()  # for every kind of event, with `kind` as an additional argument
