"""Two curtains, for the test; see __init__.py."""

from homeassistant.components.cover import CoverDeviceClass, CoverEntity, CoverEntityFeature


async def async_setup_platform(hass, config, add, discovery=None):
    add(Curtain(name) for name in ("living", "study"))


class Curtain(CoverEntity):
    _attr_should_poll = False
    _attr_device_class = CoverDeviceClass.CURTAIN
    _attr_supported_features = (CoverEntityFeature.OPEN | CoverEntityFeature.CLOSE | CoverEntityFeature.STOP |
                                CoverEntityFeature.SET_POSITION)

    def __init__(self, name):
        self.entity_id = "cover." + name
        self._attr_unique_id = "flat_cover_" + name
        self._move(100)

    def _move(self, position):
        self._attr_current_cover_position = position
        self._attr_is_closed = position == 0

    async def async_set_cover_position(self, position, **_):
        self._move(position)
        self.async_write_ha_state()

    async def async_open_cover(self, **_):
        await self.async_set_cover_position(100)

    async def async_close_cover(self, **_):
        await self.async_set_cover_position(0)

    async def async_stop_cover(self, **_):
        pass
