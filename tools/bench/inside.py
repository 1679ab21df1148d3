"""Measurements that need Django in their own process: `python -m tools.bench.inside MODULE`.

The module's `main` gets a JSON object from standard input. Its result is written as JSON.
"""

import importlib
import json
import sys

import django

if __name__ == "__main__":
    django.setup()
    json.dump(importlib.import_module(sys.argv[1]).main(json.load(sys.stdin)), sys.stdout)
