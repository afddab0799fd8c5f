"""One robot, for the test; see __init__.py."""

from homeassistant.components.vacuum import StateVacuumEntity, VacuumEntityFeature


async def async_setup_platform(hass, config, add, discovery=None):
    add([Vacuum()])


class Vacuum(StateVacuumEntity):
    _attr_should_poll = False
    _attr_name = "Robot"
    _attr_unique_id = "flat_vacuum"
    _attr_state = "docked"
    _attr_supported_features = (VacuumEntityFeature.START | VacuumEntityFeature.PAUSE |
                                VacuumEntityFeature.RETURN_HOME | VacuumEntityFeature.STATE)

    def _become(self, state):
        self._attr_state = state
        self.async_write_ha_state()

    async def async_start(self):
        self._become("cleaning")

    async def async_pause(self):
        self._become("paused")

    async def async_return_to_base(self, **_):
        self._become("returning")
