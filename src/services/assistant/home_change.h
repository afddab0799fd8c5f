// Changing devices of a home: which ones are meant, one after the other, and one sentence for what came of
// it. The half of the home tools that is the same for lamps, locks and windows.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "services/assistant/home.h"

namespace ink::assistant {

struct Selection {
  DeviceKind kind = DeviceKind::kLight;
  std::string room;               // "all": everywhere but the car; empty: none was said
  std::vector<std::string> what;  // any of these; empty: whichever
};

// The devices that are meant. Without a room: all of the kind at home for lamps and curtains ("lights off");
// for the rest the only one, or the one in the living room, or the first.
std::vector<Device> selected(const std::vector<Device>& devices, const Selection& selection);

struct Change {
  DeviceState wanted;
  Words words;    // what to say when it was done
  Words general;  // what to say of several devices that now differ; empty: a plain "done"
};
using ChangeFunction = std::function<Change(const Device& device)>;

// Changes all devices of the selection. Done only when every one was; otherwise the problem says how far it
// came. What held already is said so ("….already"), where there is a sentence for it.
Outcome change_devices(Home& home, const Selection& selection, const CallContext& context,
                       const ChangeFunction& change);

// {"room": …} when one was said, for the sentence.
Json room_slot(const Selection& selection);

// The fields that are known, by the names of DeviceState.
Json state_json(const DeviceState& state);
DeviceState state_of(const Json& json);
// `now` with the wanted fields in place.
DeviceState changed(const DeviceState& now, const DeviceState& wanted);
std::string_view kind_name(DeviceKind kind);

}  // namespace ink::assistant
