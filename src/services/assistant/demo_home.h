// The demonstration home: a flat with ten rooms and a car that exist only here, so that every sentence about
// a home can be tried with nothing bought. Its state is kept in the database and survives the program.
#pragma once

#include <memory>

#include "services/assistant/home.h"
#include "services/assistant/state.h"

namespace ink::assistant {

class DemoHome final : public Home {
 public:
  explicit DemoHome(std::shared_ptr<State> state) : state_(std::move(state)) {}

  DeviceList devices(const CallContext& context) override;
  std::optional<Problem> change(const Device& device, const DeviceState& wanted,
                                const CallContext& context) override;
  // As it was built.
  std::optional<Problem> reset();

 private:
  std::optional<Problem> write(Database& database, const Device& device, const DeviceState& wanted);
  std::optional<Problem> run_scene(Database& database, const std::string& scene);
  std::shared_ptr<State> state_;
};

}  // namespace ink::assistant
