"""What several modules of the integration have to agree on."""

from typing import Final

DOMAIN: Final = "livecam_nvr"
MANUFACTURER: Final = "livecam-nvr"

API_VERSION: Final = 1
"""The version of the service's API that this integration knows."""
DEFAULT_PORT: Final = 8001

MQTT_DOMAIN: Final = "mqtt"

FIGURES_EVERY_S: Final = 30.0
"""Figures that change all the time are told as seldom as over MQTT: each state is a row of the recorder."""
COVERAGE_EVERY_S: Final = 60.0
"""What was recorded of the last hour and day is nothing that the service pushes."""
