"""Names of fields and units, and what may stand in a field: the parts of which problems with an input are made.

A problem carries its field as the value `field`, what was given as `value`, and what may stand there as `allowed`.
"""

from __future__ import annotations

SENTENCES = {
    "problems": "{all:sentences}",
    "range.outside": "{field} {value} is out of range: {allowed}",
    "range.outside_unit": "{field} {value} {unit} is out of range: {allowed}",
    "range.between_steps": "{field} {value} is between two steps: {allowed}",
    "allowed.range": "{low:,f} to {high:,f} is allowed",
    "allowed.range_unit": "{low:,f} to {high:,f} {unit} is allowed",
    "allowed.multiple": "a multiple of {step} is allowed",
    "allowed.one_of": "one of {all}",
    "unit.s": "s",
    "unit.minutes": "minutes",
    "unit.min": "min",
    "field.account": "account",
    "field.after": "after",
    "field.contract": "contract",
    "field.contracts": "contracts",
    "field.duration": "duration",
    "field.follow": "give-way",
    "field.leverage": "leverage",
    "field.limit_price": "limit price",
    "field.order": "order",
    "field.part": "part",
    "field.position_value": "position value",
    "field.randomness": "randomness",
    "field.refresh": "refresh time",
    "field.reprice": "reprice time",
    "field.run": "execution",
    "field.slices": "slices",
    "field.stop_loss": "stop-loss",
    "field.strategy": "strategy",
    "field.take_profit": "take-profit",
    "field.timeout": "time-out",
    "field.visible": "visible share",
}
