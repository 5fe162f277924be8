"""The images of the dashboard, served from here so that a page asks no other host for anything."""

from pathlib import Path

LOGO = str(Path(__file__).with_name("logo.svg"))
ICON = str(Path(__file__).with_name("icon.svg"))
