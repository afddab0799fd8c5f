// See services/assistant/device/absent.h.
#include "services/assistant/device/absent.h"

namespace ink::assistant {

std::vector<std::shared_ptr<Tool>> absent_tools(const std::vector<Json>& catalogue,
                                                const Registry& registry) {
  std::vector<std::shared_ptr<Tool>> all;
  for (const auto& declaration : catalogue) {
    const std::string name = declaration["function"]["name"];
    if (registry.find(name) != nullptr) continue;
    all.push_back(make_tool(declaration, [name](const Json&, const CallContext&) {
      Outcome outcome = failed(problem::kNotConnected);
      outcome.words = {"absent." + name, {}};  // "I have no camera here."; without one: problem.not_connected
      return outcome;
    }));
  }
  return all;
}

}  // namespace ink::assistant
