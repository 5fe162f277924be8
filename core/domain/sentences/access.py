"""Sentences about access: passwords, tokens and signatures, and what the record says was done about them."""

from __future__ import annotations

SENTENCES = {
    "act.change_secret": "change the secret that seals the keys",
    "act.add_account": "add account {account}, key ending in {hint}",
    "act.remove_account": "remove account {account}",
    "login.open_to_others": (
        "the dashboard would listen on {where}, where others can reach it, and no password is set: set "
        "PERPDECK_PASSWORD, or listen on 127.0.0.1 and set one in Settings first"
    ),
    "login.every_address": "every address of this machine",
    "login.enter_password": "Enter the password.",
    "act.channel_added": "alert channel {name} added: {service}",
    "act.channel_changed": "alert channel {name} changed",
    "act.channel_removed": "alert channel {name} removed",
    "act.set": "{what} set",
    "act.removed": "{what} removed",
    "act.dead_mans_switch": "dead man's switch",
    "act.telegram_bot": "Telegram bot",
    "alert.quiet_hours": "{field}: they begin and end at the same time; leave both empty for none",
    "alert.nobody": "{field}: nobody may give them; enter the number of one user or chat at least",
    "alert.no_address": "{field}: it must begin with https:// or http://",
    "alert.no_bot_token": ("{field}: it does not look like one; BotFather gives it, as in 123456789:ABC-def…"),
    "act.log_in": "log in",
    "login.wrong_password": "This is not the password. {left} of 5 tries are left.",
    "act.lock_out": "lock out",
    "act.log_out": "log out",
    "password.differ": "{field}: the two differ",
    "act.set_password": "set the password",
    "password.stays": "{field}: it stays while others can reach the dashboard; listen on 127.0.0.1 first",
    "act.remove_password": "remove the password",
    "password.from_environment": "{field}: it is set by PERPDECK_PASSWORD; change it there and start again",
    "password.wrong_present": "{field}: this is not it",
    "login.locked": "Too many wrong passwords from this address. Try again in {minutes} min.",
    "token.revoked": "token {token} was revoked at {at}: make a new one in Settings",
    "token.expired": "token {token} expired at {at}: make a new one in Settings",
    "api.signal_without_proof": (
        "a signal needs a proof: `secret` in its body, the header X-Perpdeck-Signature, or a token"
    ),
    "token.unknown_text": "the token is not known: copy it whole, or make a new one in Settings",
    "token.name_taken": "{field} '{value}' is taken by a token that still holds: choose another, or revoke that one",
    "act.token_made": "API token {token} made for {name}: {scope}",
    "token.unknown": "{field} '{value}' is not known",
    "act.token_revoked": "API token {token} of {name} revoked",
    "token.unknown_signal_secret": "the secret of the signal is not known: copy it whole, or make a new token",
    "token.signature_unreadable": "the signature cannot be read: t=<unix seconds>,k=<token id>,v1=<hex> is expected",
    "token.signature_wrong": "the signature does not fit the body: HMAC-SHA256 over t, a full stop and the body",
    "token.signature_old": "the signature's time {at} is more than {seconds} s from ours",
    "token.name_length": "{field} has {n} characters: 1 to {most} are allowed",
    "token.name_sign": (
        "{field} '{value}' holds a sign that is not allowed: letters, digits, blanks and . ( ) & + - _ are"
    ),
    "token.days_range": "{field} {value} is out of range: 1 to {most} is allowed, or none",
    "api.too_many_under_way": "too many requests are under way: send the same again, with the same key",
    "api.key_reused": "{field} '{value}' was used for another request before: a new request needs a new key",
    "password.empty": "{field} is empty: choose one",
    "password.too_short": "{field} has {n} characters: {least} or more are needed",
    "password.blank": "{field} is made of blanks only: choose another",
    "alert.name_taken": "{field} '{value}' is taken by another channel",
    "telegram.late": "Telegram does not answer in time",
    "telegram.not_reached": "Telegram cannot be reached ({why})",
    "telegram.no_json": "Telegram answered with {status} and no JSON",
    "telegram.token_unknown": "Telegram does not know this bot token: enter it anew",
    "telegram.another_program": "another program asks for the messages of this Telegram bot",
    "telegram.status": "Telegram answered with {status}",
    "process.not_started": "Perpdeck is not started in this process",
}
