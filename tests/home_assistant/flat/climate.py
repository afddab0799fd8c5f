"""Two air conditioners, for the test; see __init__.py."""

from homeassistant.components.climate import ClimateEntity, ClimateEntityFeature, HVACMode
from homeassistant.const import UnitOfTemperature


async def async_setup_platform(hass, config, add, discovery=None):
    add(Climate(name) for name in ("living", "bedroom"))


class Climate(ClimateEntity):
    _attr_should_poll = False
    _attr_temperature_unit = UnitOfTemperature.CELSIUS
    _attr_hvac_modes = [HVACMode.OFF, HVACMode.COOL, HVACMode.HEAT, HVACMode.DRY, HVACMode.FAN_ONLY,
                        HVACMode.HEAT_COOL]
    _attr_fan_modes = ["low", "medium", "high", "auto"]
    _attr_supported_features = (ClimateEntityFeature.TARGET_TEMPERATURE | ClimateEntityFeature.FAN_MODE |
                                ClimateEntityFeature.TURN_ON | ClimateEntityFeature.TURN_OFF)
    _attr_target_temperature = 24.0
    _attr_fan_mode = "low"

    def __init__(self, name):
        self.entity_id = "climate." + name
        self._attr_unique_id = "flat_climate_" + name
        self._attr_hvac_mode = HVACMode.OFF

    async def async_set_hvac_mode(self, hvac_mode):
        self._attr_hvac_mode = hvac_mode
        self.async_write_ha_state()

    async def async_turn_on(self):
        await self.async_set_hvac_mode(HVACMode.COOL)

    async def async_turn_off(self):
        await self.async_set_hvac_mode(HVACMode.OFF)

    async def async_set_temperature(self, temperature=None, **_):
        self._attr_target_temperature = temperature
        self.async_write_ha_state()

    async def async_set_fan_mode(self, fan_mode):
        self._attr_fan_mode = fan_mode
        self.async_write_ha_state()
