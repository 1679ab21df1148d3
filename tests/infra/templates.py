"""The templates as data."""

import json
import re
import subprocess
from pathlib import Path

import playwright
import yaml

from tests.imports import ROOT

TEMPLATES = sorted((ROOT / "infra").glob("*.yaml"))
NODE = Path(playwright.__file__).parent / "driver/node"


class Loader(yaml.SafeLoader):
    """A YAML loader that reads !Ref and similar tags as their values."""


def _inner(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


Loader.add_multi_constructor("!", _inner)


def template(name):
    [file] = [file for file in TEMPLATES if file.name.startswith(name)]
    return yaml.load(file.read_text(), Loader)


def substitute(text, **parameters):
    """Return `text` as Fn::Sub does."""
    return re.sub(r"\$\{(\w+)\}", lambda name: parameters[name[1]], text)


def run_fallback(layout, requests):
    """Run the CloudFront function of template 3 for each of `requests`, and return its results."""
    code = template("3")["Resources"]["Fallback"]["Properties"]["FunctionCode"]
    events = json.dumps([{"request": request} for request in requests])
    script = (
        f"{substitute_layout(code, layout)}\nconsole.log(JSON.stringify({events}.map(handler)))"
    )
    done = subprocess.run([NODE, "-e", script], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def substitute_layout(code, layout):
    """Return the function for `layout`. Other `${…}` would be template literals of JavaScript."""
    assert code.count("${") == 1
    return code.replace("${Layout}", layout)
