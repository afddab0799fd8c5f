// See serve/stop_signals.h.
#include "serve/stop_signals.h"

#include <pthread.h>
#include <unistd.h>

#include "cli/output.h"
#include "server/http.h"

namespace ink::serve {
namespace {

// What an endpoint gets, beyond the grace, to notice that it has been cancelled: a step of a large model.
constexpr std::chrono::seconds kAfterGrace{10};

}  // namespace

StopSignals::StopSignals() {
  ::sigemptyset(&signals_);
  ::sigaddset(&signals_, SIGINT);
  ::sigaddset(&signals_, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  thread_ = std::thread([this] { wait(); });
}

StopSignals::~StopSignals() { end(); }

void StopSignals::end() {
  if (!thread_.joinable()) return;
  ending_ = true;
  // The thread takes the signal with sigwait: it ends nothing.
  ::pthread_kill(thread_.native_handle(), SIGTERM);  // NOLINT(bugprone-bad-signal-to-kill-thread)
  thread_.join();
}

void StopSignals::watch(server::HttpServer& server, std::chrono::milliseconds grace, std::string socket) {
  grace_ = grace;
  socket_ = std::move(socket);
  server_ = &server;
}

void StopSignals::wait() {
  int signal = 0;
  ::sigwait(&signals_, &signal);
  if (ending_) return;
  server::HttpServer* server = server_;
  if (!server) ::_exit(cli::kInterrupted);
  server->shut_down(grace_);
  const auto patience = std::chrono::ceil<std::chrono::seconds>(grace_) + kAfterGrace;
  const timespec at_most{static_cast<time_t>(patience.count()), 0};
  ::sigtimedwait(&signals_, nullptr, &at_most);
  if (ending_) return;
  if (!socket_.empty()) ::unlink(socket_.c_str());
  ::_exit(cli::kOk);
}

}  // namespace ink::serve
