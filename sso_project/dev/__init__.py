"""What `manage.py dev` (and so `make run`) is made of. Nothing here runs in production."""
