"""Programs that measure, rehearse and deploy: nothing that is shipped imports them."""
