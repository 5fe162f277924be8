"""Request bodies, with units and ranges. Numbers are exact, whether they are sent as numbers or as text.

Ranges here are those that hold always; what the contract, the account and the settings allow is said by the same
check as on the pages, when something is asked for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from core.api.execution_styles import StepStyle, Style, style
from core.api.fields import Amount, In, Positive, within
from core.domain.account import Level
from core.domain.instrument import Side, TriggerBy
from core.domain.intent import (
    RecoveryChoice,
    ReopenChoice,
    Target,
    WhenRefused,
)
from core.domain.money import Price
from core.services.trading.requests import Draft

NAME = r"^[A-Za-z0-9][A-Za-z0-9 ._:/-]*$"
Symbol = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,20}-USDT-PERP$", examples=["BTC-USDT-PERP"])]
Strategy = Annotated[str, Field(min_length=1, max_length=40, pattern=NAME, examples=["breakout"])]
Unguarded = Annotated[
    Literal["retry", "close", "alarm"] | None,
    Field(description="Where the exchange refuses the stop-loss; nothing: as the settings say."),
]
Account = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$", examples=["paper-okx"])]


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


class RecoveryIn(In):
    """A part's own choices of recovery; what is left out follows the settings. Money in USDT."""

    enabled: bool | None = None
    trigger_pnl: Amount | None = Field(None, description="A step is taken under this PnL; negative.")
    add_notional: Positive | None = Field(None, description="Position value that one step adds.")
    tp_usdt: Positive | None = None
    sl_usdt: Positive | None = None
    max_steps: Annotated[int, within("recovery_max_steps")] | None = None
    max_loss: Positive | None = None
    style: StepStyle | None = Field(None, description="How a step is worked; nothing: as the settings say.")

    def value(self) -> RecoveryChoice:
        own = {name: getattr(self, name) for name in RecoveryChoice.__slots__ if name != "style"}
        return RecoveryChoice(**own, style=None if self.style is None else style(self.style))


class ReopenIn(In):
    """A part's own choices of reopening; what is left out follows the settings."""

    enabled: bool | None = None
    delay_minutes: Annotated[int, within("reopen_delay_minutes")] | None = None
    max_cycles: Annotated[int, within("reopen_max_cycles")] | None = None
    loss_budget: Positive | None = Field(None, description="USDT")

    def value(self) -> ReopenChoice:
        delay = None if self.delay_minutes is None else timedelta(minutes=self.delay_minutes)
        return ReopenChoice(self.enabled, None, delay, self.max_cycles, self.loss_budget)


class DraftIn(In):
    """A position that may be opened."""

    account: Account
    symbol: Symbol
    side: Literal["long", "short"]
    position_value: Positive = Field(description="Notional in USDT, leverage included.")
    leverage: Positive = Field(description="1 to what the contract and the settings allow.")
    take_profit: TargetIn | None = None
    stop_loss: TargetIn | None = Field(None, description="Without one nothing limits the loss but the liquidation.")
    entry: Style | None = Field(None, description="How it is entered; nothing: at market.")
    strategy: Strategy = "api"
    recovery: RecoveryIn = Field(default_factory=RecoveryIn)  # type: ignore[arg-type]
    reopen: ReopenIn = Field(default_factory=ReopenIn)  # type: ignore[arg-type]
    when_refused: Unguarded = None

    def value(self) -> Draft:
        return _draft(self, self.symbol, self.position_value, self.leverage)


class OpenIn(DraftIn):
    """A position to be opened now, guarded by its take-profit and stop-loss from its first fill on."""

    again: bool = Field(
        False, description="A second part with the same strategy, symbol and side is refused unless this says it."
    )


class TargetsIn(In):
    """New take-profit and stop-loss; null takes one away."""

    take_profit: TargetIn | None
    stop_loss: TargetIn | None
    keep: bool = Field(False, description="They are the part's own from now on, in later cycles too.")


class CloseIn(In):
    """A request to close a part: how much, and how."""

    contracts: Positive | None = Field(None, description="Nothing: all of it.")
    reopen: bool = Field(False, description="Whole, it is opened again after its delay; otherwise closed for good.")
    style: Style | None = Field(
        None, description="How it is closed; nothing: at market. What a style leaves over is closed at market."
    )


class RunIn(In):
    """An instruction to an execution under way."""

    do: Literal["finish", "take_back"] = Field(description="Its rest at market now, or not at all.")


class SyncIn(In):
    account: Account


class LevelIn(In):
    account: Account
    level: Level
    why: str = Field("", max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="For the record.")


class BotIn(In):
    account: Account


class SignalIn(In):
    """A signal of a strategy or an alert. `open` opens a part; `close` closes every part of that strategy, symbol,
    side, and opens none of them again.

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
    entry: Style | None = Field(None, description="How it is entered; nothing: at market.")
    recovery: RecoveryIn = Field(default_factory=RecoveryIn)  # type: ignore[arg-type]
    reopen: ReopenIn = Field(default_factory=ReopenIn)  # type: ignore[arg-type]
    when_refused: Unguarded = None
    again: bool = Field(False, description="Open another part beside one with the same strategy, symbol and side.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.time.tzinfo is None:
            raise ValueError("time has no zone: 2026-01-31T12:00:00Z is allowed")
        if self.action == "open" and (self.position_value is None or self.leverage is None):
            raise ValueError("action open needs position_value and leverage")
        return self

    @property
    def contract(self) -> str:
        """Return our name of the contract, whichever way it was written."""
        bare = self.symbol.rpartition(":")[2]
        return bare if bare.endswith("-USDT-PERP") else f"{bare.removesuffix('.P').removesuffix('USDT')}-USDT-PERP"

    def draft(self) -> Draft:
        assert self.position_value is not None, "checked above"
        assert self.leverage is not None, "checked above"
        return _draft(self, self.contract, self.position_value, self.leverage)


def _draft(asked: DraftIn | SignalIn, symbol: str, value: Decimal, leverage: Decimal) -> Draft:
    return Draft(
        account=asked.account,
        symbol=symbol,
        side=Side(asked.side),
        position_value=value,
        leverage=leverage,
        take_profit=None if asked.take_profit is None else asked.take_profit.value(),
        stop_loss=None if asked.stop_loss is None else asked.stop_loss.value(),
        entry=style(asked.entry),
        strategy=asked.strategy,
        recovery=asked.recovery.value(),
        reopen=asked.reopen.value(),
        when_refused=None if asked.when_refused is None else WhenRefused(asked.when_refused),
    )
