"""Passwords, sessions and lock-outs on a clock moved by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.auth import (
    FAILURES,
    FIRST_LOCK,
    LONGEST_LOCK,
    SESSION,
    WINDOW,
    Lockout,
    Sessions,
    fits,
    hashed,
    loopback,
    minutes,
    problem_of,
)
from core.clock import SteppedClock

KEY = b"k" * 32


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


def test_a_hash_fits_its_password_only_and_does_not_contain_it():
    kept = hashed("correct horse")
    assert "horse" not in kept
    assert fits("correct horse", kept)
    assert not fits("correct horsf", kept)
    assert not fits("", kept)


def test_the_same_password_never_has_the_same_hash():
    assert hashed("correct horse") != hashed("correct horse")


@pytest.mark.parametrize("damaged", ["", "scrypt", "scrypt$1$2$3", "plain$32768$8$AA$AA", "scrypt$x$8$AA$AA"])
def test_a_damaged_hash_fits_nothing(damaged):
    assert not fits("", damaged)
    assert not fits("correct horse", damaged)


@pytest.mark.parametrize(
    ("password", "said"),
    [("", "empty"), ("seven77", "7 characters: 8 or more"), ("x" * 257, "256 at most"), (" " * 9, "blanks only")],
)
def test_what_is_wrong_with_a_new_password_is_said(password, said):
    assert said in str(problem_of(password))


def test_a_good_password_has_no_problem():
    assert problem_of("şifre çok güçlü") is None


# --- sessions


def test_a_session_is_known_for_twelve_hours(clock):
    sessions = Sessions(KEY, "a")
    token, begun = sessions.begin(clock.now())
    clock.advance(SESSION.total_seconds() - 1)
    assert sessions.find(token, clock.now()) == begun
    clock.advance(1)
    assert sessions.find(token, clock.now()) is None


def test_a_session_outlives_the_process_and_ends_with_the_password_or_the_secret(clock):
    token, begun = Sessions(KEY, "a").begin(clock.now())
    assert Sessions(KEY, "a").find(token, clock.now()) == begun
    assert Sessions(KEY, "b").find(token, clock.now()) is None
    assert Sessions(b"another", "a").find(token, clock.now()) is None


def test_no_other_text_is_a_session(clock):
    sessions = Sessions(KEY, "a")
    token, _ = sessions.begin(clock.now())
    ends, name, signature = token.split(".")
    forged = [f"{int(ends) + 60}.{name}.{signature}", f"{ends}.other.{signature}", f"{ends}.{name}.", f"{ends}.{name}"]
    for text in [*forged, "", ".", "..", "ü.ü.ü", token + "A", token[:-1]]:
        assert sessions.find(text, clock.now()) is None, text


# --- lock-outs


def fail(lockout: Lockout, times: int, address: str = "203.0.113.7") -> timedelta:
    return [lockout.failed(address) for _ in range(times)][-1]


def test_five_failures_lock_an_address_and_no_other(clock):
    lockout = Lockout(clock.now)
    assert not fail(lockout, FAILURES - 1)
    assert lockout.tries_left("203.0.113.7") == 1
    assert fail(lockout, 1) == FIRST_LOCK
    assert lockout.left("203.0.113.7") == FIRST_LOCK
    assert not lockout.left("203.0.113.8")
    clock.advance(FIRST_LOCK.total_seconds())
    assert not lockout.left("203.0.113.7")


def test_failures_far_apart_lock_nobody(clock):
    lockout = Lockout(clock.now)
    for _ in range(20):
        assert not lockout.failed("203.0.113.7")
        clock.advance(WINDOW.total_seconds() / (FAILURES - 1))


def test_each_lock_out_is_twice_the_one_before_to_a_day_and_a_quiet_day_forgets(clock):
    lockout = Lockout(clock.now)
    seen = []
    for _ in range(9):
        seen.append(fail(lockout, FAILURES))
        clock.advance(seen[-1].total_seconds())
    assert seen[:4] == [FIRST_LOCK, FIRST_LOCK * 2, FIRST_LOCK * 4, FIRST_LOCK * 8]
    assert seen[-1] == LONGEST_LOCK
    clock.advance(timedelta(hours=25).total_seconds())
    assert fail(lockout, FAILURES) == FIRST_LOCK


def test_the_right_password_ends_the_count(clock):
    lockout = Lockout(clock.now)
    fail(lockout, FAILURES - 1)
    lockout.came_in("203.0.113.7")
    assert lockout.tries_left("203.0.113.7") == FAILURES


def test_one_machine_is_one_address_however_it_writes_it(clock):
    lockout = Lockout(clock.now)
    for number in range(FAILURES):
        lockout.failed(f"2001:db8:1:2::{number:x}")
    assert lockout.left("2001:db8:1:2:ffff::1") == FIRST_LOCK
    assert not lockout.left("2001:db8:1:3::1")
    fail(lockout, FAILURES, "::ffff:203.0.113.9")
    assert lockout.left("203.0.113.9") == FIRST_LOCK


def test_memory_stays_bounded_under_a_flood_of_addresses(clock):
    lockout = Lockout(clock.now)
    for number in range(30_000):
        lockout.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(lockout._known) <= 10_001


def test_the_wait_is_told_in_whole_minutes_and_never_too_short():
    assert [minutes(timedelta(seconds=seconds)) for seconds in (1, 60, 61, 900)] == [1, 1, 2, 15]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
def test_loopback_addresses(address):
    assert loopback(address)


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "192.168.1.5", "desk.example.com", "localhost.evil"])
def test_addresses_that_others_can_reach(address):
    assert not loopback(address)
