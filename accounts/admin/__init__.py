"""People, their identities and sign-ins in the admin; tokens are never shown."""

from . import event_list, people, records  # noqa: F401 (each registers its pages)
