"""All attacks, one module per family."""

from . import callbacks, forgeries, insiders, malformed, odd_paths, slow, sprays, uploads

FAMILIES = {
    "uploads": uploads.ATTACKS,
    "slow connections": slow.ATTACKS,
    "replays": callbacks.ATTACKS,
    "forged tokens": forgeries.ATTACKS,
    "sprays": sprays.ATTACKS,
    "malformed requests": malformed.ATTACKS,
    "odd paths": odd_paths.ATTACKS,
    "insiders": insiders.ATTACKS,
}
ATTACKS = tuple(attack for attacks in FAMILIES.values() for attack in attacks)
