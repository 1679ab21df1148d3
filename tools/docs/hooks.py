"""The hooks of MkDocs: links out of docs/, and Mermaid from the site itself.

docs/ links to files of the repository that the site does not contain. In the site, these links lead
to the repository. Material for MkDocs would load Mermaid from another site.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import tarfile
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent.parent
MERMAID = "mermaid-12.3.0"
# The integrity value that the registry of npm lists for this version.
MERMAID_SHA512 = (
    "4113TdXeLAsMruJ79OpFL5O8+LTFXhQqZ260rF3tgUmiNAtRm4Uume04I+65PRN6yZ69J4f8rVYWW8zRk65UYw=="
)
SCRIPT = "assets/mermaid.min.js"
_MEMBER = "package/dist/mermaid.min.js"
_CACHE = ROOT / ".local/docs" / MERMAID
_LINK = re.compile(r"\]\((?P<path>(?!\w+:)[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add Mermaid to the files of the site."""
    files.append(File.generated(config, SCRIPT, content=_mermaid()))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Return the page with links out of docs/ replaced by links to the repository."""
    folder = Path(config.docs_dir, page.file.src_uri).parent

    def replace(match: re.Match[str]) -> str:
        target = Path(os.path.normpath(folder / match["path"]))
        if target.is_relative_to(config.docs_dir) or not target.exists():
            return match[0]
        path = target.relative_to(ROOT).as_posix()
        return f"]({config.repo_url}/blob/main/{path}{match['anchor'] or ''})"

    return _LINK.sub(replace, markdown)


def _mermaid() -> bytes:
    """Return the script of Mermaid, downloaded once.

    Raises:
        ValueError: The registry served another file than the pinned one.
    """
    if not (_CACHE / _MEMBER).exists():
        registry = os.environ.get("NPM_CONFIG_REGISTRY", "https://registry.npmjs.org").rstrip("/")
        with urlopen(f"{registry}/mermaid/-/{MERMAID}.tgz") as response:  # noqa: S310 (https above)
            archive = response.read()
        if base64.b64encode(hashlib.sha512(archive).digest()).decode() != MERMAID_SHA512:
            raise ValueError(f"{registry} served another file than the pinned {MERMAID}.")
        with tarfile.open(fileobj=io.BytesIO(archive)) as package:
            package.extract(_MEMBER, _CACHE, filter="data")
    return (_CACHE / _MEMBER).read_bytes()
