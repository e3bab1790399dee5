"""Where the handlers of what was recorded find their ports."""

from aiohttp import web

from livecam_nvr.core.past import Footage, PastPictures

FOOTAGE: web.AppKey[Footage] = web.AppKey("FOOTAGE", Footage)
PAST_PICTURES: web.AppKey[PastPictures] = web.AppKey("PAST_PICTURES", PastPictures)
