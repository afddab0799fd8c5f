"""Devices for the test that exist only in Home Assistant's memory: each platform lists its own."""
