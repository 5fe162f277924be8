"""The compose file, by what it must not get wrong: nothing open to others, no password of ours, every file there."""

from __future__ import annotations

import re
from typing import Any

import yaml

from scripts.boards import SOURCE
from tests.browser.product import REPOSITORY, SHIPPED
from tests.metrics.promethean import DEPLOY as PROMETHEUS

FOLDER = REPOSITORY / "deploy"
SECRET = re.compile(r"PASSWORD|SECRET|DATABASE_URL")
NEEDED = re.compile(r"\$\{([A-Z_]+):\?")


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((FOLDER / "docker-compose.yml").read_text()))


def services() -> dict[str, dict[str, Any]]:
    return dict(compose()["services"])


def test_the_four_are_there() -> None:
    assert set(services()) == {"database", "perpdeck", "prometheus", "grafana"}


def test_nothing_can_be_reached_from_another_machine() -> None:
    published = [port for one in services().values() for port in one.get("ports", [])]
    assert sorted(port.rsplit(":", 1)[1] for port in published) == ["3000", "8501", "9090"]
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert not any(one.get("network_mode") == "host" or one.get("privileged") for one in services().values())


def test_every_secret_is_asked_for_and_none_is_written_down() -> None:
    asked = set()
    for one in services().values():
        for name, value in one.get("environment", {}).items():
            if SECRET.search(name):
                assert NEEDED.search(value), name
                asked |= set(NEEDED.findall(value))
    offered = re.findall(r"^([A-Z_]+)=(.*)$", (FOLDER / "env.example").read_text(), re.MULTILINE)
    assert asked == {name for name, _ in offered}
    assert not any(value for _, value in offered)


def test_what_is_mounted_is_there_and_is_not_written_to() -> None:
    for name, one in services().items():
        for volume in one.get("volumes", []):
            source, target, *mode = volume.split(":")
            if source.startswith("."):
                assert (FOLDER / source).exists(), f"{name}: {source}"
                assert mode == ["ro"], f"{name}: {target}"
            else:
                assert source in compose()["volumes"], f"{name}: {source}"


def test_images_are_named_by_their_version() -> None:
    for name, one in services().items():
        if "image" in one:
            assert re.search(r":v?\d", one["image"]), name


def test_the_image_holds_what_runs() -> None:
    dockerfile = (FOLDER / "Dockerfile").read_text()
    copied = {word for line in re.findall(r"^COPY (.*)$", dockerfile, re.MULTILINE) for word in line.split()[:-1]}
    assert copied == {*SHIPPED, "requirements.lock", "scripts/messages.py"}
    let_in = re.findall(r"^!(.*)$", (FOLDER / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert set(let_in) == copied
    assert re.search(r"^USER perpdeck$", dockerfile, re.MULTILINE)
    build = services()["perpdeck"]["build"]
    assert (FOLDER / build["context"] / build["dockerfile"]).samefile(FOLDER / "Dockerfile")


def test_prometheus_reads_the_dashboard_as_this_machine_and_grafana_reads_prometheus() -> None:
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    assert [job["static_configs"][0]["targets"] for job in jobs] == [["127.0.0.1:8501"]]
    assert services()["prometheus"]["network_mode"] == "service:perpdeck"
    provisioned = FOLDER / "grafana" / "provisioning"
    source = yaml.safe_load((provisioned / "datasources" / "prometheus.yml").read_text())["datasources"][0]
    assert {name: source[name] for name in ("type", "uid")} == SOURCE
    grafana = services()["grafana"]
    assert source["url"] == "${PROMETHEUS_URL}"
    assert grafana["environment"]["PROMETHEUS_URL"] == "http://perpdeck:9090"
    boards = yaml.safe_load((provisioned / "dashboards" / "perpdeck.yml").read_text())["providers"][0]
    assert f"./grafana/dashboards:{boards['options']['path']}:ro" in grafana["volumes"]
