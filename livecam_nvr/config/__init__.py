"""Reads `config.yaml` into checked models."""
