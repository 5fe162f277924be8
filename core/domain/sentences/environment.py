"""Sentences for wrong environment variables; the values of secrets are never shown."""

from __future__ import annotations

SENTENCES = {
    "environment.home_is_a_file": "PERPDECK_HOME {home} is a file: it must be a folder",
    "environment.home_cannot_be_made": "PERPDECK_HOME {home} cannot be made: {words}",
    "environment.home_is_closed": "PERPDECK_HOME {home} cannot be written to: choose a folder of this user",
    "environment.no_port": "PERPDECK_PORT '{value}' is not a port: 1 to 65535",
    "environment.no_postgres": "DATABASE_URL begins with '{scheme}': it must begin with postgresql://",
    "environment.no_scheme": "DATABASE_URL begins with 'text without a scheme': it must begin with postgresql://",
    "environment.short_secret": "{name} has {length} characters: {least} or more are needed",
    "environment.password": "PERPDECK_PASSWORD: {problem}",
    "environment.demo_keys_missing": "{missing} missing: {names} are given together or not at all",
    "environment.no_key": "{name} holds a sign that no key has: letters, digits and ASCII signs are allowed",
    "database.no_answer": "the database does not answer: {why}",
}
