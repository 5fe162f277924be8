"""Request schemas of execution styles: one for each style, told apart by `kind`.

A field that a style does not have is refused, so that nothing is sent that would silently be ignored.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from core.api.fields import EXACT, In, Positive, told
from core.domain.intent import AtEnd, ExecutionKind, ExecutionStyle

KIND = "kind "  #: a style's place in an error begins so; see `core.api.problems`
SPANS = ("timeout", "reprice", "duration", "refresh")

AtEndIn = Annotated[
    Literal["stop", "market"], Field(description="What is missing then: it is left, or ordered at market.")
]
Timeout = Annotated[
    int | None, Field(ge=1, le=30 * 86400, description="What has not filled by then is cancelled. Nothing: no end.")
]
Price = Annotated[Positive | None, Field(description="Nothing: our own side of the book at that moment.")]
Follow = Annotated[
    Decimal,
    EXACT,
    Field(ge=0, le=Decimal("0.05"), description="How far repricing may give way, as a share of the price."),
    told(minimum=0, maximum=0.05),
]
Randomness = Annotated[
    Decimal,
    EXACT,
    Field(ge=0, le=Decimal("0.5"), description="Slices' sizes and times differ by up to this share."),
    told(minimum=0, maximum=0.5),
]
Visible = Annotated[
    Decimal,
    EXACT,
    Field(ge=Decimal("0.01"), le=1, description="The share of the whole that is shown at once."),
    told(minimum=0.01, maximum=1),
]


class MarketIn(In):
    """One order that fills at once."""

    kind: Literal["market"] = "market"


class StepLimitIn(In):
    """One limit order at our own side of the book."""

    kind: Literal["limit"]
    timeout_seconds: Timeout = None
    at_end: AtEndIn = "stop"
    reprice_seconds: int | None = Field(
        None, ge=1, le=86400, description="Unfilled for so long it is moved to our own side of the book."
    )
    follow: Follow | None = None


class LimitIn(StepLimitIn):
    """One limit order."""

    price: Positive


class TwapIn(In):
    """Slices spread over a span of time."""

    kind: Literal["twap"]
    duration_seconds: int = Field(ge=10, le=86400)
    slices: int = Field(ge=2, le=500, description="Fewer where they would be smaller than the smallest order.")
    randomness: Randomness | None = None
    passive: bool = Field(False, description="Slices are limit orders at our own side of the book.")
    at_end: AtEndIn = "stop"


class StepIcebergIn(In):
    """A limit order at our own side of the book, of which only a share is shown."""

    kind: Literal["iceberg"]
    visible: Visible
    refresh_seconds: int | None = Field(
        None, ge=1, le=3600, description="What is shown is placed anew at the newest price after so long."
    )
    timeout_seconds: Timeout = None
    at_end: AtEndIn = "stop"


class IcebergIn(StepIcebergIn):
    """A limit order of which only a share is shown."""

    price: Price = None


def _kind(given: Any) -> str:
    found = given.get("kind", "market") if isinstance(given, dict) else getattr(given, "kind", "market")
    return f"{KIND}{found}" if isinstance(found, str) else KIND


_ONE = Discriminator(
    _kind,
    custom_error_type="kind",
    custom_error_message="kind market, limit, twap or iceberg is allowed",
)
Style = Annotated[
    Annotated[MarketIn, Tag("kind market")]
    | Annotated[LimitIn, Tag("kind limit")]
    | Annotated[TwapIn, Tag("kind twap")]
    | Annotated[IcebergIn, Tag("kind iceberg")],
    _ONE,
]
StepStyle = Annotated[
    Annotated[MarketIn, Tag("kind market")]
    | Annotated[StepLimitIn, Tag("kind limit")]
    | Annotated[TwapIn, Tag("kind twap")]
    | Annotated[StepIcebergIn, Tag("kind iceberg")],
    _ONE,
]


def style(given: MarketIn | StepLimitIn | TwapIn | StepIcebergIn | None) -> ExecutionStyle:
    """Return the execution style of a request; nothing means at market."""
    if given is None:
        return ExecutionStyle()
    said = {name: value for name, value in given.model_dump(exclude={"kind"}).items() if value is not None}
    for name in SPANS:
        if f"{name}_seconds" in said:
            said[name] = timedelta(seconds=said.pop(f"{name}_seconds"))
    if "at_end" in said:
        said["at_end"] = AtEnd(said["at_end"])
    return ExecutionStyle(kind=ExecutionKind(given.kind), **said)
