"""What `doctor` asks of the parts."""

from collections.abc import Sequence

from livecam_nvr.app.home_assistant_checks import AnnouncementCheck, CarrierCheck
from livecam_nvr.config.models import Config
from livecam_nvr.core.ports import SelfCheck
from livecam_nvr.media.checks import EncoderCheck
from livecam_nvr.rtsp.checks import MediaServerChecks
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.place.checks import StorageCheck


def checks(config: Config) -> Sequence[SelfCheck]:
    """All of them."""
    from livecam_nvr.mqtt.checks import BrokerCheck  # noqa: PLC0415 - see Service._broker

    recording = config.recording
    warning, _, full = recording.free_levels
    return (
        MediaServerChecks(config),
        EncoderCheck(config.encoding.encoder),
        StorageCheck(recording.path, config.data_dir, SystemClock(), full, warning),
        BrokerCheck(config.mqtt, config.node),
        CarrierCheck(config),
        AnnouncementCheck(config.listen),
    )
