"""Why an exchange does not take an API key: `place` is exchange and environment, `hint` the last letters of the key."""

from __future__ import annotations

SENTENCES = {
    "keys.frozen": "the API key is frozen at {place}: make a new one",
    "keys.locked": "the API key is locked at {place}: make a new one",
    "keys.other_world": (
        "the API key belongs to the other world: a demo key does not work live, nor a live key on demo"
    ),
    "keys.wrong_passphrase": (
        "the passphrase does not belong to this API key at {place}: it is the one typed when the key was made"
    ),
    "keys.wrong_secret": ("the API secret does not belong to this API key at {place}: check that it was copied whole"),
    "keys.address_not_allowed": (
        "{place} accepts this API key from other addresses only: add this machine's IP address to the key"
    ),
    "keys.not_copied_whole": "the API key ...{hint} is not known to {place}: check that it was copied whole",
    "keys.malformed": "{place} does not accept the API key ...{hint}: check that it was copied whole",
    "keys.not_accepted": "{place} does not accept the API key ...{hint}: make a new one",
    "keys.other_environment_or_region": (
        "the API key ...{hint} is not known to {place}: check the environment and the region it was made in"
    ),
    "keys.not_known_or_not_allowed": (
        "the API key ...{hint} is not known to {place}, may not be used from this address, or may not trade futures: "
        "check the environment it was made in and its permissions"
    ),
}
