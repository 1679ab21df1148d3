"""The parts of `manage.py dev`, which `make run` calls. Nothing here runs in production."""
