"""The hooks of MkDocs: links out of docs/, and Mermaid from the site itself.

docs/ links to files of the repository that the site does not contain. In the site, these links lead
to the repository. Material for MkDocs would load Mermaid from another site.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent.parent
MERMAID = "mermaid@12.3.0"
# The integrity value that npm lists for this version.
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
    """Return the script of Mermaid, downloaded once, with npm.

    Raises:
        PluginError: npm is not installed, cannot download it, or got another file than the pinned
            one.
    """
    if not (_CACHE / _MEMBER).exists():
        if shutil.which("npm") is None:
            raise PluginError("npm is not installed. It downloads Mermaid: install Node 20.")
        _CACHE.mkdir(parents=True, exist_ok=True)
        program = ["npm", "pack", "--silent", "--pack-destination", str(_CACHE), MERMAID]
        if subprocess.run(program, cwd=_CACHE, stdout=subprocess.DEVNULL, check=False).returncode:
            raise PluginError("npm could not download Mermaid, see above. This needs the network.")
        archive = _CACHE / f"{MERMAID.replace('@', '-')}.tgz"
        digest = hashlib.sha512(archive.read_bytes()).digest()
        if base64.b64encode(digest).decode() != MERMAID_SHA512:
            raise PluginError(f"npm got another file than the pinned {MERMAID}.")
        with tarfile.open(archive) as package:
            package.extract(_MEMBER, _CACHE, filter="data")
    return (_CACHE / _MEMBER).read_bytes()
