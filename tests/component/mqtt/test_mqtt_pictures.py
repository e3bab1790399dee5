"""Still pictures that are sent when something happens, and none where none are wanted."""

from support.waiting import until

from livecam_nvr.core.events import EventChanged
from livecam_nvr.domain.ledger import Event

PICTURES = "livecam-nvr/home/{}/snapshot"


async def test_what_happens_makes_pictures_before_their_time(homes, broker, ear):
    home = homes(broker.port)  # once an hour
    await home.connected()
    await ear.hears(PICTURES.format("cam1"))
    seen = {camera: len(ear.on(PICTURES.format(camera))) for camera in ("cam0", "cam1")}
    assert seen == {"cam0": 1, "cam1": 1}
    home.bus.publish(EventChanged(Event("1", "cam1", "motion", "test", 1, None)))
    home.bus.publish(EventChanged(Event("2", "cam9", "motion", "test", 1, None)))
    await until(lambda: len(ear.on(PICTURES.format("cam1"))) == 2, what="a picture of what happens")
    assert len(ear.on(PICTURES.format("cam0"))) == 1


async def test_without_stills_there_is_neither_a_picture_nor_an_entity(homes, broker, ear):
    home = homes(broker.port, snapshot_seconds=0)
    await home.connected()
    announced = await ear.hears("homeassistant/device/livecam-nvr_home_cam1/config")
    assert announced.json["components"]["camera"] == {"platform": "camera"}
    await ear.hears("livecam-nvr/home/cam1/coverage")
    home.bus.publish(EventChanged(Event("1", "cam1", "motion", "test", 1, None)))
    await ear.hears("livecam-nvr/home/cam1/event")
    assert not home.pictures.taken
