"""The user stream of the Binance side: its key, which events come, in which order, and what faults do to them."""

from collections.abc import Callable, Iterator

import pytest

from tests.simulator.binance.algo import conditional, found, stop, target
from tests.simulator.binance.client import BinanceClient
from tests.simulator.binance_stream.socket import BinanceSocket
from tests.simulator.okx.client import BTC
from tests.simulator_process import SimulatorProcess

Opening = Callable[[str], BinanceSocket]


@pytest.fixture
def opening(sim: SimulatorProcess) -> Iterator[Opening]:
    """Opens sockets at a path."""
    opened: list[BinanceSocket] = []

    def at(path: str) -> BinanceSocket:
        opened.append(BinanceSocket(sim.ws_url, path))
        return opened[-1]

    yield at
    for socket in opened:
        socket.close()


def key_of(client: BinanceClient) -> str:
    return str(client.send("POST", "v1/listenKey").ok["listenKey"])


@pytest.fixture
def user(binance: BinanceClient, opening: Opening) -> BinanceSocket:
    """The account's own stream."""
    return opening(f"private/ws?listenKey={key_of(binance)}")


# -- the key


def test_one_key_lives_an_hour_and_is_extended_by_asking_again(sim: SimulatorProcess, binance: BinanceClient) -> None:
    first = key_of(binance)
    assert len(first) == 64
    sim.clock(3000)
    assert key_of(binance) == first
    sim.clock(3000)
    assert binance.send("PUT", "v1/listenKey").ok == {"listenKey": first}
    sim.clock(3000)
    assert binance.send("PUT", "v1/listenKey", body="listenKey=whatever").ok == {"listenKey": first}
    sim.clock(3601)
    assert binance.send("PUT", "v1/listenKey").code == -1125
    assert key_of(binance) != first
    assert binance.send("DELETE", "v1/listenKey").ok == {}
    assert binance.send("PUT", "v1/listenKey").code == -1125


def test_a_key_needs_an_api_key(sim: SimulatorProcess) -> None:
    with BinanceClient(sim.base_url) as nobody:
        answer = nobody.send("POST", "v1/listenKey")
        assert (answer.http, answer.code) == (401, -2014)


def test_an_expired_key_is_told_and_then_there_is_silence(
    sim: SimulatorProcess, binance: BinanceClient, user: BinanceSocket
) -> None:
    key = key_of(binance)
    sim.clock(3601)
    assert user.event("listenKeyExpired")["listenKey"] == key
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    assert user.silent()


def test_a_deleted_key_silences_everybody(binance: BinanceClient, user: BinanceSocket) -> None:
    binance.send("DELETE", "v1/listenKey")
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    assert user.silent()


def test_the_key_outlives_a_power_cut() -> None:
    with SimulatorProcess() as sim:
        with BinanceClient(sim.base_url, sim.binance) as client:
            key = key_of(client)
        sim.kill9()
        sim.start()
        with BinanceClient(sim.base_url, sim.binance) as client:
            assert key_of(client) == key


# -- addresses


@pytest.mark.parametrize(
    ("path", "delivers"),
    [
        ("private/ws?listenKey={}", True),
        ("private/ws/{}", True),
        ("private/stream?streams={}", True),
        ("private/stream?listenKey={}", True),
        ("ws?listenKey={}", True),
        ("stream?streams={}", True),
        ("ws/{}", False),
        ("public/ws/{}", False),
        ("market/ws?listenKey={}", False),
    ],
)
def test_where_the_key_may_stand(binance: BinanceClient, opening: Opening, path: str, delivers: bool) -> None:
    key = key_of(binance)
    socket = opening(path.format(key))
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    if not delivers:
        assert socket.silent()
        return
    first = socket.receive()
    assert ("stream" in first) == ("/stream" in f"/{path}")
    assert first.get("stream", key) == key


def test_the_key_may_be_subscribed_to(binance: BinanceClient, opening: Opening) -> None:
    key = key_of(binance)
    socket = opening("private/stream")
    assert socket.ask("SUBSCRIBE", key) == {"result": None, "id": 1}
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    assert socket.receive()["stream"] == key


