// The registries are read at the first question and again after a failure; the states always, since switches
// on the wall and other people change them too.
#include "services/home_assistant/home.h"

namespace ink::home_assistant {

using assistant::CallContext;
using assistant::Device;
using assistant::DeviceList;
using assistant::DeviceState;
using assistant::Problem;

DeviceList HomeAssistant::devices(const CallContext& context) {
  const std::lock_guard lock(mutex_);
  if (!knows_rooms_) {
    if (auto problem = client_.read_registries(context)) return {{}, std::move(problem)};
    knows_rooms_ = true;
  }
  Answer states = client_.states(context);
  if (states.problem) return {{}, std::move(states.problem)};
  return {devices_of(states.value, client_.registries()), {}};
}

std::optional<Problem> HomeAssistant::change(const Device& device, const DeviceState& wanted,
                                             const CallContext& context) {
  if (!device.reachable) return Problem{assistant::problem::kUnreachable, device.id};
  const ServiceCalls calls = calls_for(device, wanted);
  if (!calls.cannot.empty()) return Problem{assistant::problem::kRefused, calls.cannot};
  const std::lock_guard lock(mutex_);
  for (const ServiceCall& call : calls.calls)
    if (auto answer = client_.call(call, context); answer.problem) return std::move(answer.problem);
  return {};
}

}  // namespace ink::home_assistant
