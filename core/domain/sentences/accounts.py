"""Sentences about accounts, their keys, the secret that encrypts these, and the paper market."""

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
    "paper.contract_unknown": "{field} '{value}' is not traded on paper: {allowed}",
    "paper.price_out_of_reach": "{field} {value} is out of reach: {allowed}",
    "paper.moved": "{symbol} was moved from {before} to {now} by hand",
    "paper.source_unknown": "{field} '{value}' is not known: {allowed}",
    "paper.no_address": "{field} '{value}' is not an address: http://... of an exchange is needed",
    "paper.not_paper": "{field} '{value}' is no paper account: nothing else may be meddled with",
    "paper.not_above_zero": "{field} {value} is not allowed: it must be above 0",
    "paper.contracts_empty": "{field} is empty: say how many are to be opened",
    "paper.by_hand": "{deed} {much} of {side} {symbol} by another hand",
    "paper.not_running": "the paper exchange does not run",
    "paper.no_answer": "the paper exchange does not answer: {why}",
    "paper.refuses": "the paper exchange refuses: {words}",
    "paper.no_answer_http": "the paper exchange does not answer: HTTP {status}",
    "paper.does_not_start": "the paper exchange does not start; its log is {log}",
    "paper.faulty": "goes wrong on purpose: {faults}",
    "paper.nothing_faulty": "nothing",
    "paper.all": "all",
    "paper.walk": "walks by itself",
    "paper.hold": "holds still",
    "paper.mirror": "follows another exchange's public prices",
    "deed.close": "close",
    "deed.open": "open",
    "deed.liquidate": "liquidate",
    "deed.deleverage": "adl",
    "paper.source_set": "the price {source} from now on",
    "fault.lost_after": "An order is carried out, and its answer is lost",
    "fault.lost_before": "An order is lost on its way, and no answer comes",
    "fault.late": "An order arrives three seconds late, and no answer comes",
    "fault.slow": "The answer to an order takes three seconds",
    "fault.reject": "An order is refused: not enough margin",
    "fault.partial_fill": "Four tenths of an order fill, the rest is cancelled",
    "fault.accept_delay": "An order is accepted and fills two seconds later",
    "fault.not_found": "An accepted order cannot be found for two seconds",
    "fault.html_502": "A gateway answers an order with a web page",
    "fault.code": "Reading positions fails: the service is busy",
    "fault.push_withheld": "A message about an order never comes",
    "fault.stream_double": "A message about an order comes twice",
    "fault.stream_delay": "A message about an order comes three seconds late",
    "fault.stream_cut": "The stream of orders is cut",
    "account.still_guards": "account {account} still guards {parts}: close them before it is removed",
}
