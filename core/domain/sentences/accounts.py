"""Accounts, their keys, and the secret that seals these."""

from __future__ import annotations

SENTENCES = {
    "account.no_keys": "account {account} has no keys: enter them anew",
    "account.key_used": "API key ...{hint} is used by account {account} already",
    "account.name_taken": "{field} '{value}' is taken: choose another for this account",
    "account.keys_from_environment": (
        "the keys of account {account} come from the environment: remove {variables} there and start Perpdeck again"
    ),
    "account.paper_stays": "the paper accounts stay: they need no keys and harm nobody",
    "account.bot_runs": "the bot of account {account} runs: stop it before the account is removed",
    "account.unknown": "{field} '{value}' is not known",
    "account.name_empty": "{field} is empty: give the account a name",
    "account.paper_is_there": "{field} paper is there already and needs no keys: demo or live is allowed",
    "key.empty": "{field} is empty",
    "key.wrong_sign": "{field} holds a sign that no key has: letters, digits and ASCII signs are allowed",
    "key.only_reads": "This key may only read on {place}. Make one that may read and trade.",
    "key.may_withdraw": (
        "This key may withdraw money. Make one that may only read and trade; to use this one all the same, "
        "type {risk} in capitals."
    ),
    "key.confirm_live": "Confirmation: this is real money. Type {live} in capitals to add the account.",
    "key.works": "The key works on {place}: it may read and trade. Equity {equity:,.2f} USDT.",
    "key.works_hedged": "{works} Long and short are held apart, as the bot needs it.",
    "key.works_one_way": (
        "{works} Long and short are held in one position (one-way): of each contract one side at a time can "
        "be opened. For both at once switch the account to long/short mode (hedge mode) at {exchange}."
    ),
    "key.not_asked": "{place} could not be asked about the keys: {why}",
    "secret.empty": "the secret in {file} is empty: restore it, or remove it and enter the keys again",
    "secret.from_environment": (
        "the secret comes from SESSION_SECRET: set a new one there, the present one in "
        "SESSION_SECRET_PREVIOUS, and start Perpdeck again; all keys are then sealed anew"
    ),
    "secret.change_not_ended": "an earlier change has not ended: {file} is still needed",
    "secret.not_changed": "the secret in {file} cannot be changed: {why}",
    "secret.another": (
        "the stored keys were sealed with another SESSION_SECRET: set that one again (or name it in "
        "SESSION_SECRET_PREVIOUS), or enter the keys anew"
    ),
    "secret.damaged": "the stored keys are damaged: enter them anew",
    "secret.not_used": "the secret in {file} cannot be used: {why}",
}
