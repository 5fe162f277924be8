"""How fast Perpdeck is, each time beside the floor measured in the same run. `make bench` writes README.md here."""
