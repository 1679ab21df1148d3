"""Django signals for whoever wants to react to signing in: welcome mails, alerts, a second journal.

Sent once the database has kept what they tell, with these keyword arguments:

    user           an instance of AUTH_USER_MODEL, or None where nobody is known
    pool_username  the username at the pool at that time, or ""
    reason         a stable code: why refused, why ended, where rights came from; or ""
    reference      of the attempt, or ""
    details        dict[str, str], such as `added` and `removed` of `rights_changed` (with
                   `group` where a group's permissions changed); no token, no code
    request        the HttpRequest, or None for commands and background work

A receiver that raises is logged and disturbs nobody (`Signal.send_robust`). It runs within the
request, so anything slow belongs into a queue.
"""

from django.dispatch import Signal

signed_in = Signal()
sign_in_refused = Signal()
signed_out = Signal()  # once for each sign-in that ended, whatever ended it
rights_changed = Signal()
event_recorded = Signal()  # each of the above and all other kinds, with `kind` besides
