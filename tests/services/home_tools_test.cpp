// The tools of the home on the demonstration home, and on a home that fails.
#include "services/assistant/home_tools.h"

#include "services/assistant/demo_home.h"
#include "services/assistant/home_change.h"
#include "services/assistant/phrases.h"
#include "tests/services/assistant_parts.h"

namespace ink::assistant {
namespace {

class AssistantHome : public WithState {
 protected:
  void SetUp() override {
    WithState::SetUp();
    use(std::make_shared<DemoHome>(state));
  }
  void use(std::shared_ptr<Home> home) {
    home_ = std::move(home);
    tools_ = home_tools(embedded_catalogue(), home_);
  }
  Outcome call(const std::string& name, const char* arguments) {
    for (const auto& tool : tools_) {
      if (tool->name() == name) return tool->call(Json::parse(arguments), {});
    }
    return failed("no such tool");
  }
  std::string said(const std::string& name, const char* arguments) { return say(call(name, arguments), {}); }
  Risk risk(const std::string& name, const char* arguments) {
    for (const auto& tool : tools_) {
      if (tool->name() == name) return tool->risk(Json::parse(arguments));
    }
    return Risk::kHarmless;
  }
  Json state_at(const std::string& id) {
    for (const auto& device : home_->devices({}).devices) {
      if (device.id == id) return state_json(device.state);
    }
    return nullptr;
  }
  std::shared_ptr<Home> home_;
  Tools tools_;
};

TEST_F(AssistantHome, LightsDoWhatIsAskedAndItIsKept) {
  EXPECT_EQ(said("set_light", R"({"room": "kitchen", "state": "on"})"), "Lights on in the kitchen.");
  EXPECT_EQ(state_at("light.kitchen")["on"], true);
  EXPECT_EQ(said("set_light", R"({"room": "kitchen", "state": "on"})"),
            "The lights in the kitchen are already on.");
  EXPECT_EQ(said("set_light", R"({"room": "kitchen", "brightness_percent": 30, "color": "blue"})"),
            "Lights in the kitchen set to 30%, blue.");
  EXPECT_EQ(said("set_light", R"({"room": "kitchen", "brightness_step": "up"})"),
            "Lights in the kitchen set to 50%.");
  reopen();
  use(std::make_shared<DemoHome>(state));
  EXPECT_EQ(state_at("light.kitchen"), Json::parse(R"({"on": true, "percent": 50, "color": "blue"})"));
  EXPECT_EQ(said("set_light", R"({"state": "off"})"), "Lights off.");
  for (const auto& device : home_->devices({}).devices)
    if (device.kind == DeviceKind::kLight) {
      EXPECT_EQ(device.state.on, false) << device.id;
    }
}

TEST_F(AssistantHome, StepsStopAtTheEndsAndDarkerThanOffIsOff) {
  for (int i = 0; i < 8; ++i) call("set_light", R"({"room": "study", "brightness_step": "up"})");
  EXPECT_EQ(state_at("light.study")["percent"], 100);
  for (int i = 0; i < 8; ++i) call("set_light", R"({"room": "study", "brightness_step": "down"})");
  EXPECT_EQ(state_at("light.study"), Json::parse(R"({"on": true, "percent": 5, "color": "warm_white"})"));
  EXPECT_EQ(said("set_light", R"({"room": "hallway", "brightness_step": "down"})"),
            "The lights in the hallway are already off.");
  call("set_light", R"({"room": "study", "brightness_percent": 0})");
  EXPECT_EQ(state_at("light.study")["on"], false);
  for (int i = 0; i < 20; ++i) call("set_climate", R"({"room": "study", "temperature_step": "down"})");
  EXPECT_EQ(state_at("climate.study")["temperature_c"], 16.0);
  for (int i = 0; i < 5; ++i) call("set_climate", R"({"room": "study", "fan_step": "up"})");
  EXPECT_EQ(state_at("climate.study")["fan"], "high");
}

TEST_F(AssistantHome, SeveralRoomsThatDifferAreSaidInGeneral) {
  call("set_light", R"({"room": "kitchen", "brightness_percent": 10})");
  EXPECT_EQ(said("set_light", R"({"room": "all", "brightness_step": "up"})"),
            "Lights in the whole home a bit brighter.");
}

TEST_F(AssistantHome, EveryKindOfThing) {
  EXPECT_EQ(said("set_climate", R"({"room": "bedroom", "state": "on", "mode": "cool", "temperature_c": 24})"),
            "Air conditioning in the bedroom set to cooling, 24°C.");
  EXPECT_EQ(said("set_climate", R"({"room": "car", "temperature_c": 20})"),
            "Air conditioning in the car set to 20°C.");
  EXPECT_EQ(said("set_curtain", R"({"room": "study", "action": "close"})"), "Curtains closed in the study.");
  EXPECT_EQ(said("set_curtain", R"({"room": "study", "percent": 40})"), "Curtains in the study 40% open.");
  EXPECT_EQ(said("set_curtain", R"({"action": "stop"})"), "Curtains stopped.");
  EXPECT_EQ(call("set_curtain", "{}").problem, problem::kInvalid);
  EXPECT_EQ(said("set_appliance", R"({"appliance": "rice_cooker", "state": "on"})"), "Rice cooker on.");
  EXPECT_EQ(said("set_appliance", R"({"appliance": "oven", "room": "study", "state": "on"})"),
            "There is no oven in the study.");
  EXPECT_EQ(said("control_vacuum", R"({"action": "start", "room": "dining_room"})"),
            "The vacuum is cleaning the dining room.");
  EXPECT_EQ(state_at("vacuum")["target_room"], "dining_room");
  EXPECT_EQ(said("set_door_lock", R"({"door": "home", "action": "unlock", "needs_confirmation": true})"),
            "The front door is unlocked.");
  EXPECT_EQ(said("set_window", R"({"percent": 20})"), "Car windows 20% open.");
  EXPECT_EQ(state_at("window.car.sunroof")["percent"], 0);
  EXPECT_EQ(said("set_window", R"({"position": "rear", "percent": 100})"), "Rear open.");
  EXPECT_EQ(state_at("window.car.rear_left")["percent"], 100);
  EXPECT_EQ(said("set_seat_heating", R"({"level": 2})"), "Heating of the driver's seat set to medium.");
  EXPECT_EQ(said("set_defog", R"({"position": "front", "state": "on"})"), "Front defogging on.");
  EXPECT_EQ(said("set_trunk", R"({"action": "open"})"), "The boot is open.");
  EXPECT_EQ(said("get_charge_status", "{}"), "The car is charged to 76%, good for 342 km.");
  EXPECT_EQ(call("get_power_status", R"({"target": "home"})").data["power_w"], 412.0);
  EXPECT_EQ(call("get_power_status", R"({"target": "watch"})").problem, problem::kNotConnected);
  EXPECT_EQ(said("set_light", R"({"room": "car", "state": "on"})"), "Lights on in the car.");
}

TEST_F(AssistantHome, ScenesChangeWhatTheyName) {
  call("set_light", R"({"state": "on"})");
  EXPECT_EQ(said("run_scene", R"({"scene": "sleep"})"), "Sleep mode is on.");
  for (const auto& device : home_->devices({}).devices) {
    if (device.kind == DeviceKind::kLight) {
      EXPECT_EQ(device.state.on, false) << device.id;
    }
    if (device.kind == DeviceKind::kCurtain) {
      EXPECT_EQ(device.state.percent, 0) << device.id;
    }
  }
  for (const char* scene : {"home", "away", "wake_up", "movie", "reading", "dinner", "party"})
    EXPECT_TRUE(call("run_scene", (R"({"scene": ")" + std::string(scene) + "\"}").c_str()).done()) << scene;
  EXPECT_EQ(state_at("light.dining_room")["color"], "pink");
  ASSERT_FALSE(std::static_pointer_cast<DemoHome>(home_)->reset().has_value());
  EXPECT_EQ(state_at("light.dining_room")["on"], false);
}

TEST_F(AssistantHome, OnlyOpeningAndUnlockingAskFirst) {
  EXPECT_EQ(risk("set_door_lock", R"({"door": "home", "action": "unlock"})"), Risk::kAsksFirst);
  EXPECT_EQ(risk("set_door_lock", R"({"door": "car", "action": "unlock"})"), Risk::kAsksFirst);
  EXPECT_EQ(risk("set_door_lock", R"({"door": "home", "action": "lock"})"), Risk::kHarmless);
  EXPECT_EQ(risk("set_trunk", R"({"action": "open"})"), Risk::kAsksFirst);
  EXPECT_EQ(risk("set_trunk", "{}"), Risk::kAsksFirst);
  EXPECT_EQ(risk("set_trunk", R"({"action": "close"})"), Risk::kHarmless);
  EXPECT_EQ(risk("set_light", R"({"state": "off"})"), Risk::kHarmless);
}

// A home where one lamp does not answer.
class HalfHome final : public Home {
 public:
  DeviceList devices(const CallContext&) override {
    if (is_away) return {{}, Problem{problem::kUnreachable, ""}};
    DeviceState lamp;
    lamp.on = false;
    return {{{"light.a", DeviceKind::kLight, "kitchen", "A", "", lamp, true},
             {"light.b", DeviceKind::kLight, "kitchen", "B", "", lamp, false},
             {"light.c", DeviceKind::kLight, "kitchen", "C", "", lamp, true}},
            std::nullopt};
  }
  std::optional<Problem> change(const Device& device, const DeviceState&, const CallContext&) override {
    changed.push_back(device.id);
    return std::nullopt;
  }
  bool is_away = false;
  std::vector<std::string> changed;
};

TEST_F(AssistantHome, WhatFailedIsSaidAndTheRestIsDone) {
  const auto half = std::make_shared<HalfHome>();
  use(half);
  const Outcome outcome = call("set_light", R"({"room": "kitchen", "state": "on"})");
  EXPECT_EQ(outcome.problem, problem::kUnreachable);
  EXPECT_EQ(say(outcome, {}), "2 done, but 1 did not work.");
  EXPECT_EQ(half->changed, (std::vector<std::string>{"light.a", "light.c"}));
  EXPECT_EQ(outcome.data["devices"][1]["problem"], problem::kUnreachable);
  half->is_away = true;
  EXPECT_EQ(said("set_light", R"({"state": "on"})"), "It does not answer right now, so nothing was changed.");
  EXPECT_EQ(said("run_scene", R"({"scene": "movie"})"),
            "It does not answer right now, so nothing was changed.");
}

TEST_F(AssistantHome, AHomeThatCannotBeKeptChangesNothing) {
  ASSERT_TRUE(call("set_light", R"({"room": "study", "state": "on"})").done());
  (*state->database())->run("PRAGMA query_only = 1").ok();
  EXPECT_EQ(call("set_light", R"({"room": "study", "state": "off"})").problem, problem::kNoRoom);
  EXPECT_EQ(call("run_scene", R"({"scene": "sleep"})").problem, problem::kNoRoom);
  EXPECT_EQ(state_at("light.study")["on"], true);
}

}  // namespace
}  // namespace ink::assistant
