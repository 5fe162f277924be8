"""Draws the dashboard's own elements: figures, tables, badges, and placeholders where there is nothing to draw.

Drawing only. `live` is the one way in which a piece of a page refreshes itself; a failed read becomes a
sentence that says what happened, what protects the positions now and what the trader can do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from functools import partial, wraps
from html import escape
from typing import Any, ParamSpec

import streamlit as st
from streamlit import column_config as columns

from core.domain.errors import Misconfigured, PerpdeckError
from core.domain.reason import Reason
from core.domain.snapshot import AccountSnapshot
from core.i18n import translate
from core.i18n.translate import _
from core.services.safety.levels import BotStatus
from core.ui import session
from core.ui.presenters import positions
from core.ui.presenters.charts import FADED, GAIN, LOSS
from core.ui.presenters.format import NOTHING, Figure, age, places_of

P = ParamSpec("P")
REFRESH_SECONDS = 2
FEW = 6
ROWS_AT_ONCE, ROW_PIXELS = 24, 35  #: a longer table scrolls within itself

BADGES = {
    "running": (":material/play_circle:", "blue"),
    "starting": (":material/pending:", "orange"),
    "stopped": (":material/stop_circle:", "gray"),
    "elsewhere": (":material/cloud_sync:", "blue"),
    "dead": (":material/heart_broken:", "orange"),
}


@contextmanager
def reading() -> Iterator[None]:
    """Draw an error panel in place of what could not be read."""
    try:
        yield
    except PerpdeckError as error:
        told = "\n\n".join(session.reasons(error))
        if isinstance(error, Misconfigured):
            st.error(told, title=_("Something is set up in a way that cannot work"), icon=":material/error:")
            return
        st.error(
            _(
                "{what}\n\nStops and targets that rest on the exchange go on guarding your positions. "
                "This page tries again by itself; if it stays away, look at the terminal in which Perpdeck runs.",
                what=told,
            ),
            title=_("This could not be read just now"),
            icon=":material/cloud_off:",
        )


@st.fragment(run_every=REFRESH_SECONDS)
def until_it_answers() -> None:
    """Draw the whole page anew once the services answer again."""
    try:
        session.services().accounts.list()
    except PerpdeckError:
        return
    st.rerun()


def live(draw: Callable[P, None]) -> Callable[P, None]:
    """Make a fragment of a page that redraws itself every two seconds."""
    return _live(draw, reading)


def live_slowly(seconds: int) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Make a fragment that redraws itself at a pace of its own, for what is looked at with the mouse: each redraw
    resets a chart's zoom.
    """
    return lambda draw: _live(draw, reading, seconds)


def live_line(draw: Callable[P, None]) -> Callable[P, None]:
    """Make such a fragment for a narrow place, where a failed read is one badge with its reason on hovering."""
    return _live(draw, _badge_instead)


@contextmanager
def _badge_instead() -> Iterator[None]:
    try:
        yield
    except PerpdeckError as error:
        st.markdown(f":orange-badge[:material/cloud_off: {_('No answer')}]", help=" ".join(session.reasons(error)))


def _live(
    draw: Callable[P, None], guard: Callable[[], AbstractContextManager[None]], seconds: int = REFRESH_SECONDS
) -> Callable[P, None]:
    @wraps(draw)
    def safely(*args: P.args, **kwargs: P.kwargs) -> None:
        with guard():
            draw(*args, **kwargs)

    fragment: Callable[P, None] = st.fragment(safely, run_every=seconds)
    return fragment


def figures(shown: Sequence[Figure], min_width: int = 132, below: str = "") -> None:
    """Draw labelled numbers side by side, as many to a row as fit, and a line of Markdown below: one element in all."""
    st.markdown(figures_markdown(shown, min_width) + below, unsafe_allow_html=True, anchors=False)


