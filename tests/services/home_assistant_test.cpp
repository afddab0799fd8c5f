// Home Assistant's JSON as devices, and changes as service calls. The real program is in
// tests/home_assistant.
#include <gtest/gtest.h>

#include "services/home_assistant/devices.h"
#include "services/home_assistant/words.h"

namespace ink::home_assistant {
namespace {

using assistant::Device;
using assistant::DeviceKind;
using assistant::DeviceState;

Json entity(const char* id, const char* state, Json attributes = Json::object()) {
  return {{"entity_id", id}, {"state", state}, {"attributes", std::move(attributes)}};
}

Device read(const Json& one, const Registries& registries = {}) {
  const auto devices = devices_of(Json::array({one}), registries);
  EXPECT_EQ(devices.size(), 1u) << one;
  return devices.empty() ? Device{} : devices[0];
}

Device device(DeviceKind kind, const char* id) {
  Device result;
  result.kind = kind;
  result.id = id;
  return result;
}

TEST(HomeAssistantWords, TheLongestWordDecides) {
  EXPECT_EQ(room_in("Master Bedroom Lamp"), "master_bedroom");
  EXPECT_EQ(room_in("主卧室吸顶灯"), "master_bedroom");
  EXPECT_EQ(room_in("kids_room_light"), "kids_room");
  EXPECT_EQ(room_in("細路房冷氣"), "kids_room");
  EXPECT_EQ(room_in("The chalet"), "") << "hall is inside of a word";
  EXPECT_EQ(room_in("车库门"), "");
  EXPECT_EQ(room_in("Carport"), "");
  EXPECT_EQ(appliance_in("Dehumidifier"), "dehumidifier");
  EXPECT_EQ(appliance_in("空氣清新機"), "air_purifier");
  EXPECT_EQ(appliance_in("Fancy activity"), "");
  EXPECT_EQ(scene_in("Good night"), "sleep");
  EXPECT_EQ(scene_in("睇戲模式"), "movie");
}

TEST(HomeAssistantDevices, RoomsComeFromAreasBeforeNames) {
  Registries registries;
  registries.areas =
      Json::parse(R"([{"area_id":"a1","name":"书房"},{"area_id":"kitchen","name":"Cooking corner"}])");
  registries.devices = Json::parse(R"([{"id":"d1","area_id":"a1"}])");
  registries.entities = Json::parse(R"([
    {"entity_id":"light.a","area_id":null,"device_id":"d1"},
    {"entity_id":"light.b","area_id":"kitchen","device_id":"d1"},
    {"entity_id":"light.hidden","area_id":"a1","hidden_by":"user"},
    {"entity_id":"light.off","disabled_by":"integration"}])");
  EXPECT_EQ(read(entity("light.a", "on", {{"friendly_name", "Kitchen lamp"}}), registries).room, "study");
  EXPECT_EQ(read(entity("light.b", "on"), registries).room, "kitchen");
  EXPECT_EQ(read(entity("light.c", "on", {{"friendly_name", "客廳燈"}}), registries).room, "living_room");
  EXPECT_EQ(read(entity("light.balcony", "on"), registries).room, "balcony");
  EXPECT_EQ(read(entity("light.somewhere", "on"), registries).room, "");
  EXPECT_TRUE(
      devices_of(Json::array({entity("light.hidden", "on"), entity("light.off", "on")}), registries).empty());
}

TEST(HomeAssistantDevices, StatesOfEveryKind) {
  const Device lamp =
      read(entity("light.x", "on", {{"brightness", 128}, {"color_mode", "rgb"}, {"rgb_color", {250, 5, 5}}}));
  EXPECT_EQ(lamp.kind, DeviceKind::kLight);
  EXPECT_EQ(lamp.state.on, true);
  EXPECT_EQ(lamp.state.percent, 50);
  EXPECT_EQ(lamp.state.color, "red");
  EXPECT_EQ(
      read(entity("light.x", "on", {{"color_mode", "color_temp"}, {"color_temp_kelvin", 2700}})).state.color,
      "warm_white");
  const Device air = read(entity("climate.x", "cool", {{"temperature", 24.5}, {"fan_mode", "low"}}));
  EXPECT_EQ(air.state.on, true);
  EXPECT_EQ(air.state.mode, "cool");
  EXPECT_EQ(air.state.temperature_c, 24.5);
  EXPECT_EQ(air.state.fan, "low");
  EXPECT_EQ(read(entity("climate.x", "off")).state.on, false);
  EXPECT_EQ(read(entity("cover.x", "open", {{"current_position", 30}})).state.percent, 30);
  EXPECT_EQ(read(entity("cover.x", "closed")).state.percent, 0);
  EXPECT_EQ(read(entity("lock.x", "locked")).state.locked, true);
  EXPECT_EQ(read(entity("lock.my_car", "unlocked")).what, "car");
  EXPECT_EQ(read(entity("vacuum.x", "cleaning")).state.activity, "start");
  EXPECT_EQ(read(entity("switch.kettle", "on")).what, "kettle");
  EXPECT_EQ(read(entity("media_player.x", "standby", {{"device_class", "tv"}})).state.on, false);
  EXPECT_EQ(read(entity("fan.x", "off")).what, "fan");
  const Device scene = read(entity("scene.movie_night", "unknown"));
  EXPECT_EQ(scene.what, "movie");
  EXPECT_TRUE(scene.reachable);
  EXPECT_FALSE(read(entity("light.x", "unavailable")).reachable);
}

TEST(HomeAssistantDevices, WhatMakesNoSenseIsLeftOut) {
  EXPECT_TRUE(devices_of(Json::object(), {}).empty());
  EXPECT_TRUE(devices_of(Json(), {}).empty());
  const Json strange =
      Json::parse(R"([1, null, {}, {"entity_id": 5}, {"entity_id": "light"}, {"entity_id": "sun.sun"},
    {"entity_id": "switch.something", "state": "on"}, {"entity_id": "cover.g", "attributes": {"device_class": "garage"}},
    {"entity_id": "scene.blue", "state": "x"}])");
  EXPECT_TRUE(devices_of(strange, {}).empty());
  const Device lamp = read(Json::parse(
      R"({"entity_id": "light.x", "state": 7, "attributes": {"brightness": "much", "rgb_color": ["r", 1, 2]}})"));
  EXPECT_EQ(lamp.state.on, false);
  EXPECT_FALSE(lamp.state.percent);
  EXPECT_FALSE(lamp.state.color);
  EXPECT_EQ(devices_of(Json::array({Json{{"entity_id", "light.x"}, {"state", "on"}, {"attributes", 3}}}), {})
                .size(),
            1u);
}