def test_the_old_address_of_the_demo_side_delivers_and_may_be_switched(
    sim: SimulatorProcess, binance: BinanceClient, opening: Opening
) -> None:
    sim.switches(binance_flavour="demo")
    old = opening(f"ws/{key_of(binance)}")
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    assert old.event("ORDER_TRADE_UPDATE", X="FILLED")
    sim.switches(binance_legacy_streams="public_only")
    queried = opening(f"ws?listenKey={key_of(binance)}")
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    assert queried.silent()
    sim.switches(binance_legacy_streams="deliver", binance_flavour="live")
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    assert queried.event("ORDER_TRADE_UPDATE", X="FILLED")


def test_the_address_may_choose_events(binance: BinanceClient, opening: Opening) -> None:
    socket = opening(f"private/ws?listenKey={key_of(binance)}&events=ORDER_TRADE_UPDATE")
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    assert socket.names("ORDER_TRADE_UPDATE", X="FILLED") == ["ORDER_TRADE_UPDATE NEW", "ORDER_TRADE_UPDATE FILLED"]


def test_two_connections_both_hear_everything(binance: BinanceClient, user: BinanceSocket, opening: Opening) -> None:
    other = opening(f"private/ws?listenKey={key_of(binance)}")
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    assert user.event("ORDER_TRADE_UPDATE", X="FILLED") == other.event("ORDER_TRADE_UPDATE", X="FILLED")


# -- orders and fills


def test_a_fill_is_told_first_of_all_in_short(
    sim: SimulatorProcess, binance: BinanceClient, user: BinanceSocket
) -> None:
    placed = binance.market("BTCUSDT", "BUY", "LONG", "0.010", newClientOrderId="m-1").ok
    assert user.names("ORDER_TRADE_UPDATE", X="FILLED") == [
        "ORDER_TRADE_UPDATE NEW", "TRADE_LITE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE FILLED",
    ]  # fmt: skip
    new, lite, account, filled = user.seen
    trade = binance.get("v1/userTrades", symbol="BTCUSDT").ok[-1]
    assert (new["o"]["x"], new["o"]["z"], new["o"]["t"]) == ("NEW", "0.000", 0)
    assert "n" not in new["o"]
    assert set(lite) == set("eETsqpmcSLlti")
    assert (lite["t"], lite["i"], lite["c"]) == (trade["id"], placed["orderId"], "m-1")
    order = filled["o"]
    assert (order["x"], order["X"], order["i"], order["c"]) == ("TRADE", "FILLED", placed["orderId"], "m-1")
    assert (order["t"], order["L"], order["l"], order["ps"]) == (trade["id"], "100000.1", "0.010", "LONG")
    assert (order["N"], float(order["n"])) == ("USDT", float(trade["commission"]))
    assert (order["er"], order["R"], order["rp"]) == ("0", False, "0")
    rows = {row["ps"]: row for row in account["a"]["P"]}
    assert (account["a"]["m"], rows["LONG"]["pa"], rows["SHORT"]["pa"], rows["BOTH"]["pa"]) == (
        "ORDER", "0.010", "0.000", "0.000",
    )  # fmt: skip
    assert float(account["a"]["B"][0]["wb"]) == float(binance.usdt()["balance"])


def test_the_order_of_the_events_of_a_fill_is_a_switch(
    sim: SimulatorProcess, binance: BinanceClient, user: BinanceSocket
) -> None:
    sim.switches(binance_account_first=False, binance_trade_lite_first=False)
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    assert user.names("TRADE_LITE") == [
        "ORDER_TRADE_UPDATE NEW", "ORDER_TRADE_UPDATE FILLED", "ACCOUNT_UPDATE", "TRADE_LITE",
    ]  # fmt: skip


