"""Sentences for wrong settings, and the units of settings; their names come from the settings' model."""

from __future__ import annotations

SENTENCES = {
    "setting_problem.unknown": "setting '{key}' is not known: one of {known}",
    "setting_problem.not_a_switch": "{field}: {value} is neither on nor off",
    "setting_problem.not_a_choice": "{field}: {value} is not known: one of {known}",
    "setting_problem.nothing_chosen": "{field}: choose one at least, or switch it off",
    "setting_problem.empty": "{field} is empty: {allowed}",
    "setting_problem.not_a_number": "{field}: {value} is not a number; {allowed}",
    "setting_problem.not_exact": "{field}: {value} is not exact, give it as text; {allowed}",
    "setting_problem.not_whole": "{field} {value} is not a whole number: {allowed}",
    "setting_problem.crossed": "{field} {value} {unit} is above the largest of {largest} {unit}: no order passes",
    "settings_file.not_json": "the file is not JSON: choose one that was exported here",
    "settings_file.no_settings": "the file holds no settings of Perpdeck: choose one that was exported here",
    "settings_file.other_version": "the file is of version {version}: {understood} is understood",
    "unit.usdt": "USDT",
    "unit.contracts": "contracts",
    "unit.parts": "parts",
    "unit.times": "x",
    "unit.percent": "%",
    "unit.percent_of_equity": "% of equity",
    "unit.days": "days",
}
