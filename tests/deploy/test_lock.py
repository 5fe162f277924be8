"""The lock files are compiled from the readable lists: whoever changes a list runs `make lock`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
LOCKS = ("requirements.lock", "requirements-dev.lock")


def asked(name: str) -> dict[str, str]:
    """Package -> version, as a readable list pins them; an extra in brackets is left out."""
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    pins = [line for line in lines if line and not line.startswith("-r ")]
    found = [re.fullmatch(rf"({NAME})(?:\[[^]]*\])?==(\S+)", pin) for pin in pins]
    assert all(found), f"{name} pins every package by ==: {pins}"
    return {normal(one[1]): one[2] for one in found if one}


def locked(name: str) -> dict[str, set[str]]:
    """Package -> versions, of which a marker chooses one."""
    versions: dict[str, set[str]] = {}
    for package, version in re.findall(
        rf"^({NAME})(?:\[[^]]*\])?==([^ ;\\]+)", (ROOT / name).read_text(), re.MULTILINE
    ):
        versions.setdefault(normal(package), set()).add(version)
    return versions


def normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_the_list_is_locked_at_its_version(lock: str) -> None:
    wanted = {package: {version} for package, version in asked(lock.replace(".lock", ".txt")).items()}
    there = {package: locked(lock).get(package) for package in wanted}
    assert there == wanted, "run `make lock`"


def test_tests_run_with_what_is_shipped() -> None:
    shipped, tried = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {package: tried.get(package) for package in shipped} == shipped, "run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^--", text, re.MULTILINE), "where packages come from is the installing machine's business"
    entries = re.findall(r"^(\S+==.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert len(entries) >= sum(len(versions) for versions in locked(lock).values()) > 0
    bare = [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry]
    assert not bare
