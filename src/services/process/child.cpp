// Pipes, poll and posix_spawn. Both pipes are non-blocking, so a child that stopped reading or writing costs
// its deadline and no more.
#include "services/process/child.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ink {

std::string program_beside_ours(const std::string& name) {
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? name : (own.parent_path() / name).string();
}

namespace {

constexpr std::chrono::milliseconds kLook{100};  // how often a waiting reader looks whether it is to stop

// Process numbers of the children there are. Never destroyed: a thread that was left behind may still use it.
struct Living {
  std::mutex mutex;
  std::set<pid_t> children;
};
Living& living() {
  static auto& all = *new Living;
  return all;
}

Error failure(const std::string& where, int error) {
  const ErrorKind kind = error == ENOENT ? ErrorKind::kNotFound : ErrorKind::kIo;
  return Error{kind, where, "", std::strerror(error), ""};
}

struct Pipe {
  int ends[2] = {-1, -1};
  bool open() { return ::pipe2(ends, O_CLOEXEC) == 0; }
  void close(int end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
  ~Pipe() {
    close(0);
    close(1);
  }
};

std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry; entry++) {
    const std::string text = *entry;
    if (!added.contains(text.substr(0, text.find('=')))) result.push_back(text);
  }
  for (const auto& [name, value] : added) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// posix_spawn and not fork: this process has threads, and is large.
int spawn(const Child::Command& command, int input, int output, bool errors_shown, pid_t& process) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  if (!errors_shown) posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  if (!command.folder.empty()) posix_spawn_file_actions_addchdir_np(&actions, command.folder.c_str());
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM}) sigaddset(&defaults, signal);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  // A group of its own: Ctrl-C at our terminal is for us to deal with.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment = environment_with(command.environment);
  const int error = ::posix_spawnp(&process, arguments[0].c_str(), &actions, &attributes,
                                   pointers(arguments).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error;
}

std::chrono::milliseconds left_until(Child::Clock::time_point deadline) {
  using std::chrono::milliseconds;
  if (deadline == Child::Clock::time_point::max()) return kLook;
  const auto left = std::chrono::ceil<milliseconds>(deadline - Child::Clock::now());
  return std::clamp(left, milliseconds(0), kLook);
}

// Whether the file may be ready; false at the deadline.
bool wait_for(int file, short what, Child::Clock::time_point deadline, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd wanted{file, what, 0};
    if (::poll(&wanted, 1, static_cast<int>(left_until(deadline).count())) > 0) return true;
    if (Child::Clock::now() >= deadline) return false;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<Child>> Child::start(const Command& command, bool errors_shown) {
  if (command.arguments.empty() || command.arguments[0].empty())
    return Error{ErrorKind::kInvalid, "command", "a program to start", "none", ""};
  const std::string& name = command.arguments[0];
  Pipe input, output;
  if (!input.open() || !output.open()) return failure(name, errno);
  pid_t process = 0;
  if (const int error = spawn(command, input.ends[0], output.ends[1], errors_shown, process); error != 0)
    return failure(name, error);
  {
    const std::lock_guard lock(living().mutex);
    living().children.insert(process);
  }
  for (const int file : {input.ends[1], output.ends[0]})
    ::fcntl(file, F_SETFL, ::fcntl(file, F_GETFL) | O_NONBLOCK);
  std::unique_ptr<Child> child(new Child(process, input.ends[1], output.ends[0], command.max_line_bytes));
  input.ends[1] = output.ends[0] = -1;
  return child;
}

Child::~Child() {
  ::close(input_);
  if (!ended_within(std::chrono::milliseconds(500))) {
    ::kill(process_, SIGTERM);
    if (!ended_within(std::chrono::milliseconds(500))) {
      ::kill(process_, SIGKILL);
      while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
  }
  ::close(output_);
  const std::lock_guard lock(living().mutex);
  living().children.erase(process_);
}

void kill_children() {
  const std::lock_guard lock(living().mutex);
  for (const pid_t process : living().children) ::kill(process, SIGKILL);
}

bool Child::ended_within(std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  while (::waitpid(process_, nullptr, WNOHANG) == 0) {
    if (Clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

Status Child::write_line(const std::string& line, Clock::time_point deadline) {
  INK_CHECK(line.find('\n') == std::string::npos, "a line break inside of a line");
  const std::string text = line + "\n";
  for (size_t at = 0; at < text.size();) {
    // Ended children must not end us: SIGPIPE is ignored by the program (see cli/program.cpp).
    const ssize_t written = ::write(input_, text.data() + at, text.size() - at);
    if (written > 0) {
      at += static_cast<size_t>(written);
    } else if (errno == EAGAIN) {
      if (!wait_for(input_, POLLOUT, deadline, {}))
        return Error{ErrorKind::kIo, "child process", "", "it does not read what is said to it", ""};
    } else if (errno != EINTR) {
      return failure("child process", errno);
    }
  }
  return Done{};
}

Result<std::optional<std::string>> Child::read_line(Clock::time_point deadline, const std::stop_token& stop) {
  while (true) {
    if (const size_t end = pending_.find('\n', scanned_); end != std::string::npos) {
      std::optional<std::string> line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      scanned_ = 0;
      return line;
    }
    scanned_ = pending_.size();
    if (static_cast<int64_t>(pending_.size()) > max_line_bytes_)
      return Error{ErrorKind::kTooLarge, "child process", "", "a line without an end", ""};
    char piece[65536];
    const ssize_t got = ::read(output_, piece, sizeof(piece));
    if (got > 0) {
      pending_.append(piece, static_cast<size_t>(got));
    } else if (got == 0) {
      return Error{ErrorKind::kIo, "child process", "", "it has ended", ""};
    } else if (errno == EAGAIN) {
      if (!wait_for(output_, POLLIN, deadline, stop)) return std::optional<std::string>();
    } else if (errno != EINTR) {
      return failure("child process", errno);
    }
  }
}

}  // namespace ink
