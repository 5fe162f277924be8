"""Telegram commands: a few, from a few people, and none that adds risk."""
