// See services/assistant/call.h.
#include "services/assistant/call.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace ink::assistant {
namespace {

// How often the person's Ctrl-C is looked for while a call runs.
constexpr std::chrono::milliseconds kLook{50};

// A tool knows its deadline; this long it may then take to end what it started. A child process alone is
// waited for twice half a second before it is killed, and a tool that is left behind cannot do that any more.
constexpr std::chrono::milliseconds kGrace{3000};

std::atomic<int> left_behind{0};

// Shared by the caller and the call's thread; whoever lets go last deletes it.
struct Running {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Outcome> outcome;
  bool is_left_behind = false;
  std::stop_source stop;
};

Outcome call_guarded(Tool& tool, const Json& arguments, const CallContext& context) {
  try {
    return tool.call(arguments, context);
  } catch (const std::exception& error) {
    return failed(problem::kFailed, std::string("threw: ") + error.what());
  } catch (...) {
    return failed(problem::kFailed, "threw something");
  }
}

void run(const std::shared_ptr<Running>& running, const std::shared_ptr<Tool>& tool, const Json& arguments,
         const CallContext& context) {
  Outcome outcome = call_guarded(*tool, arguments, context);
  const std::lock_guard lock(running->mutex);
  if (running->is_left_behind) --left_behind;
  running->outcome = std::move(outcome);
  running->changed.notify_all();
}

}  // namespace

int calls_left_behind() { return left_behind.load(); }

Outcome call_tool(std::shared_ptr<Tool> tool, Json arguments, CallContext context,
                  const std::function<bool()>& cancelled) {
  auto running = std::make_shared<Running>();
  context.deadline = std::chrono::steady_clock::now() + tool->time_limit();
  const auto deadline = context.deadline + kGrace;
  context.stop = running->stop.get_token();
  try {
    std::thread([running, tool = std::move(tool), arguments = std::move(arguments),
                 context = std::move(context)] {
      run(running, tool, arguments, context);
    }).detach();
  } catch (const std::system_error& error) {
    return failed(problem::kFailed, std::string("no thread: ") + error.what());
  }
  std::unique_lock lock(running->mutex);
  bool stopped = false;
  while (!running->outcome && !stopped && std::chrono::steady_clock::now() < deadline) {
    running->changed.wait_until(lock, std::min(deadline, std::chrono::steady_clock::now() + kLook));
    stopped = cancelled && cancelled();
  }
  if (running->outcome) return std::move(*running->outcome);
  running->is_left_behind = true;
  ++left_behind;
  lock.unlock();
  running->stop.request_stop();
  return failed(stopped ? problem::kCancelled : problem::kTimedOut);
}

}  // namespace ink::assistant