TEST(HomeAssistantCalls, Lights) {
  const Device lamp = device(DeviceKind::kLight, "light.x");
  DeviceState wanted;
  wanted.on = false;
  EXPECT_EQ(calls_for(lamp, wanted).calls,
            (std::vector<ServiceCall>{{"light", "turn_off", {{"entity_id", "light.x"}}}}));
  wanted = {};
  wanted.percent = 40;
  wanted.color = "blue";
  EXPECT_EQ(calls_for(lamp, wanted).calls,
            (std::vector<ServiceCall>{
                {"light", "turn_on",
                 Json::parse(R"({"brightness_pct":40,"rgb_color":[0,0,255],"entity_id":"light.x"})")}}));
}

TEST(HomeAssistantCalls, ClimateIsSetStepByStep) {
  DeviceState wanted;
  wanted.on = true;
  wanted.mode = "heat";
  wanted.temperature_c = 21;
  const auto calls = calls_for(device(DeviceKind::kClimate, "climate.x"), wanted).calls;
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].service, "set_hvac_mode");
  EXPECT_EQ(calls[1].data["temperature"], 21.0);
}

TEST(HomeAssistantCalls, TheRest) {
  DeviceState wanted;
  wanted.percent = 35;
  EXPECT_EQ(calls_for(device(DeviceKind::kCurtain, "cover.x"), wanted).calls[0].data["position"], 35);
  wanted.percent = 0;
  EXPECT_EQ(calls_for(device(DeviceKind::kCurtain, "cover.x"), wanted).calls[0].service, "close_cover");
  wanted = {};
  wanted.locked = false;
  EXPECT_EQ(calls_for(device(DeviceKind::kLock, "lock.x"), wanted).calls[0].service, "unlock");
  wanted = {};
  wanted.activity = "start";
  EXPECT_EQ(calls_for(device(DeviceKind::kVacuum, "vacuum.x"), wanted).calls[0].service, "start");
  wanted.target_room = "kitchen";
  EXPECT_FALSE(calls_for(device(DeviceKind::kVacuum, "vacuum.x"), wanted).cannot.empty());
  EXPECT_FALSE(calls_for(device(DeviceKind::kLock, "lock.x"), {}).cannot.empty());
  wanted = {};
  wanted.on = true;
  EXPECT_EQ(calls_for(device(DeviceKind::kAppliance, "switch.tv"), wanted).calls[0].domain, "switch");
}

}  // namespace
}  // namespace ink::home_assistant
