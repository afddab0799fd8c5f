"""The front door, for the test; see __init__.py."""

from homeassistant.components.lock import LockEntity


async def async_setup_platform(hass, config, add, discovery=None):
    add([Lock()])


class Lock(LockEntity):
    _attr_should_poll = False
    _attr_name = "Front door"
    _attr_unique_id = "flat_lock"
    _attr_is_locked = True

    async def async_lock(self, **_):
        self._attr_is_locked = True
        self.async_write_ha_state()

    async def async_unlock(self, **_):
        self._attr_is_locked = False
        self.async_write_ha_state()
