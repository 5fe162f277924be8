"""Sentences for the status of an account's bot, and for why it cannot be started."""

from __future__ import annotations

SENTENCES = {
    "bot.rests": "What rests on the exchange goes on guarding the positions.",
    "bot.nobody": (
        "No bot process looks after this account just now. After a restart it takes up to ten seconds; "
        "press Start again then. {rests}"
    ),
    "bot.stopped": "Stopped.",
    "bot.stopped_by": "Stopped by {who}.",
    "bot.stopped_because": "{why:begin}.",
    "bot.asked_to_start": "The bot has been asked to start and has not answered yet.",
    "bot.starting": "The bot is starting.",
    "bot.never_heard": "The bot's last sign of life was never. {rests} Restart Perpdeck, then press Start.",
    "bot.dead": "The bot's last sign of life was {age:.0f} s ago. {rests} Restart Perpdeck, then press Start.",
    "bot.ready": "Nothing is held; ready to trade.",
    "bot.watches_one": "Watches 1 part.",
    "bot.watches": "Watches {parts} parts.",
    "bot.exchange_trouble": "The exchange: {words}.",
    "bot.and": "{first} {second}",
    "bot.elsewhere": "Runs in another process (on {where}); this page shows what it sees. {watch}",
}