def test_a_short_is_below_zero_and_an_ordinary_cancel_tells_of_no_account(
    binance: BinanceClient, user: BinanceSocket
) -> None:
    binance.market("BTCUSDT", "SELL", "SHORT", "0.010")
    rows = {row["ps"]: row["pa"] for row in user.event("ACCOUNT_UPDATE")["a"]["P"]}
    assert rows["SHORT"] == "-0.010"
    user.event("ORDER_TRADE_UPDATE", X="FILLED")
    binance.limit("BTCUSDT", "BUY", "LONG", "0.010", "99000", newClientOrderId="l-1")
    binance.put("v1/order", symbol="BTCUSDT", side="BUY", origClientOrderId="l-1", quantity="0.020", price="99000").ok  # noqa: B018
    binance.delete("v1/order", symbol="BTCUSDT", origClientOrderId="l-1")
    begin = len(user.seen)
    assert user.event("ORDER_TRADE_UPDATE", x="CANCELED")["o"]["X"] == "CANCELED"
    assert [one["o"]["x"] for one in user.seen[begin:]] == ["NEW", "AMENDMENT", "CANCELED"]


def test_an_end_by_the_exchange_has_its_reason(binance: BinanceClient, user: BinanceSocket) -> None:
    binance.limit("BTCUSDT", "BUY", "LONG", "0.010", "99000", timeInForce="IOC")
    order = user.event("ORDER_TRADE_UPDATE", X="EXPIRED")["o"]
    assert (order["x"], order["er"]) == ("EXPIRED", "2")


def test_fees_in_bnb_move_both_balances(sim: SimulatorProcess, binance: BinanceClient, user: BinanceSocket) -> None:
    sim.switches(binance_fee_asset="BNB")
    sim.intervene("deposit", account="binance", amount="5", asset="BNB")
    user.event("ACCOUNT_UPDATE")
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    assert {row["a"] for row in user.event("ACCOUNT_UPDATE")["a"]["B"]} == {"USDT", "BNB"}
    assert user.event("ORDER_TRADE_UPDATE", X="FILLED")["o"]["N"] == "BNB"


# -- the account


