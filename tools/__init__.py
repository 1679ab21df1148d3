"""Programs that measure and rehearse: nothing that is shipped imports them."""
