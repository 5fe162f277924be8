"""What programs send, with units and ranges. Numbers are exact, whether they are sent as numbers or as text.

Ranges here are those that hold always; what the contract, the account and the settings allow is said by the same
check as on the pages, when something is asked for.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from core.domain.account import Level
from core.domain.instrument import Side, TriggerBy
from core.domain.intent import (
    EntryKind,
    EntryStyle,
    RecoveryChoice,
    ReopenChoice,
    Target,
    WhenRefused,
)
from core.domain.money import Price, plain
from core.services.positions import Draft

NUMBER = r"^-?[0-9]{1,13}(\.[0-9]{1,18})?$"
_NUMBER = re.compile(NUMBER)
NAME = r"^[A-Za-z0-9][A-Za-z0-9 ._:/-]*$"


def _exact(value: object) -> object:
    """A number as it was written; nothing that only looks like one."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError("a number, or a number as text, is allowed")
    if isinstance(value, Decimal) and (not value.is_finite() or not -20 < value.adjusted() < 20):
        raise ValueError("a number of 13 digits and 18 decimals at most is allowed")
    text = plain(value) if isinstance(value, Decimal) else str(value)
    if not _NUMBER.fullmatch(text):
        raise ValueError("a number of 13 digits and 18 decimals at most is allowed")
    return Decimal(text)


Amount = Annotated[
    Decimal,
    BeforeValidator(_exact),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "pattern": NUMBER}]}, mode="validation"),
]
Positive = Annotated[
    Decimal,
    BeforeValidator(_exact),
    Field(gt=0, le=10**12),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": 10**12},
                {"type": "string", "pattern": NUMBER},
            ]
        },
        mode="validation",
    ),
]
Symbol = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,20}-USDT-PERP$", examples=["BTC-USDT-PERP"])]
Strategy = Annotated[str, Field(min_length=1, max_length=40, pattern=NAME, examples=["breakout"])]
Account = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$", examples=["paper-okx"])]


class In(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False, hide_input_in_errors=True)