def figures_markdown(shown: Sequence[Figure], min_width: int) -> str:
    """Return the grid as Markdown within two kinds of box; whatever the figures say is text and never a tag."""
    cells = "".join(f"<div>\n\n{_cell(figure)}\n\n</div>\n" for figure in shown)
    columns = f"repeat(auto-fill,minmax({min_width}px,1fr))"
    return f'<div style="display:grid;gap:0.5rem 1rem;grid-template-columns:{columns}">\n{cells}</div>\n\n'


def _cell(figure: Figure) -> str:
    label, value, note = (escape(words, quote=False) for words in (figure.label, figure.value, figure.note))
    return f":small[:gray[{label}]]  \n**{value}**" + (f"  \n:small[:gray[{note}]]" if note else "")


def metrics(shown: Sequence[Figure]) -> None:
    """Draw the account's large numbers, each in a card."""
    with st.grid(len(shown), min_column_width=150, gap="xsmall", border=True):
        for figure in shown:
            st.metric(figure.label, figure.value, help=figure.note or None)


def table(
    shown: Sequence[Mapping[str, str | Decimal | None]],
    alt: str,
    tinted: Sequence[str] = (),
    money: Sequence[str] = (),
    stale: bool = False,
    drop_empty: bool = False,
) -> None:
    """Draw rows as a table; numbers to the right, `money` with two places, `tinted` green or red, all grey
    when stale.
    """
    import pandas as pd

    frame = pd.DataFrame(list(shown), dtype="object")
    if drop_empty:
        frame = frame[[name for name in frame.columns if not frame[name].isin([NOTHING, None]).all()]]
    specs = {name: _spec(list(frame[name]), 2 if name in money else None) for name in frame.columns}
    config = {
        name: _column(list(frame[name]), specs[name], pinned=number == 0) for number, name in enumerate(frame.columns)
    }
    coloured: Any = [name for name in tinted if name in frame.columns]
    drawn: Any = frame  # a style is made cell by cell, so a table without colours does without
    if stale:
        drawn = frame.style.map(lambda value: f"color: {FADED}")
    elif coloured:
        drawn = frame.style.map(_tint, subset=coloured)
    if translate.speech().own_signs:
        styled = frame.style if drawn is frame else drawn
        for name, spec in specs.items():
            drawn = styled if spec is None else styled.format(partial(_written, spec), subset=[name])
    height: Any = "content" if len(shown) <= ROWS_AT_ONCE else ROWS_AT_ONCE * ROW_PIXELS
    st.dataframe(drawn, hide_index=True, column_config=config, alt=alt, height=height, placeholder=NOTHING)


def _spec(cells: Sequence[str | Decimal | None], places: int | None) -> str | None:
    """Return the format of a column of numbers, with as many places as the finest of them; None for a column
    of text.
    """
    numbers = [cell for cell in cells if isinstance(cell, Decimal)]
    if not numbers:
        return None
    return f",.{places if places is not None else min(max(map(places_of, numbers)), 8)}f"


def _column(cells: Sequence[str | Decimal | None], spec: str | None, pinned: bool) -> Any:
    """Return a column that sorts decimals as numbers, whatever signs they are written with; text like a number sits
    right.
    """
    if spec:
        return columns.NumberColumn(format=None if translate.speech().own_signs else f"%{spec}")
    right = all(cell == NOTHING or _number(str(cell)) is not None for cell in cells)
    return columns.TextColumn(alignment="right" if right and not pinned else "left", pinned=pinned)


def _written(spec: str, cell: object) -> str:
    return translate.number(cell, spec) if isinstance(cell, Decimal) else NOTHING


def _number(text: str) -> Decimal | None:
    bare = translate.speech().read(text).removesuffix(" %").lstrip("+")
    return Decimal(bare) if re.fullmatch(r"-?\d+(\.\d+)?", bare) else None


def _tint(cell: object) -> str:
    amount = _number(str(cell))
    return "" if not amount else f"color: {GAIN if amount > 0 else LOSS}"


