"""Three lamps that dim and change colour, for the test; see __init__.py."""

from homeassistant.components.light import ColorMode, LightEntity


async def async_setup_platform(hass, config, add, discovery=None):
    add(Light(name) for name in ("living", "bedroom", "kitchen"))


class Light(LightEntity):
    _attr_should_poll = False
    _attr_supported_color_modes = {ColorMode.RGB, ColorMode.COLOR_TEMP}

    def __init__(self, name):
        self.entity_id = "light." + name
        self._attr_unique_id = "flat_light_" + name
        self._attr_is_on = name == "kitchen"
        self._attr_brightness = 128
        self._attr_color_mode = ColorMode.COLOR_TEMP
        self._attr_color_temp_kelvin = 4000

    async def async_turn_on(self, brightness=None, rgb_color=None, color_temp_kelvin=None, **_):
        self._attr_is_on = True
        if brightness is not None:
            self._attr_brightness = brightness
        if rgb_color is not None:
            self._attr_rgb_color, self._attr_color_mode = rgb_color, ColorMode.RGB
        if color_temp_kelvin is not None:
            self._attr_color_temp_kelvin, self._attr_color_mode = color_temp_kelvin, ColorMode.COLOR_TEMP
        self.async_write_ha_state()

    async def async_turn_off(self, **_):
        self._attr_is_on = False
        self.async_write_ha_state()