class TargetIn(In):
    """A take-profit or stop-loss, given as one of three. USDT and percent are signed as the PnL: a stop is negative."""

    pnl_usdt: Amount | None = Field(None, description="PnL of the whole part in USDT.")
    price: Positive | None = Field(None, description="A price.")
    percent: Amount | None = Field(None, description="Percent from the entry price.")
    trigger_by: Literal["last", "mark", "index"] = Field("mark", description="Which price sets it off.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(value is not None for value in (self.pnl_usdt, self.price, self.percent)) != 1:
            raise ValueError("exactly one of pnl_usdt, price and percent is allowed")
        return self

    def value(self) -> Target:
        price = None if self.price is None else Price(self.price)
        return Target(self.pnl_usdt, price, self.percent, TriggerBy(self.trigger_by))


class EntryIn(In):
    """How to enter."""

    kind: Literal["market", "limit"] = "market"
    price: Positive | None = Field(None, description="Limit price; with kind limit only.")
    timeout_seconds: int | None = Field(
        None, ge=1, le=30 * 86400, description="A limit entry that has not filled by then is cancelled."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        limit = self.kind == "limit"
        if limit and self.price is None:
            raise ValueError("kind limit needs a price")
        if not limit and (self.price is not None or self.timeout_seconds is not None):
            raise ValueError("price and timeout_seconds are allowed with kind limit only")
        return self

    def value(self) -> EntryStyle:
        timeout = None if self.timeout_seconds is None else timedelta(seconds=self.timeout_seconds)
        return EntryStyle(EntryKind(self.kind), None if self.price is None else Price(self.price), timeout)


class RecoveryIn(In):
    """What the part chooses for itself of recovery; what is left out follows the settings. Money in USDT."""

    enabled: bool | None = None
    trigger_pnl: Amount | None = Field(None, description="A step is taken under this PnL; negative.")
    add_notional: Positive | None = Field(None, description="Position value that one step adds.")
    tp_usdt: Positive | None = None
    sl_usdt: Positive | None = None
    max_steps: int | None = Field(None, ge=1, le=100)
    max_loss: Positive | None = None

    def value(self) -> RecoveryChoice:
        return RecoveryChoice(**{name: getattr(self, name) for name in RecoveryChoice.__slots__})


class ReopenIn(In):
    """What the part chooses for itself of being opened again; what is left out follows the settings."""

    enabled: bool | None = None
    delay_minutes: int | None = Field(None, ge=1, le=60)
    max_cycles: int | None = Field(None, ge=1, le=1_000_000)
    loss_budget: Positive | None = Field(None, description="USDT")

    def value(self) -> ReopenChoice:
        delay = None if self.delay_minutes is None else timedelta(minutes=self.delay_minutes)
        return ReopenChoice(self.enabled, None, delay, self.max_cycles, self.loss_budget)


class DraftIn(In):
    """A position that somebody thinks of opening."""

    account: Account
    symbol: Symbol
    side: Literal["long", "short"]
    position_value: Positive = Field(description="Notional in USDT, leverage included.")
    leverage: Positive = Field(description="1 to what the contract and the settings allow.")
    take_profit: TargetIn | None = None
    stop_loss: TargetIn | None = Field(None, description="Without one nothing limits the loss but the liquidation.")
    entry: EntryIn = Field(default_factory=EntryIn)  # type: ignore[arg-type]
    strategy: Strategy = "api"
    recovery: RecoveryIn = Field(default_factory=RecoveryIn)  # type: ignore[arg-type]
    reopen: ReopenIn = Field(default_factory=ReopenIn)  # type: ignore[arg-type]
    when_refused: Literal["retry", "close", "alarm"] | None = Field(
        None, description="Where the exchange refuses the stop-loss; nothing: as the settings say."
    )

    def value(self) -> Draft:
        return Draft(
            account=self.account,
            symbol=self.symbol,
            side=Side(self.side),
            position_value=self.position_value,
            leverage=self.leverage,
            take_profit=None if self.take_profit is None else self.take_profit.value(),
            stop_loss=None if self.stop_loss is None else self.stop_loss.value(),
            entry=self.entry.value(),
            strategy=self.strategy,
            recovery=self.recovery.value(),
            reopen=self.reopen.value(),
            when_refused=None if self.when_refused is None else WhenRefused(self.when_refused),
        )


class OpenIn(DraftIn):
    """A position to be opened now, guarded by its take-profit and stop-loss from its first fill on."""

    again: bool = Field(
        False, description="A second part with the same strategy, symbol and side is refused unless this says it."
    )


class TargetsIn(In):
    """Both levels as they are to be; null takes one away."""

    take_profit: TargetIn | None
    stop_loss: TargetIn | None
    keep: bool = Field(False, description="They are the part's own from now on, in later cycles too.")


class CloseIn(In):
    """How much to close at market."""

    contracts: Positive | None = Field(None, description="Nothing: all of it.")
    reopen: bool = Field(False, description="Whole, it is opened again after its delay; otherwise closed for good.")


class SyncIn(In):
    account: Account


class LevelIn(In):
    account: Account
    level: Level
    why: str = Field("", max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="For the record.")


class BotIn(In):
    account: Account


class SignalIn(In):
    """A strategy's or an alert's wish. `open` opens a part; `close` closes every part of that strategy, symbol, side.

    Proof of who sends it: `secret` in here, or the header X-Perpdeck-Signature, or a token.
    """

    id: str = Field(min_length=1, max_length=128, pattern=r"^[\x20-\x7e]+$", description="The same id is one order.")
    time: datetime = Field(description="When it was sent, with its zone: {{timenow}} of TradingView.")
    max_age_seconds: int = Field(60, ge=1, le=600, description="Older than this it does nothing.")
    secret: str | None = Field(None, max_length=100, repr=False, description="The signal secret of a token.")
    action: Literal["open", "close"]
    account: Account
    symbol: str = Field(
        pattern=r"^([A-Z0-9]{1,20}:)?[A-Z0-9]{1,20}(-USDT-PERP|USDT(\.P)?)$",
        examples=["BTC-USDT-PERP", "BTCUSDT.P", "OKX:BTCUSDT.P"],
    )
    side: Literal["long", "short"]
    strategy: Strategy
    position_value: Positive | None = Field(None, description="USDT; needed to open.")
    leverage: Positive | None = Field(None, description="Needed to open.")
    take_profit: TargetIn | None = None
    stop_loss: TargetIn | None = None
    entry: EntryIn = Field(default_factory=EntryIn)  # type: ignore[arg-type]
    again: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.time.tzinfo is None:
            raise ValueError("time has no zone: 2026-01-31T12:00:00Z is allowed")
        if self.action == "open" and (self.position_value is None or self.leverage is None):
            raise ValueError("action open needs position_value and leverage")
        return self

    @property
    def contract(self) -> str:
        """Our name of the contract, whichever way it was written."""
        bare = self.symbol.rpartition(":")[2]
        return bare if bare.endswith("-USDT-PERP") else f"{bare.removesuffix('.P').removesuffix('USDT')}-USDT-PERP"

    def draft(self) -> Draft:
        assert self.position_value is not None, "checked above"
        assert self.leverage is not None, "checked above"
        return Draft(
            account=self.account,
            symbol=self.contract,
            side=Side(self.side),
            position_value=self.position_value,
            leverage=self.leverage,
            take_profit=None if self.take_profit is None else self.take_profit.value(),
            stop_loss=None if self.stop_loss is None else self.stop_loss.value(),
            entry=self.entry.value(),
            strategy=self.strategy,
        )
