"""The part of `config.yaml` about the broker."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator

from livecam_nvr.config.section import Port, Section

_PORT, _TLS_PORT = 1883, 8883

Topic = Annotated[str, Field(pattern=r"^[^+#\s/][^+#\s]*[^+#\s/]$|^[^+#\s/]$")]


def _usual_port(before: dict[str, Any]) -> int:
    """As registered: IANA's `mqtt` and `secure-mqtt`."""
    return _TLS_PORT if before.get("tls") else _PORT


class MqttConfig(Section):
    """The broker that Home Assistant uses."""

    host: str = ""
    """Empty: no MQTT."""
    tls: bool = False
    """Whether it is spoken to encrypted; its certificate and its name in it are always checked then."""
    port: Port = Field(default_factory=_usual_port)
    ca_file: Path | None = None
    """PEM: who must have signed its certificate (itself, if it is self-signed); None: whom the system trusts."""
    client_certificate: Path | None = None
    """PEM, with the whole chain, for a broker that wants one."""
    client_key: Path | None = None
    """PEM, without a passphrase."""
    username: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    """Where `password` was read from; None if it was written down itself."""
    base_topic: Topic = "livecam-nvr"
    discovery_prefix: Topic = "homeassistant"
    snapshot_seconds: float = Field(60, ge=0, le=3600)
    """How often the still picture of each camera is renewed while nobody watches it; 0: there are no stills."""

    @field_validator("snapshot_seconds")
    @classmethod
    def _not_a_video(cls, seconds: float) -> float:
        if 0 < seconds < 1:
            raise ValueError("1 or more is needed, or 0 for no still pictures")
        return seconds