def choice(
    label: str,
    options: Sequence[Any],
    key: str,
    words: Callable[[Any], str],
    on_change: Callable[[], None] | None = None,
) -> None:
    """Draw a choice: few options side by side, many as a list. The answer is in the session under `key`."""
    if len(options) <= FEW:
        st.segmented_control(
            label,
            options,
            key=key,
            format_func=words,
            required=True,
            persist_state="session",
            on_change=on_change or "rerun",
        )
    else:
        st.selectbox(
            label, options, key=key, format_func=words, persist_state="session", on_change=on_change or "rerun"
        )


def bot_words(status: BotStatus) -> str:
    """Return the bot's state as a badge in Markdown."""
    icon, color = BADGES[status.state]
    return f":{color}-badge[{icon} {positions.bot_words(status.state)}]"


def bot_badge(status: BotStatus) -> None:
    """Draw the bot's state in one badge and its own words on hovering."""
    st.markdown(bot_words(status), help=translate.told(status.words) or None)


def protection_pill(snapshot: AccountSnapshot | None, key: str = "protection_pill") -> None:
    """Draw how many of the parts that hold something have their stop on the exchange."""
    with st.container(key=key, width="content"):
        st.markdown(protection_words(snapshot), help=(positions.bare_words(snapshot) if snapshot else "") or None)


def protection_words(snapshot: AccountSnapshot | None) -> str:
    """Return that badge as Markdown."""
    if snapshot is None:
        return positions.protection_badge(None)
    now = session.now()
    return positions.protection_badge(snapshot, age(snapshot.age(now)) if snapshot.stale(now) else "")


def complaints(problems: Iterable[Reason]) -> None:
    """Draw what is wrong with a field, below it."""
    for words in problems:
        st.markdown(f":small[:orange[:material/error: {translate.told(words)}]]")


def empty(title: str, words: str, page: str = "", label: str = "", icon: str = ":material/inbox:") -> None:
    """Draw a placeholder where nothing is yet: why, and the next step."""
    with st.container(border=True, horizontal_alignment="center", gap="xsmall"):
        st.space("small")
        st.markdown(f"### :gray[{icon}]", text_alignment="center", anchors=False)
        st.markdown(f"**{title}**", text_alignment="center")
        st.caption(words, text_alignment="center")
        if page:
            st.page_link(page, label=label, icon=":material/arrow_forward:", icon_position="right")
        st.space("small")


def refusals() -> None:
    """Draw why the last click was refused, once."""
    words = "\n\n".join(session.refusal())
    if words:
        st.error(words, title=_("The last click was not carried out"), icon=":material/block:")


def flash() -> None:
    """Draw the result of the last action, once: a toast, or a line with the page to go to."""
    told = session.said()
    if told is None:
        return
    if not told.page:
        st.toast(told.words, icon=":material/check_circle:")
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/check_circle: {told.words}")
        st.page_link(told.page, label=told.page_label, icon=":material/arrow_forward:", icon_position="right")


def freshness(snapshot: AccountSnapshot) -> bool:
    """Draw the snapshot's age in grey, or a warning when it is stale; True when stale."""
    now = session.now()
    passed = age(snapshot.age(now))
    if not snapshot.stale(now):
        st.caption(_("Seen on the exchange {age} ago", age=passed), width="content")
        return False
    runs = snapshot.bot.running
    st.warning(
        _(
            "The numbers below are {age} old and may no longer be true. What rests on the exchange goes on "
            "guarding your positions.",
            age=passed,
        )
        + " "
        + (_("The bot tries again by itself; Safety shows why.") if runs else _("Start the bot to read them anew.")),
        title=_("Stale picture"),
        icon=":material/schedule:",
    )
    return True


def notices(snapshot: AccountSnapshot) -> None:
    """Draw alarms, and sources that are not well."""
    account, now = snapshot.account, session.now()
    for alarm in snapshot.alarms:
        words = positions.alarm_words(account, alarm.subject, alarm.words, alarm.raised_at, now)
        st.warning(words, icon=":material/notifications:")
    for line in positions.health_lines(snapshot):
        st.warning(line, icon=":material/wifi_off:")


def summary(shown: dict[str, str]) -> None:
    """Draw what is about to be asked for, line by line, in a confirm dialog."""
    st.table(shown, border="horizontal", hide_header=True)
