"""What the web server needs of what was recorded, and how the handlers get it."""

from dataclasses import dataclass

from aiohttp import web

from livecam_nvr.core.exports import Exports
from livecam_nvr.core.past import ClipDesk, EventDesk, Footage, Ledger, Past, PastPictures
from livecam_nvr.core.retention import RetentionDesk
from livecam_nvr.web.clips import CLIPS
from livecam_nvr.web.events_in import EVENTS
from livecam_nvr.web.exports import EXPORTS
from livecam_nvr.web.past import LEDGER, PAST
from livecam_nvr.web.playback_keys import FOOTAGE, PAST_PICTURES
from livecam_nvr.web.retention import RETENTION


@dataclass(frozen=True, slots=True)
class PastPorts:
    """Who answers questions about the past."""

    ledger: Ledger
    past: Past
    footage: Footage
    pictures: PastPictures
    retention: RetentionDesk
    exports: Exports
    events: EventDesk
    clips: ClipDesk

    def provide(self, app: web.Application) -> None:
        """Puts them where the handlers look."""
        app[LEDGER] = self.ledger
        app[PAST] = self.past
        app[FOOTAGE] = self.footage
        app[PAST_PICTURES] = self.pictures
        app[RETENTION] = self.retention
        app[EXPORTS] = self.exports
        app[EVENTS] = self.events
        app[CLIPS] = self.clips
