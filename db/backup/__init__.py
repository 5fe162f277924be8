"""Copies parts, cycles and recovery steps to a second database, best effort, without ever delaying trading."""
