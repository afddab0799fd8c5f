// SIGINT and SIGTERM for a server: the first one lets what runs end within a grace time, the second one ends
// the program at once. A thread waits for them; a handler could do next to nothing, and a flag would need
// somebody who looks.
#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

namespace ink::server {
class HttpServer;
}

namespace ink::cli {

class StopSignals {
 public:
  // Before any other thread is started: all of them must leave the signals to this one. Until watch() the
  // first signal ends the program, because loading a model can take minutes.
  StopSignals();
  ~StopSignals();  // as end()
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // socket: the path of a Unix socket, removed when there is no time for anything else; or empty.
  void watch(server::HttpServer& server, std::chrono::milliseconds grace, std::string socket);
  void end();  // before the server that is watched goes

 private:
  void wait();
  sigset_t signals_{};
  std::chrono::milliseconds grace_{0};
  std::string socket_;
  std::atomic<server::HttpServer*> server_{nullptr};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace ink::cli