def test_settings_are_told(binance: BinanceClient, user: BinanceSocket) -> None:
    binance.post("v1/leverage", symbol="BTCUSDT", leverage="7")
    assert user.event("ACCOUNT_CONFIG_UPDATE")["ac"] == {"s": "BTCUSDT", "l": 7}
    binance.post("v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
    told = user.event("ACCOUNT_UPDATE")["a"]
    assert (told["m"], {row["mt"] for row in told["P"]}) == ("MARGIN_TYPE_CHANGE", {"isolated"})
    binance.post("v1/marginType", symbol="BTCUSDT", marginType="CROSSED")
    binance.post("v1/multiAssetsMargin", multiAssetsMargin="true")
    assert user.event("ACCOUNT_CONFIG_UPDATE")["ai"] == {"j": True}


@pytest.mark.parametrize(("margin", "rows"), [("CROSSED", 0), ("ISOLATED", 3)])
def test_funding_names_the_position_only_where_it_is_isolated(
    sim: SimulatorProcess, binance: BinanceClient, opening: Opening, margin: str, rows: int
) -> None:
    if margin == "ISOLATED":
        binance.post("v1/marginType", symbol="BTCUSDT", marginType=margin)
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    sim.clock(8 * 3600 - 600 - 3600)
    user = opening(f"private/ws?listenKey={key_of(binance)}")
    for _ in range(4):
        sim.clock(1200)
        binance.send("PUT", "v1/listenKey")
    told = user.event("ACCOUNT_UPDATE")["a"]
    assert (told["m"], told["S"], len(told["P"])) == ("FUNDING_FEE", "BTCUSDT", rows)
    income = binance.get("v1/income", incomeType="FUNDING_FEE").ok[-1]
    assert float(told["B"][0]["bc"]) == float(income["income"])


def test_a_liquidation_announces_itself(sim: SimulatorProcess, binance: BinanceClient, user: BinanceSocket) -> None:
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    sim.intervene("liquidate", account="binance", instId=BTC, posSide="long")
    user.event("ORDER_TRADE_UPDATE", X="FILLED")
    begin = len(user.seen)
    order = user.event("ORDER_TRADE_UPDATE", X="FILLED")["o"]
    assert order["c"].startswith("autoclose-")
    assert (order["x"], order["S"], order["ps"]) == ("CALCULATED", "SELL", "LONG")
    first = user.seen[begin]["o"]
    assert (first["x"], first["X"], first["c"]) == ("NEW", "NEW", order["c"])


def test_deleveraging_has_its_own_name(sim: SimulatorProcess, binance: BinanceClient, user: BinanceSocket) -> None:
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    sim.intervene("adl", account="binance", instId=BTC, posSide="long", sz="0.004")
    assert user.event("ORDER_TRADE_UPDATE", c="adl_autoclose", X="FILLED")["o"]["z"] == "0.004"


def test_a_margin_call_comes_once_before_the_end(
    sim: SimulatorProcess, binance: BinanceClient, user: BinanceSocket
) -> None:
    binance.post("v1/leverage", symbol="BTCUSDT", leverage="50")
    binance.market("BTCUSDT", "BUY", "LONG", "20").ok  # noqa: B018
    owned = float(sim.state()["binance"]["accounts"]["binance"]["balance"])
    sim.price(BTC, str(round(100000 - owned * 0.80 / 20, 1)))
    call = user.event("MARGIN_CALL")
    assert (call["p"][0]["s"], call["p"][0]["ps"], call["p"][0]["pa"]) == ("BTCUSDT", "LONG", "20.000")


# -- conditional orders


def test_a_conditional_order_from_its_placement_to_its_end(
    sim: SimulatorProcess, binance: BinanceClient, user: BinanceSocket
) -> None:
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    user.event("ORDER_TRADE_UPDATE", X="FILLED")
    stop(binance, clientAlgoId="s-1", workingType="MARK_PRICE")
    new = user.event("ALGO_UPDATE")["o"]
    assert (new["X"], new["caid"], new["o"], new["q"], new["tp"]) == ("NEW", "s-1", "STOP_MARKET", "0.010", "99000")
    assert (new["ai"], new["aq"], new["wt"], new["at"]) == ("", "0.00000", "MARK_PRICE", "CONDITIONAL")
    sim.price(BTC, "98900")
    assert user.names("ALGO_UPDATE", X="FINISHED") == [
        "ALGO_UPDATE TRIGGERING", "ALGO_UPDATE TRIGGERED", "ORDER_TRADE_UPDATE NEW", "TRADE_LITE", "ACCOUNT_UPDATE",
        "ORDER_TRADE_UPDATE FILLED", "ALGO_UPDATE FINISHED",
    ]  # fmt: skip
    triggering, triggered, child, *_, filled, finished = [one.get("o", {}) for one in user.seen[-7:]]
    assert (triggering["ai"], triggered["ai"], triggered["act"]) == ("", str(child["i"]), "MARKET")
    assert (child["c"], child["o"], child["sp"]) == ("s-1", "MARKET", "99000")
    assert (finished["aq"], float(finished["ap"])) == ("0.01000", float(filled["ap"]))


def test_the_plain_order_may_be_told_before_its_trigger(
    sim: SimulatorProcess, binance: BinanceClient, user: BinanceSocket
) -> None:
    sim.switches(binance_child_first=True)
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    target(binance, clientAlgoId="t-1")
    user.event("ALGO_UPDATE", X="NEW")
    sim.price(BTC, "101100")
    assert user.names("ALGO_UPDATE", X="FINISHED")[:3] == [
        "ALGO_UPDATE TRIGGERING", "ORDER_TRADE_UPDATE NEW", "ALGO_UPDATE TRIGGERED",
    ]  # fmt: skip


def test_a_rejection_says_why(sim: SimulatorProcess, binance: BinanceClient, user: BinanceSocket) -> None:
    stop(binance, clientAlgoId="s-1")
    sim.price(BTC, "98900")
    told = user.event("ALGO_UPDATE", X="REJECTED")["o"]
    assert (told["rm"], told["ai"]) == ("Reduce Only reject", "")


def test_an_expiry_is_told_by_the_algo_service_alone(
    sim: SimulatorProcess, binance: BinanceClient, user: BinanceSocket
) -> None:
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    stop(binance, clientAlgoId="all", closePosition="true")
    binance.market("BTCUSDT", "SELL", "LONG", "0.010")
    user.event("ORDER_TRADE_UPDATE", X="FILLED", S="SELL")
    sim.clock(1)
    assert user.names("ALGO_UPDATE", X="EXPIRED") == ["ALGO_UPDATE EXPIRED"]


def test_a_trailing_stop_tells_of_its_activation(
    sim: SimulatorProcess, binance: BinanceClient, user: BinanceSocket
) -> None:
    more = {"callbackRate": "1", "activatePrice": "101000", "clientAlgoId": "tr"}
    conditional(binance, "TRAILING_STOP_MARKET", "SELL", "LONG", None, **more)
    assert user.event("ALGO_UPDATE", X="NEW")["o"]["ia"] is False
    sim.price(BTC, "101100")
    assert user.event("ALGO_UPDATE", X="NEW")["o"]["ia"] is True
    assert found(binance, "tr")["algoStatus"] == "NEW"


# -- what goes wrong on the way


def test_events_are_withheld_doubled_cut_and_swapped(
    sim: SimulatorProcess, binance: BinanceClient, user: BinanceSocket
) -> None:
    sim.faults({"kind": "push_withheld", "match": {"exchange": "binance", "channel": "TRADE_LITE"}})
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    assert "TRADE_LITE" not in user.names("ORDER_TRADE_UPDATE", X="FILLED")
    sim.faults({"kind": "stream_double", "match": {"channel": "ALGO_UPDATE", "clOrdId": "s-1"}})
    stop(binance, clientAlgoId="s-1")
    assert user.receive() == user.receive()
    sim.faults({"kind": "stream_reorder", "match": {"channel": "ORDER_TRADE_UPDATE"}, "count": 1})
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    assert user.names("ORDER_TRADE_UPDATE", X="FILLED")[:2] == ["TRADE_LITE", "ORDER_TRADE_UPDATE NEW"]
    sim.faults({"kind": "stream_cut", "match": {"symbol": "BTCUSDT"}, "count": 1})
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    assert user.closed() == 1001


def test_the_events_of_another_exchange_are_not_meant(
    sim: SimulatorProcess, binance: BinanceClient, user: BinanceSocket
) -> None:
    sim.faults({"kind": "push_withheld", "match": {"exchange": "okx"}})
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    assert user.event("ORDER_TRADE_UPDATE", X="FILLED")


def test_nothing_is_told_again_after_a_gap(binance: BinanceClient, opening: Opening) -> None:
    key = key_of(binance)
    with opening(f"private/ws?listenKey={key}") as socket:
        binance.market("BTCUSDT", "BUY", "LONG", "0.010")
        socket.event("ORDER_TRADE_UPDATE", X="FILLED")
    binance.market("BTCUSDT", "BUY", "LONG", "0.010")
    assert opening(f"private/ws?listenKey={key}").silent()


def test_a_connection_is_cut_after_a_day(sim: SimulatorProcess, binance: BinanceClient, user: BinanceSocket) -> None:
    sim.switches(binance_stream_life_seconds=600)
    sim.clock(599)
    assert user.silent()
    sim.clock(2)
    assert user.closed() == 1001


def test_a_burst_of_more_than_a_hundred_events_comes_whole(
    sim: SimulatorProcess, binance: BinanceClient, user: BinanceSocket
) -> None:
    for number in range(60):
        binance.limit("BTCUSDT", "BUY", "LONG", "0.010", f"{98000 + number}", newClientOrderId=f"b-{number}")
    binance.delete("v1/allOpenOrders", symbol="BTCUSDT")
    user.event("ORDER_TRADE_UPDATE", c="b-59", x="CANCELED")
    assert len(user.seen) == 120
