"""Deploy the templates in `infra/`: user pool, site on Lambda, apps (infra/README.md)."""

from pathlib import Path

INFRA = Path(__file__).resolve().parents[2] / "infra"
